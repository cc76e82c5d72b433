"""`sqs_callback`, deployed: its demo, an unreadable message, the permissions of its roles."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.deployed import DeployedExample
from examples.polling import poll
from examples.sqs_callback import demo
from tests.sandbox.roles import EXECUTION, MACHINE, May

OWN = f"{MACHINE}sqs-callback-sandbox"
SUCCESS = {"taskToken": "x", "output": "{}"}
HISTORY = {"executionArn": f"{EXECUTION}sqs-callback-sandbox:x"}

ALLOWED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("StateMachine", "sqs", "send_message", {"QueueUrl": "jobs", "MessageBody": "[]"}),
    ("Work", "sqs", "get_queue_attributes", {"QueueUrl": "jobs"}),
    ("Work", "sqs", "delete_message", {"QueueUrl": "jobs", "ReceiptHandle": "x"}),
    ("Work", "stepfunctions", "send_task_success", SUCCESS),
    ("Work", "stepfunctions", "send_task_failure", {"taskToken": "x"}),
    ("Work", "stepfunctions", "send_task_heartbeat", {"taskToken": "x"}),
]
DENIED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("StateMachine", "sqs", "receive_message", {"QueueUrl": "jobs"}),
    ("StateMachine", "sqs", "send_message", {"QueueUrl": "dead-letters", "MessageBody": "x"}),
    ("StateMachine", "stepfunctions", "send_task_success", SUCCESS),
    ("StateMachine", "lambda", "invoke", {"FunctionName": "sqs-callback-sandbox-work"}),
    ("Work", "sqs", "send_message", {"QueueUrl": "jobs", "MessageBody": "x"}),
    ("Work", "sqs", "purge_queue", {"QueueUrl": "jobs"}),
    ("Work", "sqs", "receive_message", {"QueueUrl": "dead-letters"}),
    ("Work", "stepfunctions", "start_execution", {"stateMachineArn": OWN}),
    ("Work", "stepfunctions", "get_execution_history", HISTORY),
]


@pytest.fixture
def deployed(example: Callable[[str], DeployedExample]) -> DeployedExample:
    """Give the deployed example."""
    return example("sqs_callback")


@pytest.fixture(scope="module")
def printed(example: Callable[[str], DeployedExample]) -> list[str]:
    """Send an unreadable message, run the demo beside it, and give what the demo printed."""
    deployed, lines = example("sqs_callback"), list[str]()
    deployed.client("sqs").send_message(QueueUrl=url(deployed, "jobs"), MessageBody="no JSON")
    demo.run(deployed, lines.append)
    return lines


def url(deployed: DeployedExample, queue: str) -> str:
    """Return the URL of one of the two queues."""
    found = deployed.client("sqs").get_queue_url(QueueName=f"sqs-callback-sandbox-{queue}")
    return str(found["QueueUrl"])


def test_the_demo_shows_the_end_of_each_job(printed: list[str]) -> None:
    """The states of its execution. Logs aren't checked, because a busy emulator loses lines."""
    jobs = [line.split("  ") for line in printed if " > " in line]
    ways = {words[1]: next(word for word in words if " > " in word).strip() for words in jobs}
    assert ways == {
        "plain": "Print > Printed",
        "slow": "Print > Printed",
        "no paper": "Print > CannotPrint",
        "crashes once": "Print > Printed",
        "answers, then crashes": "Print > Printed",
        "crashes each time": "Print > WorkerLost",
    }


def test_the_readme_shows_what_the_demo_prints(
    printed: list[str], readme_output: Callable[[str], set[str]]
) -> None:
    """But for the logs, as above, and the number of dead letters, which here is one more."""
    last = "Messages in the dead-letter queue: "
    shown = {
        line for line in readme_output("sqs_callback") if not line.startswith((last, "the worker"))
    }
    assert shown <= {line.strip() for line in printed}
    assert printed[-1].startswith(last)


@pytest.mark.usefixtures("printed")
def test_the_dead_letter_queue_has_the_two_failed_messages(deployed: DeployedExample) -> None:
    """The job whose worker always crashed and the unreadable message, once each."""
    poll(
        lambda: demo.count_dead_letters(deployed),
        until=lambda number: number >= 2,
        waiting_for="two dead letters",
    )
    sqs, bodies = deployed.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url(deployed, "dead-letters")).get("Messages"):
        bodies += [message["Body"] for message in messages]
    assert len(bodies) == 2
    assert "no JSON" in bodies
    (lost,) = (json.loads(body) for body in bodies if body != "no JSON")
    assert lost["job"]["name"] == "crashes each time"
    left = sqs.get_queue_attributes(QueueUrl=url(deployed, "jobs"), AttributeNames=["All"])
    assert left["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.mark.usefixtures("printed")
def test_no_line_of_the_workers_log_holds_a_task_token(deployed: DeployedExample) -> None:
    """It has the job, the delivery and the result."""
    known = {"event", "job", "delivery", "result"}
    lines = deployed.log_lines("work")
    assert lines
    assert all(set(line) <= known for line in lines)


def test_an_alarm_watches_the_dead_letter_queue(deployed: DeployedExample) -> None:
    """It watches the example's own queue, and one message triggers it."""
    (alarm,) = deployed.client("cloudwatch").describe_alarms(
        AlarmNames=["sqs-callback-sandbox-dead-letters"]
    )["MetricAlarms"]
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": "sqs-callback-sandbox-dead-letters"}
    ]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize(("who", "service", "action", "arguments"), ALLOWED)
def test_each_role_may_do_its_work(
    may: May,
    deployed: DeployedExample,
    who: str,
    service: str,
    action: str,
    arguments: dict[str, Any],
) -> None:
    """So a denial below isn't a denial of everything."""
    assert may(deployed, who, service, action, _with_url(deployed, arguments))


@pytest.mark.parametrize(("who", "service", "action", "arguments"), DENIED)
def test_each_role_may_do_nothing_else(
    may: May,
    deployed: DeployedExample,
    who: str,
    service: str,
    action: str,
    arguments: dict[str, Any],
) -> None:
    """The worker can't start an execution, and the state machine can't receive messages."""
    assert not may(deployed, who, service, action, _with_url(deployed, arguments))


def _with_url(deployed: DeployedExample, arguments: dict[str, Any]) -> dict[str, Any]:
    queue = arguments.get("QueueUrl")
    return arguments | ({"QueueUrl": url(deployed, queue)} if queue else {})
