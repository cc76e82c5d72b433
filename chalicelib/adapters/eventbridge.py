"""EventBridge: puts each outcome on the account's default event bus."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..domain.errors import Unavailable
from .aws_errors import aws_errors

if TYPE_CHECKING:
    from ..application.ports import DetailType
    from ..presentation.json_types import AnnouncementJson, UndecidableJson

SOURCE = "assent"


class EventBridgeBus:
    """The default event bus, for one stage. Raises Unavailable if it doesn't take an event."""

    def __init__(self, client: Any, stage: str) -> None:  # Any: the stubs are large for one call
        self._client = client
        self._stage = stage

    def announce(
        self,
        detail: "AnnouncementJson | UndecidableJson",
        at: datetime,
        resource: str,
        detail_type: "DetailType" = "Approval closed",
    ) -> None:
        """Put what happened at that time, about that resource (an ARN), on the bus.

        EventBridge gives each event a new id, also when the same outcome is put twice: `approvalId`
        in `detail` identifies it.
        """
        entry = {
            "Time": at,
            "Source": SOURCE,
            "DetailType": detail_type,
            "Resources": [resource],
            "Detail": msgspec.json.encode({"stage": self._stage, **detail}).decode(),
        }
        with aws_errors("EventBridge"):
            answer = self._client.put_events(Entries=[entry])
        # The answer is 200 even if EventBridge refuses an entry; the entry then has an ErrorCode.
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode", "an error")
            raise Unavailable(f"EventBridge answered {code}; please try again")
