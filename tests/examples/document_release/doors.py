"""The example's `app.py`, as Lambda loads it, and the events that AWS hands to its functions."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any
from urllib.parse import quote_plus

import pytest
from chalice.local import LambdaContext

from tests.examples.document_release.world import BUCKET, ENVIRONMENT, EXAMPLE, World

CONTEXT = LambdaContext("a function", memory_size=256, max_runtime_ms=60_000)
_PACKAGE = "examples.document_release.chalicelib"


def load(monkeypatch: pytest.MonkeyPatch, world: World) -> Any:
    """Return the module, with the world in the place of its wiring.

    In Lambda its `chalicelib` is the only one; here Assent's has the name, and lends it.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == "chalicelib"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("", ".steps", ".documents", ".wiring"):
        monkeypatch.setitem(sys.modules, f"chalicelib{name}", import_module(_PACKAGE + name))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    spec = spec_from_file_location("document_release_app", EXAMPLE / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.wiring = world  # type: ignore[attr-defined]  # whatever a module holds
    return module


def s3_event(key: str, version: str = "null") -> dict[str, Any]:
    """Return what S3 tells a function of a new object, as far as anybody reads it."""
    thing = {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key), "versionId": version}}
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": thing}]}
