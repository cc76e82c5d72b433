"""The routes of policies: list, read, write and delete; JSON, for the people who may."""

from msgspec import UNSET, UnsetType

from ..application import policies
from ..application.ports import Ports
from ..domain.decoding import convert
from ..presentation.policy_json import policy_view
from . import web
from .forms import PoliciesQuery, PolicyDeletion, PolicyQuery, PolicyWriting
from .web import Call, Reply


def list_policies(call: Call, ports: Ports) -> Reply:
    """Answer with a page of policies, each with how many requests wait under it."""
    query = convert(call.query, PoliciesQuery, strict=False)
    web.check_place(query.next, "next")
    found, more = policies.list_policies(ports, query.limit, query.next)
    listed = [{**policy_view(one), "waiting": waiting} for one, waiting in found]
    return web.json({"policies": listed, "next": more or None})


def get_policy(call: Call, ports: Ports, name: str) -> Reply:
    """Answer with a policy, or a version of it; with `check`, whether mail reaches its people."""
    query = convert(call.query, PolicyQuery, strict=False)
    found = policies.find_policy(ports, name, _given(query.version))
    view = policy_view(found)
    if query.version is UNSET:
        view["waiting"] = policies.count_waiting(ports, name)
    if query.check:
        view["people"], view["problems"] = policies.look_at_people(ports, found.policy)
    return web.json(view)


def put_policy(call: Call, ports: Ports, name: str) -> Reply:
    """Write a new version of a policy; with `dryRun` answer as if it had been written."""
    query = convert(call.query, PolicyWriting, strict=False)
    written = policies.write_policy(
        ports,
        name,
        call.json(),
        replaces=_given(query.replaces),
        by=call.caller,
        dry_run=bool(query.dry_run),
    )
    return web.json(policy_view(written))


def delete_policy(call: Call, ports: Ports, name: str) -> Reply:
    """Delete a policy; what waits under it goes on."""
    query = convert(call.query, PolicyDeletion, strict=False)
    policies.remove_policy(ports, name, replaces=_given(query.replaces), by=call.caller)
    return Reply("", 204, web.HEADERS)


def _given(number: int | UnsetType) -> int | None:
    return None if number is UNSET else number
