"""Approvers in the console: the list, and one person to invite, confirm, delegate for or remove."""

from typing import Literal
from urllib.parse import quote, unquote, urlencode

from msgspec import Struct

from ..application import approvers, listing
from ..application.ports import Ports
from ..domain.addresses import check_address
from ..domain.decoding import convert
from ..domain.delegation import form_of_days
from ..domain.errors import AssentError, InvalidRequest, Refused
from ..domain.texts import clean
from ..presentation.console.approvers import approver_page, approvers_page, removal_page
from ..presentation.console.frame import Visit
from . import console, web
from .console import ConsoleForm
from .web import Call, Reply

ROWS = 25
"""Approvers on one page: each costs two calls of SNS."""
_DONE = {
    "invite": "Invited: AWS has sent them a mail with a link.",
    "confirm": "Confirmed: mail reaches them.",
    "delegate": "The delegation is stored; both people are told by mail.",
    "end": "The delegation is over.",
    "remove": "The approver is removed.",
}
"""Change -> what to say after it."""


class ApproversQuery(Struct, frozen=True):
    """Where the page of the list begins."""

    next: str = ""


class InviteForm(ConsoleForm, frozen=True):
    """Whom to invite."""

    email: str = ""


class ApproverForm(ConsoleForm, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What an operator sends for one approver; removing happens once it is `confirmed`."""

    change: Literal["invite", "confirm", "delegate", "end", "remove"]
    url: str = ""
    delegate: str = ""
    from_: str = ""
    until: str = ""
    reason: str = ""
    confirmed: Literal["", "yes"] = ""

    @property
    def typed(self) -> dict[str, str]:
        """The fields that a page shows again, by name."""
        return {
            "url": self.url,
            "delegate": self.delegate,
            "from": self.from_,
            "until": self.until,
            "reason": self.reason,
        }


_NOTHING_TYPED = ApproverForm(change="invite")


def everybody(call: Call, ports: Ports) -> Reply:
    """Show the approvers; POST invites somebody."""
    if call.method != "POST":
        return _list(call, ports, console.visit(call, ports))
    found, form = console.operators_form(call, ports, InviteForm)
    try:
        invited = approvers.invite(ports, clean(form.email))
    except (InvalidRequest, Refused) as e:
        error = InvalidRequest(e.message.removeprefix("approver: "), field="email")
        return _list(call, ports, found, form.email, error)
    return _done(found, "invite", invited["approver"])


def one(call: Call, ports: Ports, email: str) -> Reply:
    """Show an approver; POST changes something about them."""
    found = console.visit(call, ports)
    address = check_address(unquote(email), "approver", ("*",))
    if call.method != "POST":
        return _one(ports, found, address, notice=console.notice(call, ports, _DONE))
    found, form = console.operators_form(call, ports, ApproverForm)
    if form.change == "remove" and not form.confirmed:
        return console.reply(found, removal_page(found, approvers.seen(ports, address)))
    try:
        _act(ports, address, form, found)
    except (InvalidRequest, Refused) as e:
        return _one(ports, found, address, form, error=e)
    return _done(found, form.change, "" if form.change == "remove" else address)


def _done(found: Visit, change: str, address: str) -> Reply:
    """Lead to the approver's page, or to the list if no address is given."""
    path = f"/approvers/{quote(address, safe='@')}" if address else "/approvers"
    return console.done(found, path, change, {"change": change})


def _act(ports: Ports, address: str, form: ApproverForm, found: Visit) -> None:
    by = found.principal
    match form.change:
        case "invite":
            approvers.invite(ports, address)
        case "confirm":
            approvers.confirm(ports, address, clean(form.url))
        case "delegate":
            sent = form_of_days(
                clean(form.delegate),
                first=form.from_,
                last=form.until,
                reason=form.reason,
                now=ports.now(),
            )
            check_address(address, "approver", ports.approver_domains)
            approvers.store_delegation(ports, address, sent, by=by, principal=by)
        case "end":
            approvers.end_delegation(ports, address, by=by, principal=by)
        case "remove":
            approvers.forget(ports, address)


def _list(
    call: Call, ports: Ports, found: Visit, typed: str = "", error: AssentError | None = None
) -> Reply:
    query = convert(call.query, ApproversQuery)
    web.check_place(query.next, "next")
    listed, after = approvers.list_seen(ports, ROWS, query.next)
    more = urlencode({"next": after}) if after else ""
    said = web.form_error(error, "Nobody was invited")
    notice = console.notice(call, ports, _DONE)
    page = approvers_page(found, listed, more=more, email=typed, notice=notice, error=said)
    return console.reply(found, page, error)


def _one(
    ports: Ports,
    found: Visit,
    address: str,
    form: ApproverForm = _NOTHING_TYPED,
    *,
    notice: str = "",
    error: AssentError | None = None,
) -> Reply:
    page = approver_page(
        found,
        approvers.seen(ports, address),
        listing.waiting_for(ports, address, ROWS).approvals,
        form.typed,
        notice=notice,
        error=web.form_error(error, "Nothing was changed"),
    )
    return console.reply(found, page, error)
