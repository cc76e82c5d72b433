"""A stage's name, and every name that follows from it.

On the map: the leaf of `tools/`. `infrastructure.yaml` and Chalice build the same names by the
same rule.
"""

import re
from dataclasses import dataclass

from tools.errors import ToolError

APP = "assent"
API_STAGE = "api"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,20}")
_OTHERS = re.compile(r".*(-tick|-decisions|-requests|-approver.*)")
"""Stage dev-tick would take the name of stage dev's function, dev-approver that of its topics,
dev-decisions those of its queues."""


@dataclass(frozen=True)
class Stage:
    """A valid stage; raises ToolError for a name that AWS would choke on later.

    `app` is the Chalice app it is a stage of: Assent, or one of the examples.
    """

    name: str
    app: str = APP

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ToolError(
                f"{self.name!r} is no stage name: a small letter, then at most 20 small letters, "
                "digits or hyphens"
            )
        if _OTHERS.fullmatch(self.name):
            raise ToolError(f"{self.name!r} is no stage name: parts of other stages are named so")

    def __str__(self) -> str:
        return self.name

    @property
    def prefix(self) -> str:
        """Return what names the stack, the table, the state machine and the API's function."""
        return f"{self.app}-{self.name}"

    @property
    def topic_prefix(self) -> str:
        """Return how the name of every approver's topic starts."""
        return f"{self.prefix}-approver-"

    def function(self, name: str) -> str:
        """Return the name of a function that isn't the API's, as Chalice makes it."""
        return f"{self.prefix}-{name}"

    @property
    def functions(self) -> tuple[str, ...]:
        """Return the names of all functions, the API's first."""
        names = (
            "request_approval",
            "record_decision",
            "decision_from_queue",
            "request_from_queue",
            "tick",
        )
        return (self.prefix, *map(self.function, names))
