"""`sqs_callback`, deployed: its story, an unreadable message, and what each part may do."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.scene import Scene
from examples.sqs_callback import story
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
def scene(example: Callable[[str], Scene]) -> Scene:
    """Give the deployed example."""
    return example("sqs_callback")


@pytest.fixture(scope="module")
def told(example: Callable[[str], Scene]) -> list[str]:
    """Send a message that nobody can read, tell the story beside it, and give what was said."""
    scene, said = example("sqs_callback"), list[str]()
    scene.client("sqs").send_message(QueueUrl=url(scene, "jobs"), MessageBody="no JSON")
    story.tell(scene, said.append)
    return said


def url(scene: Scene, queue: str) -> str:
    """Return the URL of one of the two queues."""
    found = scene.client("sqs").get_queue_url(QueueName=f"sqs-callback-sandbox-{queue}")
    return str(found["QueueUrl"])


def test_the_story_shows_what_becomes_of_each_job(told: list[str]) -> None:
    """Where its execution ended; a log isn't asked, for a busy emulator loses lines of it."""
    jobs = [line.split("  ") for line in told if " > " in line]
    ways = {words[1]: next(word for word in words if " > " in word).strip() for words in jobs}
    assert ways == {
        "plain": "Print > Printed",
        "slow": "Print > Printed",
        "no paper": "Print > CannotPrint",
        "dies once": "Print > Printed",
        "answers, then dies": "Print > Printed",
        "dies each time": "Print > WorkerLost",
    }


def test_the_readme_shows_what_the_story_says(
    told: list[str], promised: Callable[[str], set[str]]
) -> None:
    """But for the log, as above, and the number of dead letters: here, there is one more."""
    last = "In the dead-letter queue: "
    shown = {line for line in promised("sqs_callback") if not line.startswith((last, "the worker"))}
    assert shown <= {line.strip() for line in told}
    assert told[-1].startswith(last)


@pytest.mark.usefixtures("told")
def test_what_could_not_be_done_is_in_the_dead_letter_queue_and_nothing_else(scene: Scene) -> None:
    """The job whose worker always died, and the message that nobody could read; once each."""
    scene.wait(lambda: story.dead_letters(scene), lambda n: n >= 2, "two dead letters")
    sqs, bodies = scene.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url(scene, "dead-letters")).get("Messages"):
        bodies += [message["Body"] for message in messages]
    assert len(bodies) == 2
    assert "no JSON" in bodies
    (lost,) = (json.loads(body) for body in bodies if body != "no JSON")
    assert lost["job"]["name"] == "dies each time"
    left = sqs.get_queue_attributes(QueueUrl=url(scene, "jobs"), AttributeNames=["All"])
    assert left["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.mark.usefixtures("told")
def test_no_line_of_the_workers_log_holds_a_task_token(scene: Scene) -> None:
    """It says which job, which delivery, and what came of it."""
    known = {"event", "job", "delivery", "said"}
    lines = scene.log("work")
    assert lines
    assert all(set(line) <= known for line in lines)


def test_an_alarm_looks_at_the_dead_letter_queue(scene: Scene) -> None:
    """It is the example's own queue, and one message is enough."""
    (alarm,) = scene.client("cloudwatch").describe_alarms(
        AlarmNames=["sqs-callback-sandbox-dead-letters"]
    )["MetricAlarms"]
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": "sqs-callback-sandbox-dead-letters"}
    ]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize(("who", "service", "action", "arguments"), ALLOWED)
def test_each_role_may_do_its_work(
    may: May, scene: Scene, who: str, service: str, action: str, arguments: dict[str, Any]
) -> None:
    """So that a denial, below, is one of this and not of everything."""
    assert may(scene, who, service, action, _with_url(scene, arguments))


@pytest.mark.parametrize(("who", "service", "action", "arguments"), DENIED)
def test_each_role_may_do_nothing_else(
    may: May, scene: Scene, who: str, service: str, action: str, arguments: dict[str, Any]
) -> None:
    """A worker doesn't even start one, nor does a state machine take from its own queue."""
    assert not may(scene, who, service, action, _with_url(scene, arguments))


def _with_url(scene: Scene, arguments: dict[str, Any]) -> dict[str, Any]:
    queue = arguments.get("QueueUrl")
    return arguments | ({"QueueUrl": url(scene, queue)} if queue else {})
