"""The console's pages of approvers: does mail reach them, what waits for them, who stands in."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ...domain.approval import Approval
from ...domain.bounds import MOST_WAITING
from ..pages.fields import FormError, date_field, email_field, link_field, text_area
from ..pages.markup import NOTHING, Markup
from ..pages.parts import Page, joined
from ..wording import count, when
from .approvals import waiting_list
from .frame import Visit, approver_href, approver_link, console_page, fill, next_page, token_field

Listed = Mapping[str, Any]
"""An entry of `GET /approvers`."""

_MAIL = {
    "confirmed": "Confirmed: mail reaches them",
    "pending": "Invited, and has not confirmed",
    "none": "Not invited, or unsubscribed",
    "refused": "SNS refuses mail to them",
    "unknown": "SNS does not answer just now",
}
"""State of a subscription -> its words."""
_ROW = Markup(
    '<tr class="{}"><th scope="row">{}</th>'
    '<td data-label="Mail">{}</td><td data-label="Waits for them">{}</td>'
    '<td data-label="Delegate">{}</td></tr>\n'
)
_INVITE = Markup('<h2>Invite</h2>\n<form method="post">\n{}{}<button>Invite</button>\n</form>\n')
_ACTION = Markup(
    '<form method="post">\n{}<input type="hidden" name="change" value="{}">\n{}'
    '<button class="{}">{}</button>\n</form>\n'
)
_NOBODY = Markup("<p>Nobody has been invited yet.</p>\n")
_TEXT = Markup("<p>{}</p>\n")
_HEADED = Markup("<h2>{}</h2>\n{}")
_CONFIRMED = Markup('<input type="hidden" name="confirmed" value="yes">\n')


def approvers_page(
    visit: Visit,
    approvers: Sequence[Listed],
    *,
    more: str,
    email: str = "",
    notice: str = "",
    error: FormError | None = None,
) -> Page:
    """Return one page of the approvers; `more` is the query of the next one, "" if there is none.

    `email` is what was typed to invite somebody.
    """
    rows = joined(
        _ROW.format(
            _tone(one),
            approver_link(visit, one["approver"]),
            mail(one),
            how_many(one["waiting"]),
            absence(one),
        )
        for one in approvers
    )
    field = email_field("email", "E-mail address", email, error)
    invite = _INVITE.format(token_field(visit), field) if visit.may_operate else NOTHING
    table = fill("approvers_table", rows=rows) if approvers else _NOBODY
    content = fill("approvers", table=table, more=next_page(more), invite=invite)
    return console_page(
        visit, "/approvers", "Approvers", content, notice=notice, error=error, fields=("email",)
    )


def approver_page(
    visit: Visit,
    listed: Listed,
    waiting: Sequence[Approval],
    typed: Mapping[str, str],
    *,
    notice: str = "",
    error: FormError | None = None,
) -> Page:
    """Return the page of one approver, with what was typed into its forms."""
    content = fill(
        "approver",
        root=visit.root,
        address=listed["approver"],
        mail=mail(listed),
        absence=absence(listed) or "nobody",
        waits=how_many(listed["waiting"]),
        waiting=waiting_list(visit, waiting),
        actions=_actions(visit, listed, typed, error) if visit.may_operate else "",
    )
    title = f"Approver: {listed['approver']}"
    fields = ("url", "delegate", "from", "until", "reason")
    return console_page(
        visit, "/approvers", title, content, notice=notice, error=error, fields=fields
    )


def removal_page(visit: Visit, listed: Listed) -> Page:
    """Return the page whose button removes an approver."""
    content = fill(
        "removal",
        address=listed["approver"],
        back=approver_href(visit, listed["approver"]),
        waits=how_many(listed["waiting"]),
        button=_ACTION.format(
            token_field(visit), "remove", _CONFIRMED, "reject", "Remove this approver"
        ),
    )
    return console_page(visit, "/approvers", "Please look once more: remove?", content)


def mail(listed: Listed) -> str:
    """Return whether mail reaches an approver."""
    said = _MAIL[listed["subscription"]]
    return f"{said} ({listed['refusal']})" if "refusal" in listed else said


def absence(listed: Listed) -> str:
    """Return who decides in an approver's place, and when; "" if nobody."""
    away = listed.get("absence")
    if not away:
        return ""
    first, last = (
        when(datetime.fromisoformat(away[name]).astimezone(UTC)) for name in ("from", "until")
    )
    return f"{away['delegate']}, from {first} until {last}"


def _actions(
    visit: Visit, listed: Listed, typed: Mapping[str, str], error: FormError | None
) -> Markup:
    token, pending = token_field(visit), listed["subscription"] == "pending"
    parts = []
    if listed["subscription"] != "confirmed":
        said = _TEXT.format(
            "AWS mails them a link, which they have to follow. An invitation lasts three days."
        )
        invite = _ACTION.format(
            token, "invite", NOTHING, "", "Invite again" if pending else "Invite"
        )
        link = link_field("url", "Or paste the link of their invitation", typed["url"], error)
        confirm = _ACTION.format(token, "confirm", link, "outline", "Confirm for them")
        parts.append(_HEADED.format("Invitation", said + invite + confirm))
    away = listed.get("absence")
    label = f"E-mail address of {'another' if away else 'the'} delegate"
    fields = joined(
        (
            email_field("delegate", label, typed["delegate"], error),
            date_field(
                "from",
                "First day, in UTC (empty: from now on)",
                typed["from"],
                error,
                required=False,
            ),
            date_field("until", "Last day, in UTC", typed["until"], error, required=True),
            text_area("reason", "Reason", typed["reason"], error),
        )
    )
    delegate = _ACTION.format(token, "delegate", fields, "", "Delegate")
    end = (
        _ACTION.format(token, "end", NOTHING, "outline", "End the delegation") if away else NOTHING
    )
    parts.append(_HEADED.format("While they are away", end + delegate))
    remove = _ACTION.format(token, "remove", NOTHING, "reject outline", "Remove …")
    return joined((*parts, _HEADED.format("Remove", remove)))


def how_many(waiting: int) -> str:
    """Return how many requests wait; more than MOST_WAITING aren't counted."""
    return f"{count(waiting, 'request')}{' or more' if waiting >= MOST_WAITING else ''}"


def _tone(listed: Listed) -> str:
    return "asked" if listed["subscription"] == "confirmed" else "late"
