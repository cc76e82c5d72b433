"""A Chalice stage, and the names of the AWS resources that follow from its name.

`infrastructure.yaml` and Chalice make the same names by the same rule.
"""

import re
from dataclasses import dataclass

from tools.errors import ToolError

APP = "assent"
API_STAGE = "api"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,20}")
_RESERVED = re.compile(r".*(-tick|-decisions|-requests|-ended|-approver.*)")
"""Names of stages that would collide with resources of stage `dev`: the API function of `dev-tick`
with its tick, `dev-decisions` and `dev-ended` with its queues, `dev-approver` with its topics."""


@dataclass(frozen=True)
class Code:
    """The names of what Chalice makes for a stage; nothing else in AWS is the stage's code."""

    functions: tuple[str, ...]
    queues: tuple[str, ...] = ()
    """The queues that functions read, by event source mappings."""
    scheduled: tuple[str, ...] = ()
    """The functions that a rule calls."""


@dataclass(frozen=True)
class Stage:
    """A stage of a Chalice app: of Assent, or of an example.

    Raises ToolError for a name from which AWS would later refuse a resource's name.
    """

    name: str
    app: str = APP

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ToolError(
                f"bad STAGE=: {self.name!r} is no stage name, which is a small letter, then at "
                "most 20 small letters, digits or hyphens"
            )
        if _RESERVED.fullmatch(self.name):
            raise ToolError(
                f"bad STAGE=: {self.name!r} is no stage name: it collides with resources of "
                "another stage"
            )

    def __str__(self) -> str:
        return self.name

    @property
    def prefix(self) -> str:
        """Return the name of the stack, the table, the state machine and the API's function."""
        return f"{self.app}-{self.name}"

    @property
    def topic_prefix(self) -> str:
        """Return the beginning of the name of every approver's topic."""
        return f"{self.prefix}-approver-"

    def function(self, name: str) -> str:
        """Return the name that Chalice gives to a function other than the API's."""
        return f"{self.prefix}-{name}"

    @property
    def functions(self) -> tuple[str, ...]:
        """Return the names of Assent's functions, the API's first."""
        names = (
            "request_approval",
            "record_decision",
            "decision_from_queue",
            "request_from_queue",
            "execution_ended",
            "tick",
        )
        return (self.prefix, *map(self.function, names))

    @property
    def code(self) -> Code:
        """Return the names of Assent's code, as `app.py` has them."""
        queues = ("decisions", "requests", "ended")
        return Code(
            self.functions,
            queues=tuple(f"{self.prefix}-{queue}" for queue in queues),
            scheduled=(self.function("tick"),),
        )
