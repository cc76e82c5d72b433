"""Every Lambda function of the example. Each parses its event and calls one step of `steps.py`.

There are no HTTP routes: documents are uploaded to the bucket.
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
    """Start an execution for each document that is uploaded to `incoming/`."""
    if event.key.endswith("/"):
        return  # the S3 console makes such an object for a new folder
    # Chalice decodes the key, but doesn't offer the version.
    version = event.to_dict()["Records"][0]["s3"]["object"]["versionId"]
    steps.start(wiring, Document(event.key, version))


@app.lambda_function(name="split")
def split(event: Any, _: Any) -> None:
    """Split the document of an execution into chunks."""
    steps.split(wiring, event["execution"], Document(**event["document"]), event["taskToken"])


@app.on_s3_event(wiring.bucket, prefix=CHUNKS, name="look")
def look(event: S3Event) -> None:
    """Scan a chunk that was written to `chunks/`."""
    steps.look(wiring, event.key)


@app.lambda_function(name="summarise")
def summarise(event: Any, _: Any) -> dict[str, Any]:
    """Return the request to Assent for the document of an execution."""
    document = Document(**event["document"])
    return steps.summarise(wiring, event["execution"], document, event["chunks"])


@app.lambda_function(name="release")
def release(event: Any, _: Any) -> dict[str, Any]:
    """Copy an approved document to `released/`."""
    return steps.release(wiring, Document(**event["document"]))


@app.lambda_function(name="hold")
def hold(event: Any, _: Any) -> dict[str, Any]:
    """Copy any other document to `held/`, with the reason."""
    document = Document(**event["document"])
    return steps.hold(wiring, event["execution"], document, event["because"])
