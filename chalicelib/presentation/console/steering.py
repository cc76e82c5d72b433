"""The pages of a command: a form with its reason, and a second look before anything happens."""

from collections.abc import Mapping, Sequence

from ...domain.approval import Approval
from ..pages.fields import FormError, email_field, error_attributes, field_error, text_area
from ..pages.markup import NOTHING, Markup
from ..pages.parts import Page, about, facts, joined
from ..wording import count, when
from .frame import Visit, console_page, fill, options, token_field

UNITS = {"hours": 3_600, "days": 86_400}
"""Unit of a new deadline -> its seconds."""

_EFFECTS = {
    "remind": "Each approver who has not decided gets another mail, within a minute or two.",
    "extend": "The deadline moves. Approvers who were mailed get a reminder that names it.",
    "reassign": "The other person is mailed links of their own; the links of the first decide "
    "nothing any more.",
    "cancel": "The workflow fails as Cancelled, and requester and approvers are told. This can't "
    "be undone.",
}
"""Command -> what it does."""
_QUESTIONS = {
    "remind": "Remind the approvers?",
    "extend": "Extend the deadline?",
    "reassign": "Reassign this request?",
    "cancel": "Cancel this request?",
}
DONE = {
    "remind": "Approvers who have not decided get another mail within a minute or two.",
    "extend": "The deadline was moved.",
    "reassign": "The request was reassigned; the mail goes out within a minute or two.",
    "cancel": "The request was cancelled.",
}
"""Command -> what to say after it."""
NOT_DONE = {
    "remind": "No reminder was sent",
    "extend": "The deadline was not moved",
    "reassign": "The request was not reassigned",
    "cancel": "The request was not cancelled",
}
"""Command -> what to say first if it did nothing."""
_HIDDEN = Markup('<input type="hidden" name="{}" value="{}">\n')
_FROM = Markup(
    '<label for="from">Instead of</label>\n<select id="from" name="from">\n{}</select>\n'
)
_DEADLINE = Markup(
    '<div class="pair">\n<div><label for="number">New deadline, from now</label>\n{}'
    '<input id="number" name="number" type="number" min="1" max="8760" value="{}" required{}>'
    '</div>\n<div><label for="unit">Unit</label>\n<select id="unit" name="unit">\n{}</select>'
    "</div>\n</div>\n"
)
_FACTS = Markup("<dl>\n{}</dl>\n")
_QUOTE = Markup('<p class="author">{}:</p>\n<blockquote dir="auto">{}</blockquote>\n')


def command_page(
    visit: Visit,
    approval: Approval,
    command: str,
    typed: Mapping[str, str],
    error: FormError | None = None,
) -> Page:
    """Return the form of a command, with what was typed."""
    fields = [*_fields(approval, command, typed, error)]
    question = _QUESTIONS[command]
    content = _content(visit, approval, command, question, joined(fields), "Review")
    names = ("reason", "note", "from", "to", "number")
    return console_page(visit, "", question, content, error=error, fields=names)


def second_look_page(
    visit: Visit, approval: Approval, command: str, typed: Mapping[str, str], changed: Approval
) -> Page:
    """Return the page whose button does it; `changed` is the approval as it will be then."""
    rows = [*_facts(command, typed, approval, changed)]
    reason = typed["note"] if command == "reassign" else typed["reason"]
    label = "Your note to them" if command == "reassign" else "Your reason"
    shown = joined(
        (
            _FACTS.format(facts(rows)) if rows else NOTHING,
            _QUOTE.format(label, reason) if reason else NOTHING,
            *(_HIDDEN.format(*pair) for pair in typed.items()),
            _HIDDEN.format("confirmed", "yes"),
        )
    )
    question = _QUESTIONS[command]
    heading = f"Please look once more: {question[0].lower()}{question[1:]}"
    content = _content(visit, approval, command, heading, shown, question.rstrip("?"))
    return console_page(visit, "", heading, content)


def _content(
    visit: Visit, approval: Approval, command: str, heading: str, fields: Markup, button: str
) -> Markup:
    return fill(
        "command",
        question=heading,
        about=about(approval),
        effect=_EFFECTS[command],
        token=token_field(visit),
        fields=fields,
        principal=visit.principal,
        tone="reject" if command == "cancel" else "",
        button=button,
        back=f"{visit.root}console/approvals/{approval.id}",
    )


def _fields(
    approval: Approval, command: str, typed: Mapping[str, str], error: FormError | None
) -> Sequence[Markup]:
    reason = text_area("reason", "Reason, kept in the record", typed["reason"], error)
    if command == "extend":
        units = options({unit: unit for unit in UNITS}, typed["unit"] or "days")
        problem, attributes = field_error("number", error), error_attributes("number", error)
        return (_DEADLINE.format(problem, typed["number"], attributes, units), reason)
    if command == "reassign":
        people = {a.address: a.address for a in approval.undecided}
        return (
            _FROM.format(options(people, typed["from"])),
            email_field("to", "Ask instead (e-mail address)", typed["to"], error),
            text_area("note", "Note, mailed to them", typed["note"], error),
        )
    return (reason,)


def _facts(
    command: str, typed: Mapping[str, str], current: Approval, changed: Approval
) -> Sequence[tuple[str, str]]:
    if command == "extend":
        return [("Deadline now", when(current.expires_at)), ("New", when(changed.expires_at))]
    if command == "reassign":
        return [
            ("Instead of", typed["from"]),
            ("Ask", changed.asked_instead_of(changed.approver(typed["from"]))),
        ]
    if command == "remind":
        return [("Mail goes to", count(len(changed.undecided), "approver"))]
    return []
