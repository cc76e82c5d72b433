"""Sends decisions and requests as messages, by each channel."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.approval import Approval
from tests.unit.entrypoints.client import AppPorts
from tests.unit.entrypoints.functions import deliver, invoke, notification

Send = Callable[[object], Any]


def by_queue(message: object) -> None:
    deliver("decision_from_queue", message)


def by_topic(message: object) -> None:
    deliver("decision_from_queue", notification(message))


def by_function(message: object) -> Any:
    return invoke("record_decision", message)


def by_requests(message: object) -> None:
    deliver("request_from_queue", message)


CHANNELS: dict[str, Send] = {"queue": by_queue, "topic": by_topic, "function": by_function}
"""Each channel of decisions, by its name in the record."""
each_channel = pytest.mark.parametrize("channel", CHANNELS)


def decision(ports: AppPorts, choice: str = "approve", **more: object) -> dict[str, object]:
    """Return the message that decides for Ada."""
    return {"token": ports.link(), "decision": choice} | more


def the_approval(ports: AppPorts) -> Approval:
    """Return the one stored approval."""
    (found,) = ports.store._all()
    return found
