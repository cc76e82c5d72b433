"""The API's description: made from the types that validate, and true of routes and documents."""

from typing import Any

import msgspec
import pytest

import app
from tools import openapi
from tools.openapi_examples import EXAMPLES

CHECKOUT = openapi.CHECKOUT
OLD_NAMES = {"/pass/{token}", "/mine/{token}"}
"""What unreleased versions called two pages: their links work, and nobody writes new ones."""
CUT_LINKS = {"/", "/approve", "/reject", "/reassign", "/inbox", "/delegation", "/cancel"}
"""Links without their token: they lead nowhere, in our words."""
KINDS = {kind.__name__: kind for kind in openapi._KINDS}


def methods() -> set[tuple[str, str]]:
    """Return method and path of every route but these and the console's pages, as described."""
    return {
        (method.lower(), path)
        for path, found in app.app.routes.items()
        for method in found
        if path not in OLD_NAMES | CUT_LINKS and method != "HEAD"
        if found[method].authorizer or not path.startswith("/console")
    }


@pytest.mark.parametrize("path", openapi.PATHS, ids=lambda path: path.parent.name)
def test_the_description_is_the_one_that_make_openapi_writes(path: Any) -> None:
    """For readers and as the API serves it: the same file."""
    assert path.read_text("utf-8") == openapi.text(), "run `make openapi`"


def test_every_route_is_described_and_no_other() -> None:
    described = {(operation.method, operation.path) for operation in openapi.ALL}
    assert described == methods()


def test_the_routes_that_iam_protects_say_so() -> None:
    signed = {
        (method.lower(), path)
        for path, found in app.app.routes.items()
        for method, route in found.items()
        if route.authorizer
    }
    assert {(operation.method, operation.path) for operation in openapi.OPERATORS} == signed


def test_the_documentation_names_every_route() -> None:
    """As a reader looks for it, `{id}` for the approval's id and `{address}` for an approver."""
    documented = (CHECKOUT / "docs" / "api.md").read_text("utf-8")
    for operation in openapi.ALL:
        path = operation.path.replace("{approval_id}", "{id}")
        assert f"{path}`" in documented or f"{path}?" in documented, path


def test_every_error_of_the_description_is_documented() -> None:
    documented = (CHECKOUT / "docs" / "api.md").read_text("utf-8")
    for code, kind in openapi.ERRORS.items():
        if code in openapi.text():
            assert f"| {kind.status} | `{code}` |" in documented


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_it_is_an_example_of(name: str) -> None:
    """The types that validate take it."""
    read = msgspec.convert(EXAMPLES[name], KINDS[name])
    assert msgspec.to_builtins(read).keys() <= EXAMPLES[name].keys() | {
        field.encode_name for field in _fields(KINDS[name])
    }


def _fields(kind: Any) -> tuple[Any, ...]:
    return msgspec.structs.fields(kind) if issubclass(kind, msgspec.Struct) else ()


def test_everything_that_is_sent_or_answered_has_an_example() -> None:
    without = {"ReassignedLinkJson", "BulkDecisionJson", "RequesterLinkJson", "dict"}
    assert KINDS.keys() - EXAMPLES.keys() == without
