"""ADAPTER: EventBridge: each outcome on the account's default event bus, for whoever follows it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from .aws import faults
from .errors import Unavailable

SOURCE = "assent"
DETAIL_TYPE = "Approval closed"


class EventBus:
    """The default event bus, for one stage. Raises Unavailable if it doesn't take an event."""

    def __init__(
        self, client: Any, stage: str
    ) -> None:  # its stubs are large, and one call is made
        self._client = client
        self._stage = stage

    def announce(self, detail: Mapping[str, Any], at: datetime, resource: str) -> None:
        """Put what happened at that time, to that resource, on the bus.

        EventBridge gives each event an id of its own, also to the same one again: what tells
        doubles apart stands in `detail`.
        """
        entry = {
            "Time": at,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Resources": [resource],
            "Detail": msgspec.json.encode({"stage": self._stage} | dict(detail)).decode(),
        }
        with faults("EventBridge"):
            answer = self._client.put_events(Entries=[entry])
        # It answers 200 also where it refuses the entries; then each one says why.
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode", "an error")
            raise Unavailable(f"EventBridge answered {code}; please try again")
