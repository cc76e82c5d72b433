"""Forms and queries: what pages, programs and operators send, before any rule is applied."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from ..domain.approval import Choice


class DecisionForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What an approver sends with a decision; with `show` the page is shown and nothing decided."""

    reason: str = ""
    code: str = ""
    show: Literal["", "yes"] = ""
    breakGlass: Literal["", "yes"] = ""  # noqa: N815 (the wire's name, in forms too)
    """Approve alone, in an emergency."""


class ReassignForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What an approver sends to have another person asked."""

    to: str = ""
    note: str = ""
    code: str = ""


class RequesterForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What a requester sends to cancel, or to have the approvers reminded."""

    action: Literal["cancel", "remind"] = "cancel"
    reason: str = ""


class InboxForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What an approver sends from the inbox; nothing is decided until `confirmed`."""

    choice: Choice
    chosen: tuple[str, ...] = ()
    reason: str = ""
    confirmed: Literal["", "yes"] = ""


class OwnDelegationForm(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What an approver sends to delegate, days in UTC as YYYY-MM-DD; or to `end` the delegation."""

    delegate: str = ""
    from_: str = ""
    until: str = ""
    reason: str = ""
    end: Literal["", "yes"] = ""


class ApprovalsQuery(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The query of `GET /approvals`; `next` comes from the page before.

    At most one of the first five says what is listed; none of them is `outcome=pending`.
    """

    outcome: Literal["", "pending", "approved", "rejected", "expired", "cancelled"] = ""
    approver: str = ""
    requested_by: str = ""
    due: Literal["", "overdue", "soon"] = ""
    policy: str = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    next: str = ""


class ApproversQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of `GET /approvers`; `next` comes from the page before."""

    limit: Annotated[int, Meta(ge=1, le=50)] = 25
    next: str = ""


class PoliciesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of `GET /policies`; `next` comes from the page before."""

    limit: Annotated[int, Meta(ge=1, le=50)] = 25
    next: str = ""


class PolicyQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of `GET /policies/{name}`: an older version; `check` asks SNS for each person."""

    version: Annotated[int, Meta(ge=1, le=2**31)] | UnsetType = UNSET
    check: Literal["", "yes"] = ""


class PolicyDeletion(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of `DELETE /policies/{name}`: the version that its sender has read."""

    replaces: Annotated[int, Meta(ge=0, le=2**31)] | UnsetType = UNSET


class PolicyWriting(PolicyDeletion, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The query of `PUT /policies/{name}`; nothing is written with `dryRun`."""

    dry_run: Literal["", "yes"] = ""


class ApprovalQuery(Struct, frozen=True):
    """The query of `GET /approvals/{id}`; `text` is the audit report."""

    format: Literal["json", "text"] = "json"


class ConfirmationForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator sends to confirm an approver: the URL of SNS's confirmation link."""

    url: Annotated[str, Meta(max_length=2_048)]
