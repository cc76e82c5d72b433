"""Runs inside a measured process: one of the two apps, the events it gets, AWS answered at once.

`python -m bench.subject NAME cold` answers one page and ends; `... warm` prints JSON with the
median milliseconds and the AWS calls of a page, a vote and a closing vote. The unpacked zip is the
first entry of PYTHONPATH; the checkout comes after it.
"""

import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

ROUNDS = 600
Json = dict[str, Any]
PATHS = {"assent": "token", "bare": "key"}


def main(name: str, temperature: str) -> None:
    """Measure one app; the canned items come on standard input."""
    items: Json = json.load(sys.stdin)
    app: Any = import_module("app")  # what is measured; which one, PYTHONPATH says

    if temperature == "cold":
        answer = app.app(_event(name, "GET", items["path"]), None)
        sys.exit(0 if answer["statusCode"] == 200 else f"{name} answered {answer}")
    if name == "assent":
        app.wiring.log = lambda *_, **__: None  # a line of log is a line in a file, not in Lambda
    measured: Json = {}
    for what, method in (("page", "GET"), ("vote", "POST"), ("closing vote", "POST")):
        aws = Aws(items[what])
        aws.answer_for(_clients(name, app))
        event = _event(name, method, items["path"])

        def call(event: Json = event) -> Any:
            return app.app(event, None)

        milliseconds = _median_ms(call, name)
        aws.calls = 0
        call()
        measured[what] = {"ms": milliseconds, "calls": aws.calls}
    print(json.dumps(measured))


class Aws:
    """Answers every call of a client before it is sent, and counts."""

    def __init__(self, item: Json) -> None:
        self.calls = 0
        self._item = json.dumps({"Item": item}).encode()

    def answer_for(self, clients: list[Any]) -> None:
        """Answer these clients' calls from now on."""
        for client in clients:
            client.meta.events.unregister("before-send", unique_id="bench")
            client.meta.events.register("before-send", self._answer, unique_id="bench")

    def _answer(self, request: Any, **_: Any) -> Any:
        self.calls += 1
        target = request.headers["X-Amz-Target"]
        target = target.decode() if isinstance(target, bytes) else target
        return answer(request, self._item if target.endswith("GetItem") else b"{}")


def answer(request: Any, body: bytes) -> Any:
    """Return what botocore takes for AWS's answer, without sending anything."""
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
    answer = call()
    if answer["statusCode"] != 200:
        sys.exit(f"{name} answered {answer}")
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return statistics.median(took) * 1000


def _event(name: str, method: str, path: str) -> Json:
    """Return what API Gateway hands to the function for `/approve/{...}`."""
    resource = f"/approve/{{{PATHS[name]}}}"
    return {
        "resource": resource,
        "path": f"/approve/{path}",
        "httpMethod": method,
        "headers": {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"},
        "multiValueQueryStringParameters": None,
        "pathParameters": {PATHS[name]: path},
        "stageVariables": None,
        "requestContext": {"resourcePath": resource, "httpMethod": method, "requestId": "bench"},
        "body": "reason=fine" if method == "POST" else None,
        "isBase64Encoded": False,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
