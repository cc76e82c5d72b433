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
        return _list(call, ports, console.signed_in(call, ports))
    visit, form = console.operators_form(call, ports, InviteForm)
    try:
        invited = approvers.invite(ports, clean(form.email))
    except (InvalidRequest, Refused) as e:
        error = InvalidRequest(e.message.removeprefix("approver: "), field="email")
        return _list(call, ports, visit, form.email, error)
    return _done(visit, "invite", invited["approver"])


def one(call: Call, ports: Ports, email: str) -> Reply:
    """Show an approver; POST changes something about them."""
    if call.method != "POST":
        visit, said = console.signed_in(call, ports), console.notice(call, ports, _DONE)
        return _one(ports, visit, _address(email), notice=said)
    visit, form = console.operators_form(call, ports, ApproverForm)
    address = _address(email)
    if form.change == "remove" and not form.confirmed:
        return console.reply(visit, removal_page(visit, approvers.seen(ports, address)))
    try:
        _act(ports, address, form, visit)
    except (InvalidRequest, Refused) as e:
        return _one(ports, visit, address, form, error=e)
    return _done(visit, form.change, "" if form.change == "remove" else address)


def _address(in_path: str) -> str:
    return check_address(unquote(in_path), "approver", ("*",))


def _done(visit: Visit, change: str, address: str) -> Reply:
    """Lead to the approver's page, or to the list if no address is given."""
    path = f"/approvers/{quote(address, safe='@')}" if address else "/approvers"
    return console.done(visit, path, change, {"change": change})


def _act(ports: Ports, address: str, form: ApproverForm, visit: Visit) -> None:
    by = visit.principal
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
    call: Call, ports: Ports, visit: Visit, typed: str = "", error: AssentError | None = None
) -> Reply:
    query = convert(call.query, ApproversQuery)
    web.check_place(query.next, "next")
    listed, after = approvers.list_seen(ports, ROWS, query.next)
    more = urlencode({"next": after}) if after else ""
    said = web.form_error(error, "Nobody was invited")
    notice = console.notice(call, ports, _DONE)
    page = approvers_page(visit, listed, more=more, email=typed, notice=notice, error=said)
    return console.reply(visit, page, error)


def _one(
    ports: Ports,
    visit: Visit,
    address: str,
    form: ApproverForm = _NOTHING_TYPED,
    *,
    notice: str = "",
    error: AssentError | None = None,
) -> Reply:
    page = approver_page(
        visit,
        approvers.seen(ports, address),
        listing.waiting_for(ports, address, ROWS).approvals,
        form.typed,
        notice=notice,
        error=web.form_error(error, "Nothing was changed"),
    )
    return console.reply(visit, page, error)
