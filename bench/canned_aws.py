"""AWS with prepared answers: as a server on loopback, or in the process that calls it."""

import io
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs

from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.httpsession import URLLib3Session

from bench.environment import ENVIRONMENT
from chalicelib.adapters.sns import SnsMailer
from chalicelib.adapters.topic_policy import topic_policy

Answers = dict[str, str]
"""Operation -> the body of its answer."""

PREPARED: Answers = {
    "GetItem": "{}",
    "BatchGetItem": '{"Responses": {}}',
    "PutItem": "{}",
    "TransactWriteItems": "{}",
    "Query": '{"Items": [], "Count": 0, "ScannedCount": 0}',
    "PutEvents": '{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}',
    "SendTaskSuccess": "{}",
    "SendTaskFailure": "{}",
    "DescribeExecution": """{"executionArn": "bench", "stateMachineArn": "bench", "startDate": 0,
        "status": "RUNNING", "name": "release-42"}""",
    "Publish": "<R><PublishResult><MessageId>1</MessageId></PublishResult></R>",
}
SERVICES = {
    "dynamodb": ("GetItem", "BatchGetItem", "Query", "PutItem", "TransactWriteItems"),
    "sns": ("Publish", "GetTopicAttributes", "ListSubscriptionsByTopic"),
    "states": ("SendTaskSuccess", "SendTaskFailure", "DescribeExecution"),
    "events": ("PutEvents",),
}
"""Service -> the operations that are called here."""
SERVICE_OF = {name: service for service, names in SERVICES.items() for name in names}


def latency(operation: str) -> float:
    """Return the seconds that a call takes: assumed."""
    if SERVICE_OF[operation] != "dynamodb":
        return 0.030
    return 0.010 if operation == "TransactWriteItems" else 0.005


_TOPIC = """<R><GetTopicAttributesResult><Attributes>
<entry><key>Policy</key><value>{policy}</value></entry>
</Attributes></GetTopicAttributesResult></R>"""
"""A topic that needs no mending."""
_SUBSCRIPTIONS = """<R><ListSubscriptionsByTopicResult><Subscriptions><member>
<SubscriptionArn>{arn}:1</SubscriptionArn><Protocol>email</Protocol><Endpoint>{address}</Endpoint>
</member></Subscriptions></ListSubscriptionsByTopicResult></R>"""
"""A topic whose approver has confirmed."""


topic_arn = SnsMailer(cast("Any", None), ENVIRONMENT["ASSENT_TOPIC_ARN_PREFIX"]).topic_arn


def operation_of(headers: Mapping[str, Any], body: bytes) -> str:
    """Return the operation of a call, in AWS's JSON and query protocols."""
    target = headers.get("X-Amz-Target")
    if target is None:
        return parse_qs(body.decode())["Action"][0]
    return (target.decode() if isinstance(target, bytes) else str(target)).rpartition(".")[2]


class CannedAws:
    """Answers each call with the prepared body of its operation, and counts the calls.

    `addresses` are the approvers who have a topic.
    """

    def __init__(self, answers: Answers, addresses: Iterable[str] = ("ada@example.com",)) -> None:
        self.calls = Counter[str]()
        self._answers = PREPARED | answers
        self._addresses = {topic_arn(address): address for address in addresses}

    def answer(self, operation: str, body: bytes) -> bytes:
        """Return the answer to a call of that operation."""
        self.calls[operation] += 1
        if operation in ("GetTopicAttributes", "ListSubscriptionsByTopic"):
            return self._about_topic(operation, parse_qs(body.decode())["TopicArn"][0]).encode()
        return self._answers[operation].encode()

    def _about_topic(self, operation: str, arn: str) -> str:
        if operation == "GetTopicAttributes":
            return _TOPIC.format(policy=escape(topic_policy(arn)))
        return _SUBSCRIPTIONS.format(arn=arn, address=self._addresses[arn])


@contextmanager
def served(aws: CannedAws) -> Iterator[str]:
    """Serve the answers on loopback, and yield the server's URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = aws.answer(operation_of(dict(self.headers), body), body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Log nothing, because the time is measured."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def answer_in_process(aws: CannedAws) -> None:
    """Answer every call of this process from now on, in place of sending it."""

    def send(_: Any, request: Any) -> AWSResponse:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        return response(request.url, aws.answer(operation_of(request.headers, body), body))

    URLLib3Session.send = send  # type: ignore[method-assign, assignment]  # botocore has no hook here


def response(url: str, body: bytes) -> AWSResponse:
    """Return the response that botocore gets."""
    headers = HTTPHeaders.from_dict({"content-type": "application/x-amz-json-1.0"})
    return AWSResponse(url, 200, headers, _Body(body))


class _Body(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()
