"""`state.json`: tells tests, the benchmark and other commands where a running sandbox is.

The file exists while the sandbox serves. A lock file beside it keeps a second sandbox out of the
folder; the operating system drops the lock with its process, even when that is killed.
"""

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypedDict

from tools.errors import ToolError


class AwsState(TypedDict):
    """The emulator's address and region, and keys that may do everything."""

    endpointUrl: str
    region: str
    accessKeyId: str
    secretAccessKey: str


class KeyState(TypedDict):
    """The access key of an IAM user."""

    accessKeyId: str
    secretAccessKey: str


class SandboxState(TypedDict):
    """The content of `state.json`: a deployed Assent, its inbox and its IAM users."""

    api: str
    inbox: str
    stage: str
    aws: AwsState
    operator: KeyState
    stranger: KeyState
    stateMachineArn: str
    table: str
    approvers: list[str]
    pid: int


def operator_variables(state: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of a shell in which AWS's tools and `assent` are the operator."""
    return {
        "ASSENT_URL": state["api"],
        "AWS_ENDPOINT_URL": state["aws"]["endpointUrl"],
        "AWS_REGION": state["aws"]["region"],
        "AWS_DEFAULT_REGION": state["aws"]["region"],
        "AWS_ACCESS_KEY_ID": state["operator"]["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": state["operator"]["secretAccessKey"],
        "AWS_SESSION_TOKEN": "",
    }


class StateFile:
    """`state.json`, as a context manager: locked meanwhile, and removed at the start and the end.

    Makes its folder. Raises ToolError if it can't, or if another sandbox has the lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: IO[str] | None = None

    def __enter__(self) -> "StateFile":
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = self._path.with_suffix(".lock").open("a")
        except OSError as e:
            raise ToolError(f"bad DIR=: no files can be made in {folder}: {e.strerror}") from e
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            lock.close()
            raise ToolError(
                f"a sandbox is already running in {folder}: stop it, or give another folder as DIR="
            ) from e
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

    def write(self, state: SandboxState) -> None:
        """Write the state in one step: a reader sees the whole file or none."""
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(state, indent=2) + "\n", "utf-8")
        new.replace(self._path)


def read_state(directory: Path) -> SandboxState:
    """Return the state of the sandbox that runs in a folder; raise ToolError if none does."""
    try:
        state: SandboxState = json.loads((directory / "state.json").read_text("utf-8"))
    except FileNotFoundError as e:
        raise ToolError(f"no sandbox runs in {directory}: start one with `make demo`") from e
    return state
