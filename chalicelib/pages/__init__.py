"""CORE: approval -> HTML, for the people who follow a decision link.

Templates are the `.html` files beside this one, with `{names}` to fill. MarkupSafe fills them:
every value is escaped unless it is Markup made here. (Why not Jinja2: docs/decisions/0002.)
"""

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path

from markupsafe import Markup

from ..approval import Approval, Approver, Choice
from ..errors import AssentError
from ..wording import detail_rows, needed, past, progress, requester, was, when, withdrawn_because

_HERE = Path(__file__).parent
_EXPIRED = "This request has expired"
_LONG = 1_500
"""Details of more characters are folded, so that the button stays in sight."""
_STYLE = (_HERE / "style.css").read_text()

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}
"""What every page needs to be shown; the style is allowed by its hash, scripts not at all."""


def ask(
    approval: Approval,
    approver: Approver,
    choice: Choice,
    token: str,
    reason: str = "",
    error: str = "",
) -> str:
    """Return the page with the button that decides; `error` says why the last press didn't."""
    other: Choice = "reject" if choice == "approve" else "approve"
    must = approval.needs_reason(choice)
    return _page(
        f"{choice.capitalize()}: {approval.request.subject}",
        choice,
        _filled(
            "ask",
            subject=approval.request.subject,
            facts=_facts(approval),
            details=_details(approval),
            error=_error(error),
            code=_CODE if approval.request.code_required else "",
            reason_label="Reason (required)" if must else "Reason (optional)",
            required=Markup(" required") if must else "",
            # HTML drops a line break at the start of a textarea.
            reason="\n" + reason,
            button=choice.capitalize(),
            other=f"{other.capitalize()} instead",
            other_link=f"../{other}/{token}",
            token=token,
            address=approver.address,
        ),
    )


def answer(approval: Approval, approver: Approver, now: datetime) -> str:
    """Return the page for a link whose holder has nothing to decide (any more): what came of it."""
    own = approver.decision
    heading = _headline(approval, now)
    if approver.replaced_by is not None:
        heading = f"{approval.who_has_it(approver)} was asked instead of you"
    if own is None:
        late = approval.outcome == "expired" or heading == _EXPIRED
        lead = "It is too late to answer" if late else "No answer is needed from you any more"
        return _answer(approval, lead, heading, "", now)
    if approval.outcome in ("pending", past(own.choice)):
        lead, heading = f"Recorded on {when(own.decided_at)}", f"You {past(own.choice)} this"
        return _answer(approval, lead, heading, own.choice, now)
    # What came of it is what they came to see, where it isn't what they wanted.
    mood = {"approved": "approve", "rejected": "reject"}.get(approval.outcome, "")
    lead = f"You {past(own.choice)} it on {when(own.decided_at)}"
    return _answer(approval, lead, heading.removesuffix(" already"), mood, now)


def _answer(approval: Approval, lead: str, heading: str, mood: str, now: datetime) -> str:
    return _page(
        f"{heading}: {approval.request.subject}",
        mood,
        _filled(
            "answer",
            lead=lead,
            heading=heading,
            subject=approval.request.subject,
            text=_consequence(approval, now),
            decisions=_decisions(approval),
            facts=_facts(approval),
            details=_details(approval),
        ),
    )


def pass_on(
    approval: Approval,
    approver: Approver,
    token: str,
    to: str = "",
    note: str = "",
    error: str = "",
) -> str:
    """Return the page on which an approver names somebody to be asked instead."""
    return _page(
        f"Pass on: {approval.request.subject}",
        "",
        _filled(
            "pass",
            subject=approval.request.subject,
            error=_error(error),
            to=to,
            code=_CODE if approval.request.code_required else "",
            note="\n" + note,
            token=token,
            address=approver.address,
        ),
    )


def cancel(approval: Approval, requester: Approver, reason: str = "", error: str = "") -> str:
    """Return the page on which the requester withdraws the request."""
    return _page(
        f"Withdraw: {approval.request.subject}",
        "reject",
        _filled(
            "cancel",
            subject=approval.request.subject,
            facts=_facts(approval),
            details=_details(approval),
            error=_error(error),
            reason="\n" + reason,
            address=requester.address,
        ),
    )


def withdrawn(approval: Approval, now: datetime) -> str:
    """Return what the requester sees when there is nothing to withdraw (any more)."""
    heading = _headline(approval, now)
    return _answer(approval, "Your request", heading, "", now)


def problem(error: AssentError, reference: str) -> str:
    """Return the page for an error that isn't about one approval: a bad link, a fault."""
    heading = {404: "Nothing found here", 413: "That is too much text"}.get(
        error.status, "That didn't work" if error.status < 500 else "Please try again in a moment"
    )
    small = f"If you ask somebody about this, give them the reference {reference}."
    return _page(heading, "", _filled("notice", heading=heading, text=error.message, small=small))


_CODE = Markup(
    '<label for="code">Code from your mail</label>\n'
    '<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code"'
    ' maxlength="9" required>'
)


def _error(error: str) -> Markup:
    if not error:
        return Markup("")
    return Markup('<p class="error" role="alert">{}</p>').format(error)


def _headline(approval: Approval, now: datetime) -> str:
    if approval.outcome == "pending":
        return _EXPIRED if now >= approval.expires_at else "This is still open"
    return {
        "approved": "This was approved already",
        "rejected": "This was rejected already",
        "expired": _EXPIRED,
        "cancelled": "This request was withdrawn",
    }[approval.outcome]


def _consequence(approval: Approval, now: datetime) -> str:
    """Return what came of it, or what it waits for."""
    if approval.outcome == "pending" and now < approval.expires_at:
        return f"It waits for others now: {progress(approval)}."
    if approval.outcome in ("pending", "expired"):
        return f"Nobody can answer any more since {when(approval.expires_at)}."
    result = f"The request {was(approval)}. {withdrawn_because(approval)}".strip()
    if any(e.what == "resumed" and e.note for e in approval.events):
        return (
            f"{result} The workflow is not waiting any more: it was told, or had ended by itself."
        )
    told = "has been told." if approval.settled_at else "will be told within a few minutes."
    return f"{result} The workflow {told}"


def _facts(approval: Approval) -> Markup:
    rows = [
        ("Asked by", requester(approval)),
        ("Asked on", when(approval.created_at)),
        ("Answer by", when(approval.expires_at)),
        ("Needed", needed(approval)),
        ("So far", progress(approval)),
    ]
    row = Markup("<dt>{}</dt><dd>{}</dd>\n")
    return Markup("<dl>\n{}</dl>").format(_joined(row.format(*r) for r in rows))


def _details(approval: Approval) -> Markup:
    details = approval.request.details
    if not details:
        return Markup("")
    if isinstance(details, str):
        return _folded(Markup('<div class="prose" dir="auto">{}</div>').format(details))
    row = Markup('<tr><th scope="row" dir="auto">{}</th><td dir="auto">{}</td></tr>\n')
    rows = _joined(row.format(*r) for r in detail_rows(approval))
    return _folded(Markup("<table>\n{}</table>").format(rows))


def _folded(shown: Markup) -> Markup:
    """Return it as it is if it is short, behind one tap if it is long."""
    if len(shown) <= _LONG:
        return shown
    return Markup("<details><summary>Details</summary>\n{}\n</details>").format(shown)


def _decisions(approval: Approval) -> Markup:
    if not approval.decisions:
        return Markup("")
    reason = Markup('<span class="reason" dir="auto">{}</span>')
    item = Markup("<li><strong>{}</strong> {} on {}{}</li>\n")
    return Markup('<ul class="decisions">\n{}</ul>').format(
        _joined(
            item.format(
                a.address, past(d.choice), when(d.decided_at), d.reason and reason.format(d.reason)
            )
            for a, d in approval.decisions
        )
    )


def _page(title: str, mood: str, content: Markup) -> str:
    return str(
        _filled("layout", title=title, mood=mood, content=content, style=Markup(_STYLE))  # noqa: S704 (our own file)
    )


def _filled(template: str, **values: object) -> Markup:
    return _template(template).format(**values)


@cache
def _template(name: str) -> Markup:
    return Markup((_HERE / f"{name}.html").read_text())  # noqa: S704 (our own file)


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)
