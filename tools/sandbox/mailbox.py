"""The sandbox's mails, read from the file that the emulator writes (`emulator_process.py`)."""

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tools.errors import ToolError


class MessageJson(TypedDict):
    """One mail as `GET /messages` answers it."""

    id: str
    to: str
    subject: str
    text: str
    receivedAt: str


@dataclass(frozen=True)
class Message:
    """One mail. `received_at` is ISO 8601, UTC."""

    id: str
    to: str
    subject: str
    text: str
    received_at: str

    @property
    def json(self) -> MessageJson:
        """Return the mail as `GET /messages` answers it."""
        return {
            "id": self.id,
            "to": self.to,
            "subject": self.subject,
            "text": self.text,
            "receivedAt": self.received_at,
        }


class Mailbox:
    """All mails, one line of JSON each in a file. Each call reads the lines added since the last.

    Threads may share a Mailbox.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read_bytes = 0
        self._messages: list[Message] = []
        self.read = set[str]()
        """The ids of the mails that somebody has opened."""

    def messages(self, to: str | None = None) -> list[Message]:
        """Return the mails to one address (in any case), or all mails; oldest first."""
        with self._lock:
            self._read_new()
            return [m for m in self._messages if to is None or m.to.lower() == to.lower()]

    def message(self, id_: str) -> Message | None:
        """Return the mail with that id, or None."""
        return next((m for m in self.messages() if m.id == id_), None)

    def wait_for_first(self, seconds: float = 20) -> None:
        """Wait until there is a mail; raise ToolError after that many seconds."""
        end = time.monotonic() + seconds
        while not self.messages():
            if time.monotonic() > end:
                raise ToolError(f"no mail after {seconds:.0f} s: does request_approval fail?")
            time.sleep(0.05)

    def _read_new(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            # The text after the last line break is still being written.
            lines, line_break, _ = file.read().rpartition(b"\n")
        self._read_bytes += len(lines + line_break)
        for line in lines.splitlines():
            mail = json.loads(line)
            number = str(len(self._messages) + 1)
            self._messages.append(
                Message(number, mail["to"], mail["subject"], mail["text"], mail["receivedAt"])
            )
