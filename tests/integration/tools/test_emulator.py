import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from tools.account import Account
from tools.errors import ToolError
from tools.sandbox.emulator import HOST, Emulator, free_port
from tools.sandbox.state import SandboxState, StateFile, read_state
from tools.sandbox.users import IamUser

from .conftest import CHECKOUT


def sns_of(user: IamUser, account: Account) -> Any:
    """Return an SNS client with the user's key."""
    keys = {"aws_access_key_id": user.key, "aws_secret_access_key": user.secret}
    return account.session.client("sns", endpoint_url=account.endpoint_url, **keys)  # type: ignore[call-overload]  # two of its many arguments


def test_a_published_message_is_mailed(emulator: Emulator, account: Account) -> None:
    """Including the first one to a new subscriber, in the format that the inbox reads."""
    topic = account.sns.create_topic(Name="assent-dev-approver-1")["TopicArn"]
    account.sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ada@example.com")
    account.sns.publish(TopicArn=topic, Subject="Please decide", Message="Hello\n\nthere")
    mail = json.loads(emulator.mail.read_text("utf-8").splitlines()[-1])
    assert mail.pop("receivedAt").endswith("Z")
    assert mail == {"to": "ada@example.com", "subject": "Please decide", "text": "Hello\n\nthere"}


def test_only_permitted_addresses_can_be_subscribed(account: Account) -> None:
    """The conditions of the stack's roles are enforced, as on AWS."""
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
    sns = sns_of(IamUser.create(account, "inviter", policy), account)
    topic = sns.create_topic(Name="approver")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ada@example.com")
    for protocol, endpoint in (
        ("email", "eve@example.org"),
        ("https", "https://example.com/@example.com"),
    ):
        with pytest.raises(ClientError, match="not authorized"):
            sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)


@pytest.mark.parametrize(("denied", "delivered"), [("false", 2), ("true", 0)])
def test_plain_http_counts_as_tls(account: Account, denied: str, delivered: int) -> None:
    """For a caller and for SNS's own deliveries; and the emulator does read the condition."""
    sqs: Any = account.session.client("sqs", endpoint_url=account.endpoint_url)
    queue = sqs.create_queue(QueueName="messages")["QueueUrl"]
    wanted = ["QueueArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=wanted)["Attributes"]["QueueArn"]
    topic = account.sns.create_topic(Name="messages")["TopicArn"]
    transport = {"Bool": {"aws:SecureTransport": denied}}
    everybody: dict[str, object] = {"Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    deny = everybody | {"Effect": "Deny", "Condition": transport}
    document = {"Version": "2012-10-17", "Statement": [everybody | {"Effect": "Allow"}, deny]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(document)})
    account.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    account.sns.publish(TopicArn=topic, Message="by the topic")
    user = IamUser.create(account, "sender")
    keys = {"aws_access_key_id": user.key, "aws_secret_access_key": user.secret}
    sender: Any = account.session.client("sqs", endpoint_url=account.endpoint_url, **keys)  # type: ignore[call-overload]  # as above
    with contextlib.suppress(ClientError):
        sender.send_message(QueueUrl=queue, MessageBody="by a caller")
    time.sleep(0.3)
    count = "ApproximateNumberOfMessages"
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[count])["Attributes"]
    assert int(found[count]) == delivered


def test_a_stranger_may_do_nothing(account: Account) -> None:
    """IAM is enforced: keys without a policy permit nothing."""
    with pytest.raises(ClientError, match="not authorized"):
        sns_of(IamUser.create(account, "stranger"), account).list_topics()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems lack 127.0.0.2")
def test_the_emulator_listens_on_loopback_only(emulator: Emulator) -> None:
    """Other machines can't reach it."""
    port = int(emulator.endpoint_url.rpartition(":")[2])
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.2", port))


def test_a_taken_port_is_named_as_make_takes_it() -> None:
    """So the user can give another."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ToolError, match=f"port {port} is taken: give another INBOX_PORT="):
            free_port(port, "INBOX_PORT=")


def test_the_emulator_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Even after SIGKILL no process is left."""
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
    """The second is refused and changes nothing; after the first the folder is free again."""
    file, state = tmp_path / "state.json", cast("SandboxState", {"pid": 1})
    with StateFile(file) as first:
        first.write(state)
        with pytest.raises(ToolError, match="already running"), StateFile(file):
            pass
        assert json.loads(file.read_text()) == {"pid": 1}
        assert read_state(tmp_path) == state
    assert not file.exists()
    with pytest.raises(ToolError, match="no sandbox runs in"):
        read_state(tmp_path)
    with StateFile(file):
        pass
