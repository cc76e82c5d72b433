"""The console's pages of policies: the list, and one with its groups, rules and what waits."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ...domain.approval import Approval
from ...domain.policy import Group, Policy, PolicyVersion
from ..json_types import PersonJson
from ..pages.markup import NOTHING, Markup
from ..pages.parts import Page, facts, joined, notice_box
from ..wording import capital, duration, when
from .approvals import waiting_list
from .approvers import how_many, mail
from .frame import Visit, approver_link, console_page, fill, next_page, policy_link

Listed = tuple[PolicyVersion, int]
"""A policy, and how many requests wait under it."""

_ROW = Markup(
    '<tr><th scope="row">{}</th><td data-label="Groups">{}</td>'
    '<td data-label="Waits under it">{}</td><td data-label="Written">{}</td></tr>\n'
)
_GROUP = Markup(
    '<tr><th scope="row">{}</th><td data-label="Needed">{}</td>'
    '<td data-label="People">{}</td></tr>\n'
)
_PERSON = Markup('<span class="person">{}<span class="fact">{}</span></span>\n')
_TEXT = Markup('<p dir="auto">{}</p>\n')
_ALL = Markup('<p><a class="link" href="{}console?by=policy&amp;q={}">All that waits</a></p>\n')
_SAID = Markup("{}\n")
_NONE = Markup("<p>{}</p>\n")
_REASONS = {
    "never": "not required",
    "onReject": "required to reject",
    "always": "required",
}


def policies_page(visit: Visit, policies: Sequence[Listed], *, more: str) -> Page:
    """Return one page of the policies; `more` is the query of the next one, "" if none follows."""
    rows = joined(
        _ROW.format(
            policy_link(visit, one.name),
            groups_of(one.policy),
            how_many(waiting),
            f"version {one.version}, {when(one.written_at)}",
        )
        for one, waiting in policies
    )
    none = _NONE.format("There is no policy yet: each request names its approvers.")
    table = fill("policies_table", rows=rows) if policies else none
    content = fill("policies", table=table, more=next_page(more))
    return console_page(visit, "/policies", "Policies", content)


def policy_page(
    visit: Visit,
    stored: PolicyVersion,
    people: Sequence[PersonJson],
    problems: Sequence[str],
    waiting: Sequence[Approval],
    *,
    more: bool = False,
) -> Page:
    """Return the page of one policy, with whether mail reaches its people and what waits.

    `more` says that `waiting` isn't all of it.
    """
    policy = stored.policy
    by_address = {one["approver"].lower(): one for one in people}
    content = fill(
        "policy",
        root=visit.root,
        name=stored.name,
        description=_TEXT.format(policy.description) if policy.description else NOTHING,
        problems=joined(notice_box(f"{capital(one)}.") for one in problems),
        groups=joined(_group(visit, group, by_address) for group in policy.groups),
        rules=facts(_rules(visit, stored, by_address)),
        waiting=(waiting_list(visit, waiting) or _NONE.format("Nothing waits under it."))
        + (_ALL.format(visit.root, stored.name) if more else ""),
    )
    return console_page(visit, "/policies", f"Policy: {stored.name}", content)


def groups_of(policy: Policy) -> str:
    """Return what each group needs: `security 1 of 2, operations 2 of 3`."""
    return ", ".join(f"{group.name} {_needed(group)}" for group in policy.groups)


def _needed(group: Group) -> str:
    return f"{group.needed} of {len(group.approvers)}"


def _group(visit: Visit, group: Group, people: Mapping[str, PersonJson]) -> Markup:
    return _GROUP.format(group.name, _needed(group), _people(visit, group.approvers, people))


def _people(visit: Visit, addresses: Sequence[str], people: Mapping[str, PersonJson]) -> Markup:
    return joined(
        _PERSON.format(approver_link(visit, one), mail(people[one.lower()])) for one in addresses
    )


def _rules(
    visit: Visit, stored: PolicyVersion, people: Mapping[str, PersonJson]
) -> list[tuple[str, str | Markup]]:
    """Return what else the policy says, as labelled facts."""
    policy = stored.policy
    rules: list[tuple[str, str | Markup]] = [
        ("Requesters", ", ".join(policy.requesters) or "everybody"),
        ("Rejections", f"{policy.rejections_needed} to end it"),
        ("Reason", _REASONS[policy.reason_required]),
        ("Code", "required" if policy.code_required else "not required"),
        ("Self-approval", "allowed" if policy.allow_self_approval else "not allowed"),
    ]
    if policy.expires_in is not None:
        rules.append(("Longest wait", duration(timedelta(seconds=policy.expires_in))))
    if policy.remind_every is not None:
        rules.append(("Reminders", f"after {duration(timedelta(seconds=policy.remind_every))}"))
    if policy.escalation is not None:
        after = duration(timedelta(seconds=policy.escalation.after))
        group = policy.groups[policy.escalation_group].name
        asked = _people(visit, policy.escalation.approvers, people)
        said = _SAID.format(f"After {after} these are asked too, for {group}:")
        rules.append(("Escalation", said + asked))
    if policy.break_glass:
        alone = _SAID.format("These may approve alone, in an emergency:")
        rules.append(("Break-glass", alone + _people(visit, policy.break_glass, people)))
    written = f"version {stored.version}, {when(stored.written_at)}, by {stored.written_by}"
    return [*rules, ("Written", written)]
