"""The example's `app.py`, as Lambda loads it, and the events that AWS hands to its functions."""

from typing import Any
from urllib.parse import quote_plus

from chalice.local import LambdaContext

from tests.examples import loading
from tests.examples.document_release.world import BUCKET, World

CONTEXT = LambdaContext("a function", memory_size=256, max_runtime_ms=60_000)


def load(world: World) -> Any:
    """Return the module, with the world in the place of its wiring."""
    module = loading.load("document_release")
    module.wiring = world
    return module


def s3_event(key: str, version: str = "null") -> dict[str, Any]:
    """Return what S3 tells a function of a new object, as far as anybody reads it."""
    thing = {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key), "versionId": version}}
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": thing}]}
