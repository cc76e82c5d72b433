"""The example's `app.py`, as Lambda loads it, and the events that its functions get."""

from typing import Any
from urllib.parse import quote_plus

from chalice.local import LambdaContext

from tests.integration.examples.document_release.moto_wiring import BUCKET, MotoWiring
from tests.unit.examples import loading

CONTEXT = LambdaContext("a function", memory_size=256, max_runtime_ms=60_000)


def load(wiring: MotoWiring) -> Any:
    """Return the module `app` with this wiring in place of its own."""
    module = loading.load("document_release")
    module.wiring = wiring
    return module


def s3_event(key: str, version: str = "null") -> dict[str, Any]:
    """Return S3's event about a new object, with the fields that Chalice and the example read."""
    s3 = {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key), "versionId": version}}
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]}
