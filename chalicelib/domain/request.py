"""The request: the question, the approvers, the quorum, and how long it may take."""

import re
from typing import Annotated, Any, Literal, TypeGuard

from msgspec import Meta, Struct

from .addresses import Address
from .bounds import MOST_APPROVERS, Approvers, Count, Duration, ReasonRequired, ReminderInterval
from .policy import AppliedPolicy, Group, others
from .texts import PRINTABLE

Detail = str | bool | int | float

# What follows `execution:` is Step Functions' own: the child of a Distributed Map has
# `<state machine>/<label>:<name>`, and a name may have letters of any alphabet, `+`, `'`, `(`...
_EXECUTION_ARN = rf"^arn:[a-z0-9-]+:states:[!-9;-~]*:[!-9;-~]*:execution:{PRINTABLE}+\Z"

# What StartExecution's documentation excludes, and U+10FFFF.
_EXECUTION_NAME = re.compile(
    rf"(?:(?![<>{{}}\[\]?*\"#%\\^|~`$&,;:/\U0010ffff]){PRINTABLE}){{1,80}}"
)


class Escalation(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The fallback approvers, asked too if the approval is pending `after` seconds."""

    after: Duration
    approvers: Approvers


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One request for approval; docs/api.md explains each field.

    Unknown fields are ignored here and refused in `validation.py`: after a rollback, older code
    still reads items that newer code wrote.
    """

    subject: Annotated[str, Meta(min_length=1, max_length=200)]
    details: dict[str, Detail] | str = ""
    approvers: Annotated[tuple[Address, ...], Meta(max_length=MOST_APPROVERS)]
    approvals_needed: Count | Literal["all"] = 1
    rejections_needed: Count = 1
    requested_by: Address | None = None
    expires_in: Duration = 604_800
    remind_every: ReminderInterval | None = None
    escalation: Escalation | None = None
    reason_required: ReasonRequired = "onReject"
    code_required: bool = False
    allow_self_approval: bool = False
    exclude_requester: bool = False
    """`validation.py` has taken the requester out of `approvers` and `escalation` then."""
    on_reject: Literal["fail", "return"] = "fail"
    supersedes: bool = False
    """The workflow asks once at a time: what its execution asked before is closed by this."""
    policy: AppliedPolicy | None = None
    """The policy it was made under, which `validation.py` has merged into the other fields."""

    @property
    def barred(self) -> tuple[str, ...]:
        """The requester, unless they may decide on their own request; nobody else."""
        asker = self.requested_by
        return () if asker is None or self.allow_self_approval else (asker,)

    @property
    def fallback(self) -> tuple[str, ...]:
        """The fallback approvers; none without an escalation."""
        return self.escalation.approvers if self.escalation else ()

    @property
    def group_names(self) -> tuple[str, ...]:
        """The names of its groups, in their order; "" without a policy."""
        return ("",) if self.policy is None else tuple(g.name for g in self.policy.policy.groups)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups of its policy, without barred people; without a policy one, unnamed."""
        if self.policy is None:
            return (Group("", self.approvers, self.approvals_needed),)
        return tuple(group.without(self.barred) for group in self.policy.policy.groups)

    @property
    def escalation_group(self) -> int:
        """The position of the group that its fallback approvers join."""
        return 0 if self.policy is None else self.policy.policy.escalation_group

    @property
    def break_glass(self) -> tuple[str, ...]:
        """The people who may approve it alone."""
        return () if self.policy is None else others(self.policy.policy.break_glass, self.barred)


class TaskRequest(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The payload of a state that waits: a request, and the task token to answer.

    A task token has 1 to 2,048 characters (botocore's model of `SendTaskSuccess`).
    """

    task_token: Annotated[str, Meta(min_length=1, max_length=2_048, pattern=r"^[!-~]+\Z")]
    execution_arn: Annotated[str, Meta(max_length=512, pattern=_EXECUTION_ARN)]
    """AWS's have 256 characters at most; as the key of an index it may have 2,048 bytes."""
    request: Any


def is_execution_arn(text: object) -> TypeGuard[str]:
    """Return whether that is the ARN of an execution, as a `TaskRequest` names it."""
    return isinstance(text, str) and re.match(_EXECUTION_ARN, text) is not None


def is_execution_name(name: str) -> bool:
    """Return whether Step Functions accepts that name for an execution."""
    return _EXECUTION_NAME.fullmatch(name) is not None
