"""DOORS: every function of the example. Parse, take one step, answer.

The steps are in `chalicelib/steps.py`. There is no route: documents come in through the bucket.
"""

import os
from typing import Any

from chalice.app import Chalice, S3Event

from chalicelib import steps
from chalicelib.documents import CHUNKS, INCOMING, Document
from chalicelib.wiring import Wiring

app = Chalice(app_name="document-release")
wiring = Wiring(os.environ)


@app.on_s3_event(wiring.bucket, prefix=INCOMING, name="start")
def start(event: S3Event) -> None:
    """Start an execution for each document that is put into `incoming/`."""
    if event.key.endswith("/"):
        return  # what the console makes of a new folder
    # Chalice decodes the key; the version is beside it.
    version = event.to_dict()["Records"][0]["s3"]["object"]["versionId"]
    steps.start(wiring, Document(event.key, version))


@app.lambda_function(name="split")
def split(event: Any, _: Any) -> None:
    """Cut the document of an execution into chunks."""
    steps.cut(wiring, event["execution"], Document(**event["document"]), event["taskToken"])


@app.on_s3_event(wiring.bucket, prefix=CHUNKS, name="look")
def look(event: S3Event) -> None:
    """Look at each chunk that is put into `chunks/`."""
    steps.look(wiring, event.key)


@app.lambda_function(name="summarise")
def summarise(event: Any, _: Any) -> dict[str, Any]:
    """Return what Assent is asked about the document of an execution."""
    document = Document(**event["document"])
    return steps.summarise(wiring, event["execution"], document, event["chunks"])


@app.lambda_function(name="release")
def release(event: Any, _: Any) -> dict[str, Any]:
    """Put an approved document into `released/`."""
    return steps.release(wiring, Document(**event["document"]))


@app.lambda_function(name="hold")
def hold(event: Any, _: Any) -> dict[str, Any]:
    """Put any other document into `held/`, with the reason."""
    document = Document(**event["document"])
    return steps.hold(wiring, event["execution"], document, event["because"])
