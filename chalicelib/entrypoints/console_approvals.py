"""Approvals in the console: the lists, one approval, and the commands that change it.

A command's form leads to a page that shows what will happen; the button of that page does it.
"""

import re
from typing import Literal
from urllib.parse import urlencode

from msgspec import Struct

from ..application import listing, operating
from ..application.listing import ApprovalsPage
from ..application.ports import Ports
from ..domain.approval import Approval
from ..domain.commands import Cancel, Command, Extend, Reassign, Remind
from ..domain.decoding import convert
from ..domain.errors import (
    AlreadyDecided,
    AssentError,
    Cancelled,
    Expired,
    InvalidRequest,
    NotFound,
)
from ..domain.execution_history import ExecutionHistory
from ..domain.texts import clean
from ..presentation.console import approval as one_approval
from ..presentation.console import steering
from ..presentation.console.approvals import Wanted, approvals_page
from ..presentation.console.frame import Visit
from . import console, web
from .console import ConsoleForm
from .web import Call, Reply

ROWS = 25
"""Approvals on one page of a list."""
_NUMBER = re.compile(r"[0-9]{1,5}")
_OVER = (AlreadyDecided, Cancelled, Expired)


class ListQuery(Struct, frozen=True):
    """The query of the list: one of the lists, or what is looked for, and where the page begins."""

    show: Literal["waiting", "overdue", "soon", "decided"] = "waiting"
    by: Literal["approver", "requester", "id", "execution", "policy"] = "approver"
    q: str = ""
    next: str = ""


class CommandForm(ConsoleForm, frozen=True, rename={"from_": "from"}):
    """What an operator types for a command; nothing happens until `confirmed`."""

    reason: str = ""
    number: str = ""
    unit: Literal["", "hours", "days"] = ""
    from_: str = ""
    to: str = ""
    note: str = ""
    confirmed: Literal["", "yes"] = ""

    @property
    def typed(self) -> dict[str, str]:
        """The fields that a page shows again, by name."""
        return {
            "reason": self.reason,
            "number": self.number,
            "unit": self.unit,
            "from": clean(self.from_),
            "to": self.to,
            "note": self.note,
        }


def approvals(call: Call, ports: Ports) -> Reply:
    """Show a list of approvals, or those that are looked for."""
    visit = console.signed_in(call, ports)
    query = convert(call.query, ListQuery, strict=False)
    web.check_place(query.next, "next")
    wanted, error = Wanted(query.show, query.by, clean(query.q)), None
    try:
        page = _search(ports, wanted, query.next) if wanted.text else _list(ports, query)
    except InvalidRequest as e:
        message = e.message.removeprefix(f"{e.field}: ")
        page, error = ApprovalsPage([], ""), InvalidRequest(message, field="q")
    following = {"by": wanted.by, "q": wanted.text} if wanted.text else {"show": wanted.show}
    more = urlencode(following | {"next": page.after}) if page.after else ""
    shown = approvals_page(
        visit, wanted, page.approvals, more=more, error=web.form_error(error, "Nothing was found")
    )
    return console.reply(visit, shown, error)


def approval(call: Call, ports: Ports, approval_id: str) -> Reply:
    """Show one approval."""
    visit = console.signed_in(call, ports)
    current = operating.find_approval(ports, approval_id)
    history = operating.find_history(ports, current)
    said = console.notice(call, ports, steering.DONE)
    return _approval(visit, current, history=history, notice=said)


def command(call: Call, ports: Ports, approval_id: str, name: str) -> Reply:
    """Show the form of a command; POST shows what it will do, and once confirmed does it."""
    if call.method == "POST":
        return _press(call, ports, approval_id, name)
    visit = console.signed_in(call, ports)
    _check_name(name)
    console.check_may_operate(visit)
    current = operating.find_approval(ports, approval_id)
    if current.outcome != "pending":
        return _approval(visit, current, notice="This request is not open any more.")
    return _form(visit, current, name, CommandForm())


def _press(call: Call, ports: Ports, approval_id: str, name: str) -> Reply:
    """Answer the button of a command's form, or of the second look at it."""
    visit, form = console.operators_form(call, ports, CommandForm)
    _check_name(name)
    by = visit.principal
    try:
        wanted = _command(name, form)
        if form.confirmed:
            operating.change(ports, approval_id, wanted, by=by, via="console", principal=by)
            return console.done(visit, f"/approvals/{approval_id}", name, {"command": name})
        current, changed = operating.preview(ports, approval_id, wanted, by=by, via="console")
    except _OVER as e:
        current = operating.find_approval(ports, approval_id)
        return _approval(visit, current, error=e, heading=steering.NOT_DONE[name])
    except InvalidRequest as e:
        return _form(visit, operating.find_approval(ports, approval_id), name, form, e)
    if changed == current:
        return _approval(visit, current)  # done already
    look = steering.second_look_page(visit, current, name, form.typed, changed)
    return console.reply(visit, look)


def _check_name(name: str) -> None:
    if name not in one_approval.COMMANDS:
        raise NotFound("The console has no such page.")


def _form(
    visit: Visit,
    current: Approval,
    name: str,
    form: CommandForm,
    error: InvalidRequest | None = None,
) -> Reply:
    said = web.form_error(error, steering.NOT_DONE[name])
    if said is not None and said.field == "expiresIn":
        said = said._replace(field="number")  # the page's name of it
    return console.reply(
        visit, steering.command_page(visit, current, name, form.typed, said), error
    )


def _list(ports: Ports, query: ListQuery) -> ApprovalsPage:
    match query.show:
        case "overdue":
            return listing.overdue(ports, ROWS, query.next)
        case "soon":
            return listing.due_soon(ports, ROWS, query.next)
        case "decided":
            return listing.decided(ports, ROWS, query.next)
        case _:
            return listing.by_outcome(ports, "pending", ROWS, query.next)


def _search(ports: Ports, wanted: Wanted, after: str) -> ApprovalsPage:
    match wanted.by:
        case "approver":
            return listing.waiting_for(ports, wanted.text, ROWS, after)
        case "requester":
            return listing.requested_by(ports, wanted.text, ROWS, after)
        case "policy":
            return listing.waiting_under(ports, wanted.text, ROWS, after)
        case "execution":
            return listing.of_execution(ports, wanted.text)
        case _:
            return listing.with_id(ports, wanted.text)


def _command(name: str, form: CommandForm) -> Command:
    match name:
        case "extend":
            number = form.number.strip()
            if not _NUMBER.fullmatch(number) or not 1 <= int(number) <= 8_760:
                raise InvalidRequest("expiresIn: is a number from 1 to 8760", field="expiresIn")
            seconds = int(number) * steering.UNITS[form.unit or "days"]
            return convert({"expiresIn": seconds, "reason": form.reason}, Extend)
        case "reassign":
            sent = {"from": clean(form.from_), "to": clean(form.to), "note": form.note}
            return convert(sent, Reassign)
        case "remind":
            return Remind(reason=form.reason)
        case _:
            return Cancel(reason=form.reason)


def _approval(
    visit: Visit,
    current: Approval,
    *,
    history: ExecutionHistory | None = None,
    notice: str = "",
    error: AssentError | None = None,
    heading: str = "",
) -> Reply:
    said = web.form_error(error, heading)
    page = one_approval.approval_page(visit, current, history, notice=notice, error=said)
    return console.reply(visit, page, error)
