"""Policies in the console: the list, and one with what waits under it. Nothing is changed here."""

from urllib.parse import unquote, urlencode

from msgspec import Struct

from ..application import listing, policies
from ..application.ports import Ports
from ..domain.decoding import convert
from ..domain.errors import InvalidRequest, NotFound
from ..presentation.console.policies import policies_page, policy_page
from . import console, web
from .web import Call, Reply

ROWS = 25


class PageQuery(Struct, frozen=True):
    """Where the page of the list begins."""

    next: str = ""


def everything(call: Call, ports: Ports) -> Reply:
    """Show the policies."""
    visit = console.signed_in(call, ports)
    query = convert(call.query, PageQuery)
    web.check_place(query.next, "next")
    found, after = policies.list_policies(ports, ROWS, query.next)
    more = urlencode({"next": after}) if after else ""
    return console.reply(visit, policies_page(visit, found, more=more))


def one(call: Call, ports: Ports, name: str) -> Reply:
    """Show a policy."""
    visit = console.signed_in(call, ports)
    try:
        found = policies.find_policy(ports, unquote(name))
    except InvalidRequest:
        raise NotFound("There is no policy of that name: none can have it.") from None
    people, problems = policies.look_at_people(ports, found.policy)
    waiting, after = listing.waiting_under(ports, found.name, ROWS)
    page = policy_page(visit, found, people, problems, waiting, more=bool(after))
    return console.reply(visit, page)
