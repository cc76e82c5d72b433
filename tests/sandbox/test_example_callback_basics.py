"""`callback_basics`, deployed: its demo, and the permissions of its roles."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.callback_basics import demo
from examples.deployed import DeployedExample
from examples.polling import poll
from tests.sandbox.client import Sandbox, http
from tests.sandbox.roles import EXECUTION, MACHINE, May
from tools.errors import ToolError
from tools.sandbox.users import IamUser

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
def deployed(example: Callable[[str], DeployedExample]) -> DeployedExample:
    """Give the deployed example."""
    return example("callback_basics")


def test_the_demo_ends_every_execution_in_its_state(
    deployed: DeployedExample, readme_output: Callable[[str], set[str]]
) -> None:
    """And prints what the README shows."""
    printed: list[str] = []
    demo.run(deployed, printed.append)
    starts = [line for line in printed if line.startswith("\nGET ")]
    ends = [line.rpartition(" > ")[2] for line in printed if " > " in line]
    found = {start.rpartition("/")[2]: end for start, end in zip(starts, ends, strict=True)}
    assert found.pop("start") in ("ContinueProcess", "ProcessingFailed", "UnexpectedFailure")
    assert found == {
        "start?outcome=success": "ContinueProcess",
        "start?outcome=failure": "ProcessingFailed",
        "start?outcome=surprise": "UnexpectedFailure",
        "start?outcome=silence": "UnexpectedFailure",
    }
    assert readme_output("callback_basics") <= {line.strip() for line in printed}


def test_the_log_of_the_function_with_the_token_does_not_hold_it(deployed: DeployedExample) -> None:
    """It has the outcome and the result of the answer, and nothing else."""
    deployed.wait_for_end(deployed.call_api("GET", "/start?outcome=success")["executionArn"])
    lines = poll(
        lambda: deployed.log_lines("process_document"), until=len, waiting_for="line in the log"
    )
    assert all(set(line) == {"event", "outcome", "result"} for line in lines)
    assert {line["result"] for line in lines} <= {"answered", "no answer"}


def test_only_callers_with_permission_start_an_execution(
    sandbox: Sandbox, deployed: DeployedExample
) -> None:
    """Unsigned, or signed without permission: 403. With execute-api:Invoke on the route: 202."""
    url = f"{deployed.api}/start?outcome=success"
    assert http("GET", url).status == 403
    keys = sandbox.state["stranger"]
    stranger = IamUser("stranger", keys["accessKeyId"], keys["secretAccessKey"], "us-east-1")
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
    starter = IamUser.create(deployed.account, "starter", policy["Policy"]["Arn"])
    assert deployed.wait_for_end(starter.call("GET", url)["executionArn"])["status"] == "SUCCEEDED"


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
    assert may(deployed, who, service, action, arguments)


@pytest.mark.parametrize(("who", "service", "action", "arguments"), DENIED)
def test_each_role_may_do_nothing_else(
    may: May,
    deployed: DeployedExample,
    who: str,
    service: str,
    action: str,
    arguments: dict[str, Any],
) -> None:
    """Including the work of the other roles."""
    assert not may(deployed, who, service, action, arguments)
