"""A measured process: one of the two apps, API Gateway's events, canned answers of AWS.

`python -m bench.measured_app NAME cold` answers one page and ends. `... warm` prints JSON: for a
page, a decision and a closing decision the median milliseconds and the AWS calls. PYTHONPATH has
the unpacked zip of the app first, then the checkout.
"""

import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, TypedDict

ROUNDS = 600
Json = dict[str, Any]
PATH_PARAMETERS = {"assent": "token", "bare": "key"}

Items = TypedDict("Items", {"token": str, "page": Json, "decision": Json, "closing decision": Json})
"""A link token, and the DynamoDB item that the app reads for each request."""


class Measured(TypedDict):
    """The median time of a request in milliseconds, and its AWS calls."""

    ms: float
    calls: int


def main(name: str, mode: str) -> None:
    """Measure one app; the items come on standard input."""
    items: Items = json.load(sys.stdin)
    app: Any = import_module("app")  # of the app that comes first in PYTHONPATH

    if mode == "cold":
        response = app.app(_event(name, "GET", items["token"]), None)
        sys.exit(0 if response["statusCode"] == 200 else f"{name} answered {response}")
    if name == "assent":
        # Here the log would write to standard output, which has the figures.
        app.answered.log = app.wiring.log = lambda *_, **__: None
    print(
        json.dumps(
            {
                "page": _measure(name, app, "GET", items["token"], items["page"]),
                "decision": _measure(name, app, "POST", items["token"], items["decision"]),
                "closing decision": _measure(
                    name, app, "POST", items["token"], items["closing decision"]
                ),
            }
        )
    )


def _measure(name: str, app: Any, method: str, token: str, item: Json) -> Measured:
    aws = CannedAws(item)
    aws.answer_for(_clients(name, app))
    event = _event(name, method, token)

    def call() -> Any:
        return app.app(event, None)

    milliseconds = _median_ms(call, name)
    aws.calls = 0
    call()
    return {"ms": milliseconds, "calls": aws.calls}


class CannedAws:
    """Answers every call of boto3 clients before it is sent, and counts the calls."""

    def __init__(self, item: Json) -> None:
        self.calls = 0
        self._item = json.dumps({"Item": item}).encode()

    def answer_for(self, clients: list[Any]) -> None:
        """Answer the calls of these clients from now on."""
        for client in clients:
            client.meta.events.unregister("before-send", unique_id="bench")
            client.meta.events.register("before-send", self._answer, unique_id="bench")

    def _answer(self, request: Any, **_: Any) -> Any:
        self.calls += 1
        target = request.headers["X-Amz-Target"]
        target = target.decode() if isinstance(target, bytes) else target
        return canned_response(request, self._item if target.endswith("GetItem") else b"{}")


def canned_response(request: Any, body: bytes) -> Any:
    """Return the response that a `before-send` handler gives botocore instead of sending."""
    from botocore.awsrequest import AWSResponse, HTTPHeaders  # noqa: PLC0415 (not in a cold start)

    headers = HTTPHeaders.from_dict({"content-type": "application/x-amz-json-1.0"})
    return AWSResponse(request.url, 200, headers, _Body(body))


class _Body(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def _clients(name: str, app: Any) -> list[Any]:
    if name == "bare":
        return [app.dynamodb(), app.stepfunctions()]
    return [app.wiring.store._client, app.wiring.executions._client]


def _median_ms(call: Callable[[], Any], name: str) -> float:
    response = call()
    if response["statusCode"] != 200:
        sys.exit(f"{name} answered {response}")
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return statistics.median(took) * 1000


def _event(name: str, method: str, token: str) -> Json:
    """Return API Gateway's event for `/approve/{...}`."""
    parameter = PATH_PARAMETERS[name]
    resource = f"/approve/{{{parameter}}}"
    return {
        "resource": resource,
        "path": f"/approve/{token}",
        "httpMethod": method,
        "headers": {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"},
        "multiValueQueryStringParameters": None,
        "pathParameters": {parameter: token},
        "stageVariables": None,
        "requestContext": {"resourcePath": resource, "httpMethod": method, "requestId": "bench"},
        "body": "reason=fine" if method == "POST" else None,
        "isBase64Encoded": False,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
