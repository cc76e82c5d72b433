"""Invitations: when SNS last invited an approver, and whether it refuses their address."""

from datetime import datetime
from typing import NamedTuple


class Invitation(NamedTuple):
    """The newest invitation; `refusal` is SNS's error if it refuses the address, else empty."""

    at: datetime
    refusal: str = ""
