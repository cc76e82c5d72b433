"""Ports: what the use cases are given: the adapters' interfaces, clock, randomness and log.

The adapters' docstrings say what they guarantee; `wiring.py` makes those of a deployed stage,
`tests/fakes.py` those of the tests.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Protocol, TypedDict

from ..domain.approval import Approval, Outcome
from ..domain.delegation import Delegation

if TYPE_CHECKING:
    from ..presentation.json_types import AnnouncementJson
    from ..presentation.mail_text import Email

Subscription = Literal["none", "pending", "confirmed"]
"""State of an approver's e-mail subscription; only `confirmed` receives mail."""
ExecutionStatus = Literal[
    "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"
]


class ExecutionJson(TypedDict):
    """An execution of the approval workflow; `startedAt` is ISO 8601 in UTC."""

    execution: str
    executionArn: str
    status: ExecutionStatus
    startedAt: NotRequired[str]
    output: NotRequired[Any]
    error: NotRequired[str]
    cause: NotRequired[str]


class DeadLetterJson(TypedDict, total=False):
    """A refused message on the dead-letter queue: which one, and the error; no secret."""

    refused: dict[str, str]
    messageId: str
    via: str
    approvalId: str


class ApprovalStore(Protocol):
    """Stored approvals and delegations; adapters/dynamodb.py."""

    def get(self, approval_id: str) -> Approval | None: ...
    def create(self, approval: Approval) -> bool: ...
    def replace(self, read: Approval, changed: Approval) -> Approval | None: ...
    def waiting_for(
        self, address: str, now: datetime, most: int, after: str = ""
    ) -> tuple[list[Approval], str]: ...
    def get_many(self, approval_ids: Sequence[str]) -> list[Approval]: ...
    def delegation(self, address: str) -> Delegation | None: ...
    def put_delegation(self, address: str, delegation: Delegation) -> None: ...
    def replace_delegation(self, address: str, read: Delegation, changed: Delegation) -> bool: ...
    def due(self, now: datetime) -> Iterator[str]: ...
    def by_outcome(self, outcome: Outcome, most: int, after: str = "") -> tuple[list[str], str]: ...
    def of_execution(self, execution_arn: str) -> list[Approval]: ...
    def ids_of_execution(self, execution_arn: str) -> Iterator[str]: ...


class Executions(Protocol):
    """Executions and task tokens; adapters/stepfunctions.py."""

    def succeed_task(self, task_token: str, output: str) -> bool | None: ...
    def fail_task(self, task_token: str, error: str, cause: str) -> bool | None: ...
    def start(self, name: str, input: str) -> ExecutionJson: ...
    def describe(self, name: str) -> ExecutionJson: ...


class Mailer(Protocol):
    """Approvers' topics and subscriptions; adapters/sns.py."""

    def subscription(self, address: str) -> Subscription: ...
    def invite(self, address: str) -> None: ...
    def send(self, address: str, email: "Email") -> None: ...
    def forget(self, address: str) -> None: ...
    def confirm(self, address: str, url: str) -> bool: ...


class EventBus(Protocol):
    """The account's event bus; adapters/eventbridge.py."""

    def announce(self, detail: "AnnouncementJson", at: datetime, resource: str) -> None: ...


class DeadLetters(Protocol):
    """The dead-letter queue; adapters/sqs.py."""

    def put(self, letter: DeadLetterJson) -> None: ...


class Ports(Protocol):
    """All that a use case may use. Adapters are made when first used: most requests need one."""

    @property
    def store(self) -> ApprovalStore: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def mailer(self) -> Mailer: ...
    @property
    def event_bus(self) -> EventBus: ...
    @property
    def dead_letters(self) -> DeadLetters: ...
    @property
    def own_executions(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def public_url(self) -> str: ...
    @property
    def approver_domains(self) -> tuple[str, ...]: ...
    @property
    def details_kept(self) -> timedelta | None: ...
    def now(self) -> datetime: ...
    def secret(self) -> str: ...
    def log(self, event: str, **facts: object) -> None: ...
