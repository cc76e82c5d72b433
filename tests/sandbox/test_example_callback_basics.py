"""`callback_basics`, deployed: its story, and what each part of it may and may not do."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.callback_basics import story
from examples.scene import Scene
from tests.sandbox.client import Sandbox, http
from tests.sandbox.roles import EXECUTION, MACHINE, May
from tools.errors import ToolError
from tools.sandbox.people import Person

OWN = f"{MACHINE}callback-basics-sandbox"
SUCCESS = {"taskToken": "x", "output": "{}"}
FAILURE = {"taskToken": "x", "error": "x"}
HISTORY = {"executionArn": f"{EXECUTION}callback-basics-sandbox:x"}
SPLIT = {"FunctionName": "callback-basics-sandbox-split_document", "Payload": '{"document": ""}'}
PROCESS = {"FunctionName": "callback-basics-sandbox-process_document"}

ALLOWED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("Api", "stepfunctions", "start_execution", {"stateMachineArn": OWN, "input": "{}"}),
    ("ProcessDocument", "stepfunctions", "send_task_success", SUCCESS),
    ("ProcessDocument", "stepfunctions", "send_task_failure", FAILURE),
    ("StateMachine", "lambda", "invoke", SPLIT),
]
DENIED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("Api", "stepfunctions", "start_execution", {"stateMachineArn": f"{MACHINE}assent-sandbox"}),
    ("Api", "stepfunctions", "send_task_success", SUCCESS),
    ("Api", "stepfunctions", "get_execution_history", HISTORY),
    ("Api", "lambda", "invoke", PROCESS),
    ("SplitDocument", "stepfunctions", "start_execution", {"stateMachineArn": OWN}),
    ("SplitDocument", "stepfunctions", "send_task_success", SUCCESS),
    ("SplitDocument", "lambda", "invoke", PROCESS),
    ("ProcessDocument", "stepfunctions", "start_execution", {"stateMachineArn": OWN}),
    ("ProcessDocument", "stepfunctions", "get_execution_history", HISTORY),
    ("ProcessDocument", "lambda", "invoke", SPLIT),
    ("StateMachine", "lambda", "invoke", {"FunctionName": "assent-sandbox-tick"}),
    ("StateMachine", "lambda", "invoke", {"FunctionName": "callback-basics-sandbox"}),
    ("StateMachine", "stepfunctions", "send_task_success", SUCCESS),
]


@pytest.fixture
def scene(example: Callable[[str], Scene]) -> Scene:
    """Give the deployed example."""
    return example("callback_basics")


def test_the_story_ends_every_execution_where_it_should(
    scene: Scene, promised: Callable[[str], set[str]]
) -> None:
    """What the one command says, and the README says that it says."""
    said: list[str] = []
    story.tell(scene, said.append)
    starts = [line for line in said if line.startswith("\nGET ")]
    ends = [line.rpartition(" > ")[2] for line in said if " > " in line]
    found = {start.rpartition("/")[2]: end for start, end in zip(starts, ends, strict=True)}
    assert found.pop("start") in ("ContinueProcess", "ProcessingFailed", "UnexpectedFailure")
    assert found == {
        "start?outcome=success": "ContinueProcess",
        "start?outcome=failure": "ProcessingFailed",
        "start?outcome=surprise": "UnexpectedFailure",
        "start?outcome=silence": "UnexpectedFailure",
    }
    assert promised("callback_basics") <= {line.strip() for line in said}


def test_the_log_of_the_function_that_holds_tokens_holds_none(scene: Scene) -> None:
    """It says what it did, and that is all."""
    scene.ended(scene.call("GET", "/start?outcome=success")["executionArn"])
    lines = scene.wait(lambda: scene.log("process_document"), len, "a line in the log")
    assert all(set(line) == {"event", "outcome", "said"} for line in lines)
    assert {line["said"] for line in lines} <= {"answered", "nothing"}


def test_only_who_may_invoke_the_route_starts_anything(sandbox: Sandbox, scene: Scene) -> None:
    """Unsigned or a stranger's: 403. This one permission: 202."""
    url = f"{scene.api}/start?outcome=success"
    assert http("GET", url).status == 403
    keys = sandbox.state["stranger"]
    stranger = Person("stranger", keys["accessKeyId"], keys["secretAccessKey"], "us-east-1")
    with pytest.raises(ToolError, match="answered 403"):
        stranger.call("GET", url)
    api = url.split("/_aws/execute-api/")[1].partition("/")[0]
    statement = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": f"arn:aws:execute-api:us-east-1:000000000000:{api}/api/GET/start",
    }
    policy = sandbox.client("iam").create_policy(
        PolicyName="start-callback-basics",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    starter = Person.new(scene.account, "starter", policy["Policy"]["Arn"])
    assert scene.ended(starter.call("GET", url)["executionArn"])["status"] == "SUCCEEDED"


@pytest.mark.parametrize(("who", "service", "action", "arguments"), ALLOWED)
def test_each_role_may_do_its_work(
    may: May, scene: Scene, who: str, service: str, action: str, arguments: dict[str, Any]
) -> None:
    """So that a denial, below, is one of this and not of everything."""
    assert may(scene, who, service, action, arguments)


@pytest.mark.parametrize(("who", "service", "action", "arguments"), DENIED)
def test_each_role_may_do_nothing_else(
    may: May, scene: Scene, who: str, service: str, action: str, arguments: dict[str, Any]
) -> None:
    """Its neighbours' work included."""
    assert not may(scene, who, service, action, arguments)
