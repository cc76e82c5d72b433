"""The text of `statemachine.asl.json`: whole, small, and in step with the code's names."""

import json
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]  # it has no stubs

from chalicelib.application.outbox_relay import ERROR_NAMES
from chalicelib.domain.errors import AssentError, InvalidRequest, Unavailable
from chalicelib.domain.request import Request
from tests.integration.statemachine.engine import DEFINITION, FUNCTION, definition

TASK: dict[str, Any] = definition()["States"]["RequestApproval"]
STATES: dict[str, dict[str, Any]] = definition()["States"]
FAILS = [name for name, state in STATES.items() if state["Type"] == "Fail"]
CAUGHT = {name: catch["Next"] for catch in TASK["Catch"] for name in catch["ErrorEquals"]}
RETRIED = [name for retry in TASK["Retry"] for name in retry["ErrorEquals"]]


def _lint(text: str) -> list[str]:
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": "arn:aws:iam::123456789012:role/states",
            "DefinitionString": text,
        },
    }
    template = json.dumps({"Resources": {"StateMachine": machine}})
    return [str(match) for match in lint(template, config=ManualArgs(regions=["us-east-1"]))]


def test_the_definition_is_valid_asl() -> None:
    """cfn-lint's schema and its check of transitions find nothing, and would find something."""
    text = DEFINITION.read_text().replace("${RequestApprovalFunction}", FUNCTION)
    assert _lint(text) == []
    assert _lint(text.replace('"StartAt": "RequestApproval"', '"StartAt": "Nowhere"'))


def test_the_definition_has_one_placeholder() -> None:
    """The function's ARN is all that a stage changes."""
    text = DEFINITION.read_text()
    assert text.count("${") == text.count("${RequestApprovalFunction}") == 1


def test_there_are_only_the_states_that_an_outcome_needs() -> None:
    """Each transition costs money: an approval takes two, a rejection three."""
    assert set(STATES) == {
        "RequestApproval",
        "Approved",
        "OnReject",
        "ReturnRejection",
        "UnexpectedFailure",
        InvalidRequest.code,
        *ERROR_NAMES.values(),
    }


def test_every_state_can_be_reached() -> None:
    """Nothing is left over from another design."""
    reached, ahead = set(), [definition()["StartAt"]]
    while ahead:
        name = ahead.pop()
        reached.add(name)
        state = STATES[name]
        ways = [state, *state.get("Catch", []), *state.get("Choices", [])]
        after = {way["Next"] for way in ways if "Next" in way} | {state.get("Default", name)}
        ahead += after - reached
    assert reached == set(STATES)


@pytest.mark.parametrize("name", FAILS)
def test_each_fail_carries_on_the_error_and_the_cause_that_were_sent(name: str) -> None:
    """It looks for them where the catcher that leads there puts them."""
    state = {key: value for key, value in STATES[name].items() if key != "Comment"}
    before = {"Rejected": "OnReject"}.get(name, name)
    (at,) = {catch.get("ResultPath", "$") for catch in TASK["Catch"] if catch["Next"] == before}
    assert state == {"Type": "Fail", "ErrorPath": f"{at}.Error", "CausePath": f"{at}.Cause"}


def test_a_rejection_is_kept_beside_the_input() -> None:
    """So that OnReject still knows what was asked."""
    (rejected,) = (catch for catch in TASK["Catch"] if catch["ErrorEquals"] == ["Rejected"])
    assert rejected["ResultPath"] == "$.failure"
    assert "$.failure.Cause" in STATES["ReturnRejection"]["Parameters"]["result.$"]


@pytest.mark.parametrize("name", [*ERROR_NAMES.values(), InvalidRequest.code])
def test_every_error_that_assent_sends_is_caught_by_its_name(name: str) -> None:
    """None of them falls through to the unexpected."""
    assert CAUGHT[name] == ("OnReject" if name == "Rejected" else name)


def test_everything_else_is_caught_last() -> None:
    """A catcher of all before another would be the only one."""
    last = TASK["Catch"][-1]
    assert (last["ErrorEquals"], last["Next"]) == (["States.ALL"], "UnexpectedFailure")
    assert set(CAUGHT) == {*ERROR_NAMES.values(), InvalidRequest.code, "States.ALL"}


def test_the_error_that_is_retried_is_the_class_that_the_function_raises() -> None:
    """Lambda reports a Python error by its class's name."""
    assert Unavailable.__name__ in RETRIED
    assert Unavailable.code == Unavailable.__name__


def test_nothing_is_retried_that_was_an_answer_or_a_bug() -> None:
    """A retry asks again under a new task token: only what certainly asked nobody may be."""
    others = {error.__name__ for error in _family(AssentError)} - {Unavailable.__name__}
    assert others.isdisjoint(RETRIED)
    assert {"States.ALL", "States.TaskFailed", "States.Timeout", "Exception"}.isdisjoint(RETRIED)
    assert all(name == Unavailable.__name__ or name.startswith("Lambda.") for name in RETRIED)
    # The function itself may have asked before these happen.
    assert {"Lambda.Unknown", "Lambda.TimeoutException"}.isdisjoint(RETRIED)


def test_the_task_has_no_time_out_of_its_own() -> None:
    """How long an answer may take is in the request; Assent ends it as Expired."""
    assert not {"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds"} & set(TASK)


def test_the_function_is_sent_what_it_reads() -> None:
    """Token, execution and request under the names of `request.Question`."""
    assert TASK["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken"
    assert TASK["Parameters"]["Payload"] == {
        "taskToken.$": "$$.Task.Token",
        "executionArn.$": "$$.Execution.Id",
        "request.$": "$",
    }


def test_what_the_machine_reads_of_its_input_is_a_field_of_a_request() -> None:
    """`onReject` is the wire's name for it."""
    read = {test["Variable"] for choice in STATES["OnReject"]["Choices"] for test in choice["And"]}
    assert read == {"$.onReject"}
    assert "onReject" in Request.__struct_encode_fields__


def _family(error: type[AssentError]) -> set[type[AssentError]]:
    below = error.__subclasses__()
    return {error, *below, *(one for cls in below for one in _family(cls))}
