"""`state.json`: where the sandbox's parts are, for tests and the benchmark; there while it serves.

On the map: used by `__main__`. A lock beside it keeps two sandboxes out of one folder; it goes with
its process, so one that was killed is in nobody's way.
"""

import fcntl
import json
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from tools.errors import ToolError


class StateFile:
    """The file, as a context manager: gone at the start and the end, written whole in between.

    Raises ToolError if another sandbox serves from the same folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: IO[str] | None = None

    def __enter__(self) -> "StateFile":
        lock = self._path.with_suffix(".lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            lock.close()
            folder = self._path.parent
            raise ToolError(f"a sandbox serves from {folder} already: end it, or give --dir") from e
        self._lock = lock
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._path.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def write(self, state: dict[str, Any]) -> None:
        """Write the state at once: whoever sees the file sees all of it."""
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(state, indent=2) + "\n", "utf-8")
        new.replace(self._path)
