"""The task request: a usable task token, an execution ARN, and a request."""

import pytest

from chalicelib.domain.decoding import convert
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.request import TaskRequest
from tests.builders import task_request
from tests.unit.domain.refused import MEGABYTE, SURROGATE, fit_to_send


def _refused_field(sent: object) -> str | None:
    with pytest.raises(InvalidRequest) as refusal:
        convert(sent, TaskRequest)
    return fit_to_send(refusal.value).field


def test_a_task_request_has_three_required_fields_and_no_others() -> None:
    """The request itself is validated later, so that a bad one can fail its task."""
    read = convert(task_request("AQC=") | {"request": "anything"}, TaskRequest)
    assert (read.task_token, read.request) == ("AQC=", "anything")
    for name in task_request():
        assert _refused_field({k: v for k, v in task_request().items() if k != name}) == name
    assert _refused_field(task_request() | {"executionName": "x"}) == "executionName"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("taskToken", ["", "x" * 2049, 1, None, [], SURROGATE, f"x{SURROGATE}", "x y", "x\n", "é"]),
        ("executionArn", ["", "x", "arn:aws:states:r:1:stateMachine:x", "arn:aws:sns:r:1:t", 1]),
        ("executionArn", ["arn:aws:states:r:1:execution:", MEGABYTE, f"x{SURROGATE}"]),
    ],
)
def test_a_task_token_or_arn_that_is_none_is_refused(field: str, wrong: list[object]) -> None:
    """Such a task could never be answered."""
    for value in wrong:
        assert _refused_field(task_request() | {field: value}) == field
    assert convert(task_request() | {"taskToken": "x" * 2048}, TaskRequest)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:states:r:1:execution:machine:name\n",
        "arn:aws:states:r\n:1:execution:machine:name",
        "arn:aws:states:r:1:execution:machine:" + "n" * 2_048,
    ],
    ids=["line break at the end", "line break inside", "too long for the index"],
)
def test_an_execution_arn_is_bounded_and_one_line(arn: str) -> None:
    """It is the key of an index (2,048 bytes at most) and stands in mails and pages."""
    assert _refused_field(task_request() | {"executionArn": arn}) == "executionArn"
