"""The sandbox's mail: what has been mailed to whom, read from the file that the emulator writes.

On the map: `emulator_process.py` writes, `inbox.py` shows.
"""

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tools.errors import ToolError


@dataclass(frozen=True)
class Message:
    """One mail. `received_at` is ISO 8601, UTC."""

    id: str
    to: str
    subject: str
    text: str
    received_at: str

    @property
    def json(self) -> dict[str, str]:
        """Return the message as `GET /messages` has it."""
        return {
            "id": self.id,
            "to": self.to,
            "subject": self.subject,
            "text": self.text,
            "receivedAt": self.received_at,
        }


class Mailbox:
    """Everybody's mail in one file, a line of JSON each. What is new is read when asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read = 0
        self._messages: list[Message] = []

    def messages(self, to: str | None = None) -> list[Message]:
        """Return the mail to one address, in whatever case, or all of it; oldest first."""
        with self._lock:
            self._read_on()
            return [m for m in self._messages if to is None or m.to.lower() == to.lower()]

    def message(self, id_: str) -> Message | None:
        """Return one mail, or None."""
        return next((m for m in self.messages() if m.id == id_), None)

    def await_first(self, seconds: float = 20) -> None:
        """Return when there is any mail; raise ToolError if none comes in time."""
        end = time.monotonic() + seconds
        while not self.messages():
            if time.monotonic() > end:
                raise ToolError(f"no mail after {seconds:.0f} s: does request_approval fail?")
            time.sleep(0.05)

    def _read_on(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole, end, _ = file.read().rpartition(b"\n")  # what follows is still being written
        self._read += len(whole + end)
        for line in whole.splitlines():
            found = json.loads(line)
            number = str(len(self._messages) + 1)
            self._messages.append(
                Message(number, found["to"], found["subject"], found["text"], found["receivedAt"])
            )
