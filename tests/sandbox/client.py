"""The client of the sandbox: signed calls, mails, messages, and waiting for them."""

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

T = TypeVar("T")
Json = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
ACCOUNT = "000000000000"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROGRAM = {"Accept": "application/json"}


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Json:
        """Return the body as JSON."""
        found: Json = json.loads(self.text)
        return found


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, by its `state.json`."""

    state: Json

    def client(self, service: str, **keys: str) -> Any:
        """Return a boto3 client of the emulator, with root's keys if none are given."""
        aws = self.state["aws"]
        found = {
            "aws_access_key_id": aws["accessKeyId"],
            "aws_secret_access_key": aws["secretAccessKey"],
        }
        return boto3.client(
            service,  # type: ignore[call-overload]  # the overloads want a literal
            endpoint_url=aws["endpointUrl"],
            region_name=aws["region"],
            **(found | keys),
        )

    def call(self, method: str, path: str, body: object = None, **more: Any) -> Answer:
        """Return the answer to a call of the API, signed by `who`; by nobody if that is None."""
        url = self.state["api"] + path
        data = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | more.get("headers", {})
        who = more.get("who", "operator")
        if who is not None:
            keys = Credentials(self.state[who]["accessKeyId"], self.state[who]["secretAccessKey"])
            signed = AWSRequest(method, url, data=data, headers=headers)
            SigV4Auth(keys, "execute-api", self.state["aws"]["region"]).add_auth(signed)
            headers = dict(signed.headers.items())
        return http(method, url, data, headers)

    def start(self, **fields: Any) -> str:
        """Start an approval over HTTP and return its execution's name."""
        body = {"subject": "Release 4.2", "approvers": ["ada@example.com"]} | fields
        started = self.call("POST", "/executions", body)
        assert started.status == 201, started
        name: str = started.json["execution"]
        return name

    def execution(self, name: str) -> Json:
        """Return an execution from the API."""
        return self.call("GET", f"/executions/{name}").json

    def ended(self, name: str) -> Json:
        """Return the execution once it has ended."""
        return until(
            lambda: self.execution(name), lambda found: found["status"] != "RUNNING", seconds=30
        )

    def decisions(self, name: str) -> list[Json]:
        """Return the decisions recorded for an execution's approval."""
        approvers = self.execution(name)["approval"]["approvers"]
        return [found["decision"] for found in approvers if found["decision"] is not None]

    def mails(self, address: str, subject: str) -> list[Json]:
        """Return the mails to that person about that subject, oldest first."""
        query = urllib.parse.urlencode({"to": address})
        messages = http("GET", f"{self.state['inbox']}/messages?{query}").json["messages"]
        return [message for message in messages if subject in message["subject"]]

    def link(self, address: str, subject: str, choice: str = "approve") -> str:
        """Return the decision link in the newest such mail, waiting for it."""

        def links() -> list[str]:
            texts = "\n".join(mail["text"] for mail in self.mails(address, subject))
            return re.findall(rf"^http\S+/{choice}/\S+$", texts, re.MULTILINE)

        return until(links, bool, seconds=20)[-1]

    def queue(self, name: str) -> str:
        """Return the URL of one of the stage's queues."""
        url: str = self.client("sqs").get_queue_url(
            QueueName=f"assent-{self.state['stage']}-{name}"
        )["QueueUrl"]
        return url

    def arn(self, service: str, name: str) -> str:
        """Return the ARN of that name in a service."""
        return f"arn:aws:{service}:{self.state['aws']['region']}:{ACCOUNT}:{name}"

    def may(self, name: str, action: str, resource: str) -> dict[str, str]:
        """Create a user who may do that and nothing else; return their keys, for `client`."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        document = json.dumps(policy(statement(action, resource)))
        iam.put_user_policy(UserName=name, PolicyName="one", PolicyDocument=document)
        return keys(iam.create_access_key(UserName=name)["AccessKey"])

    def with_user(self, name: str, output: str) -> "Sandbox":
        """Create a user with the policy of that output of the stack; `who=name` signs as them."""
        stack = f"assent-{self.state['stage']}"
        stacks = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stacks[0]["Outputs"]}
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.attach_user_policy(UserName=name, PolicyArn=outputs[output])
        made = iam.create_access_key(UserName=name)["AccessKey"]
        keys = {"accessKeyId": made["AccessKeyId"], "secretAccessKey": made["SecretAccessKey"]}
        return Sandbox(self.state | {name: keys})

    def stranger(self) -> dict[str, str]:
        """Return the keys, for `client`, of a user who may do nothing."""
        found = self.state["stranger"]
        return keys(
            {"AccessKeyId": found["accessKeyId"], "SecretAccessKey": found["secretAccessKey"]}
        )

    def dead_letter(self, message_id: str) -> Json:
        """Return the dead letter about a refused message, waiting for it."""
        sqs, url = self.client("sqs"), self.queue("dead-letters")

        def letters() -> list[Json]:
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            read = [json.loads(message["Body"]) for message in found.get("Messages", [])]
            return [letter for letter in read if letter.get("messageId") == message_id]

        return until(letters, bool, seconds=20)[0]

    def item(self, execution: str) -> Json:
        """Return the stored item of an execution's approval, byte for byte."""
        approval_id = self.execution(execution)["approval"]["id"]
        found: Json = self.client("dynamodb").get_item(
            TableName=self.state["table"], Key={"pk": {"S": f"APPROVAL#{approval_id}"}}
        )["Item"]
        return found


def keys(made: Json) -> dict[str, str]:
    """Return an access key as arguments of `client`."""
    found = {"aws_access_key_id": made["AccessKeyId"]}
    return found | {"aws_secret_access_key": made["SecretAccessKey"]}


def statement(action: str | list[str], resource: str | list[str]) -> Json:
    """Return a statement that allows these actions on these resources."""
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def policy(*statements: Json) -> Json:
    """Return the document of a policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def http(method: str, url: str, data: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """Return the answer, of any status."""
    request = urllib.request.Request(url, data or None, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, dict(answer.headers.items()), answer.read().decode())
    except urllib.error.HTTPError as e:
        with e:
            return Answer(e.code, dict(e.headers.items()), e.read().decode())


def press(link: str, reason: str = "", accept: dict[str, str] = PROGRAM, **fields: str) -> Answer:
    """Press the button of a linked page and return the answer."""
    form = urllib.parse.urlencode({"reason": reason, **fields}).encode()
    return http("POST", link, form, accept | {"Content-Type": FORM})


def until(look: Callable[[], T], good: Callable[[T], object], seconds: float) -> T:
    """Return the result of `look` once it is good; fail with the last one after that time."""
    end = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < end, f"after {seconds} s still {seen}"
        time.sleep(0.1)
    return seen
