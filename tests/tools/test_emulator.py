import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tools.account import Account
from tools.errors import ToolError
from tools.sandbox.emulator import HOST, Emulator, free_port
from tools.sandbox.people import Person
from tools.sandbox.state import StateFile

from .conftest import CHECKOUT


def sns_of(person: Person, account: Account) -> Any:
    """Return SNS as that person may use it."""
    keys = {"aws_access_key_id": person.key, "aws_secret_access_key": person.secret}
    return account.session.client("sns", endpoint_url=account.endpoint_url, **keys)  # type: ignore[call-overload]  # two of its many arguments


def test_what_is_published_is_mailed(emulator: Emulator, account: Account) -> None:
    """The very first message to a new subscriber arrives, as the inbox reads it."""
    topic = account.sns.create_topic(Name="assent-dev-approver-1")["TopicArn"]
    account.sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ada@example.com")
    account.sns.publish(TopicArn=topic, Subject="Please decide", Message="Hello\n\nthere")
    mail = json.loads(emulator.mail.read_text("utf-8").splitlines()[-1])
    assert mail.pop("receivedAt").endswith("Z")
    assert mail == {"to": "ada@example.com", "subject": "Please decide", "text": "Hello\n\nthere"}


def test_only_permitted_addresses_can_be_subscribed(account: Account) -> None:
    """The conditions of our roles count, as on AWS."""
    statement = {
        "Effect": "Allow",
        "Action": ["sns:CreateTopic", "sns:Subscribe"],
        "Resource": "*",
        "Condition": {
            "StringEqualsIfExists": {"sns:Protocol": "email"},
            "StringLikeIfExists": {"sns:Endpoint": ["*@example.com"]},
        },
    }
    iam = account.session.client("iam", endpoint_url=account.endpoint_url)
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = iam.create_policy(PolicyName="invite", PolicyDocument=document)["Policy"]["Arn"]
    sns = sns_of(Person.new(account, "inviter", policy), account)
    topic = sns.create_topic(Name="approver")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ada@example.com")
    for protocol, endpoint in (
        ("email", "eve@example.org"),
        ("https", "https://example.com/@example.com"),
    ):
        with pytest.raises(ClientError, match="not authorized"):
            sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)


def test_a_stranger_may_do_nothing(account: Account) -> None:
    """Keys alone open nothing: IAM is enforced."""
    with pytest.raises(ClientError, match="not authorized"):
        sns_of(Person.new(account, "stranger"), account).list_topics()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems lack 127.0.0.2")
def test_the_emulator_listens_on_loopback_only(emulator: Emulator) -> None:
    """Nobody else on the network gets to see it."""
    port = int(emulator.endpoint_url.rpartition(":")[2])
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.2", port))


def test_a_taken_port_is_named_with_its_option() -> None:
    """The person has given it, and can give another."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ToolError, match=f"port {port} is taken: give another --inbox-port"):
            free_port(port, "--inbox-port")


def test_the_emulator_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Not even kill -9 leaves a process behind."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from tools.sandbox.emulator import Emulator, free_port\n"
        "with Emulator(free_port(None, ''), Path(sys.argv[1])) as e:\n"
        "    print(e.endpoint_url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(  # our own Python
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline().rpartition(":")[2])
        parent.kill()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with socket.socket() as s:
            if s.connect_ex((HOST, port)) != 0:
                return
        time.sleep(0.05)
    pytest.fail("the emulator still listens")


def test_two_sandboxes_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second one leaves the first one's state alone; afterwards the folder is free again."""
    file = tmp_path / "state.json"
    with StateFile(file) as first:
        first.write({"pid": 1})
        with pytest.raises(ToolError, match="serves from"), StateFile(file):
            pass
        assert json.loads(file.read_text()) == {"pid": 1}
    assert not file.exists()
    with StateFile(file):
        pass
