"""`statemachine.asl.json` as text: minimal, and with the names that the code sends.

That it is valid ASL, cfn-lint says (tests/integration/test_cfn_lint.py).
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.application.outbox_relay import ERROR_NAMES
from chalicelib.domain.errors import AssentError, InvalidRequest, Unavailable
from chalicelib.domain.request import Request
from examples.example import HERE
from tests.definitions import definition, tasks
from tools.template import DEFINITION, TEMPLATE

CHECKOUT = Path(__file__).parents[2]
EXAMPLES = sorted(file.parent for file in HERE.glob(f"*/{TEMPLATE}"))
TEXT = (CHECKOUT / DEFINITION).read_text()
STATES: dict[str, dict[str, Any]] = json.loads(TEXT)["States"]
TASK = STATES["RequestApproval"]
FAILS = [name for name, state in STATES.items() if state["Type"] == "Fail"]
CAUGHT = {name: catch["Next"] for catch in TASK["Catch"] for name in catch["ErrorEquals"]}
RETRIED = [name for retry in TASK["Retry"] for name in retry["ErrorEquals"]]


def test_the_definition_has_two_placeholders() -> None:
    """Stages differ in the function's ARN, and in the partition of the task's."""
    assert sorted(re.findall(r"\$\{(\w+)\}", TEXT)) == ["AskTask", "RequestApprovalFunction"]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("folder", [CHECKOUT, *EXAMPLES], ids=lambda folder: folder.name)
def test_every_task_is_in_the_partition_of_its_stack(folder: Path, partition: str) -> None:
    """In another partition Step Functions refuses `arn:aws:states:::...`."""
    states = definition(folder, partition)["States"].values()
    found = [state["Resource"] for state in states if state["Type"] == "Task"]
    assert found
    assert all(arn.startswith(f"arn:{partition}:states:::") for arn in found), found


@pytest.mark.parametrize("folder", [CHECKOUT, *EXAMPLES], ids=lambda folder: folder.name)
def test_no_template_names_a_partition(folder: Path) -> None:
    """`${AWS::Partition}` is in the place of each."""
    for name in (TEMPLATE, DEFINITION):
        assert "arn:aws" not in (folder / name).read_text()


def test_each_state_is_needed_for_an_outcome() -> None:
    """Each transition costs money: an approval takes one, a rejection three."""
    assert set(STATES) == {
        "RequestApproval",
        "OnReject",
        "ReturnRejection",
        "UnexpectedFailure",
        InvalidRequest.code,
        *ERROR_NAMES.values(),
    }


def test_every_state_can_be_reached() -> None:
    """From `StartAt`, by transitions, catchers and choices."""
    reached, ahead = set(), [json.loads(TEXT)["StartAt"]]
    while ahead:
        name = ahead.pop()
        reached.add(name)
        state = STATES[name]
        ways = [state, *state.get("Catch", []), *state.get("Choices", [])]
        after = {way["Next"] for way in ways if "Next" in way} | {state.get("Default", name)}
        ahead += after - reached
    assert reached == set(STATES)


@pytest.mark.parametrize("name", FAILS)
def test_each_fail_state_passes_on_the_error_and_cause_that_were_sent(name: str) -> None:
    """Its paths point to where the catcher before it puts them."""
    state = {key: value for key, value in STATES[name].items() if key != "Comment"}
    before = {"Rejected": "OnReject"}.get(name, name)
    (at,) = {catch.get("ResultPath", "$") for catch in TASK["Catch"] if catch["Next"] == before}
    assert state == {"Type": "Fail", "ErrorPath": f"{at}.Error", "CausePath": f"{at}.Cause"}


def test_a_rejection_is_put_beside_the_input() -> None:
    """So OnReject still reads `onReject` of the request."""
    (rejected,) = (catch for catch in TASK["Catch"] if catch["ErrorEquals"] == ["Rejected"])
    assert rejected["ResultPath"] == "$.failure"
    assert "$.failure.Cause" in STATES["ReturnRejection"]["Parameters"]["result.$"]


@pytest.mark.parametrize("name", [*ERROR_NAMES.values(), InvalidRequest.code])
def test_every_error_that_assent_sends_is_caught_by_its_name(name: str) -> None:
    """None of them ends in UnexpectedFailure."""
    assert CAUGHT[name] == ("OnReject" if name == "Rejected" else name)


def test_all_other_errors_are_caught_last() -> None:
    """A catcher of States.ALL before another would hide it."""
    last = TASK["Catch"][-1]
    assert (last["ErrorEquals"], last["Next"]) == (["States.ALL"], "UnexpectedFailure")
    assert set(CAUGHT) == {*ERROR_NAMES.values(), InvalidRequest.code, "States.ALL"}


def test_the_retried_error_is_a_class_that_the_function_raises() -> None:
    """Lambda reports a Python error by the name of its class."""
    assert Unavailable.__name__ in RETRIED
    assert Unavailable.code == Unavailable.__name__


def test_no_answer_and_no_bug_is_retried() -> None:
    """A retry mails again under a new task token, so only errors before any mail are retried."""
    others = {error.__name__ for error in _family(AssentError)} - {Unavailable.__name__}
    assert others.isdisjoint(RETRIED)
    assert {"States.ALL", "States.TaskFailed", "States.Timeout", "Exception"}.isdisjoint(RETRIED)
    assert all(name == Unavailable.__name__ or name.startswith("Lambda.") for name in RETRIED)
    # The function may have mailed before these happen.
    assert {"Lambda.Unknown", "Lambda.TimeoutException"}.isdisjoint(RETRIED)


def test_the_task_has_no_time_out() -> None:
    """The deadline is in the request; Assent ends the task as Expired."""
    assert not {"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds"} & set(TASK)


def test_the_function_gets_a_task_request() -> None:
    """Task token, execution and request, under the names of `request.TaskRequest`."""
    (task,) = tasks(CHECKOUT).values()
    assert TASK["Resource"] == "${AskTask}"
    assert task == "arn:${AWS::Partition}:states:::lambda:invoke.waitForTaskToken"
    assert TASK["Parameters"]["Payload"] == {
        "taskToken.$": "$$.Task.Token",
        "executionArn.$": "$$.Execution.Id",
        "request.$": "$",
    }


def test_the_choice_reads_a_field_of_the_request() -> None:
    """`onReject`, as it is spelled on the wire."""
    read = {test["Variable"] for choice in STATES["OnReject"]["Choices"] for test in choice["And"]}
    assert read == {"$.onReject"}
    assert "onReject" in Request.__struct_encode_fields__


def _family(error: type[AssentError]) -> set[type[AssentError]]:
    below = error.__subclasses__()
    return {error, *below, *(one for cls in below for one in _family(cls))}
