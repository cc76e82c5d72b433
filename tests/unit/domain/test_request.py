"""The task request: a usable task token, an execution ARN, and a request."""

import pytest

from chalicelib.domain.decoding import convert
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.request import TaskRequest, is_execution_name
from tests.builders import task_request
from tests.unit.domain.refused import HOSTILE, MEGABYTE, SURROGATE, fit_to_send

UNPRINTABLE = [*HOSTILE, " ", "\t", "\n", "\u00a0", "\u3000", "\ufffe", "\uffff"]
EXCLUDED = [*UNPRINTABLE, *'<>{}[]?*"#%\\^|~`$&,;:/', "\U0010ffff"]
"""What the documentation of StartExecution excludes from names."""


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
        ("executionArn", [f"arn:aws:states:r:1:execution:x{c}y" for c in UNPRINTABLE]),
    ],
)
def test_a_task_token_or_arn_that_is_none_is_refused(field: str, wrong: list[object]) -> None:
    """Such a task could never be answered."""
    for value in wrong:
        assert _refused_field(task_request() | {field: value}) == field
        with pytest.raises(InvalidRequest) as refusal:
            convert(task_request() | {field: value}, TaskRequest)
        assert "regex" not in refusal.value.message
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


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:states:us-east-1:111122223333:execution:orders/AskEach:1-2",
        "arn:aws:states:us-east-1:111122223333:execution:orders:v1.2+rc(3)!@='x'",
        "arn:aws-cn:states:cn-north-1:111122223333:execution:发布:第四版",
        "arn:aws-iso-b:states:us-isob-east-1:111122223333:execution:m:" + "é" * 80,
        "arn:aws:states:us-east-1:111122223333:execution:m:" + "\N{PARTY POPPER}" * 80,
    ],
    ids=["child of a Distributed Map", "punctuation", "another alphabet", "long", "astral"],
)
def test_every_execution_arn_that_aws_makes_is_taken(arn: str) -> None:
    """Within the 2,048 bytes of an index's key, whatever its characters are."""
    assert convert(task_request() | {"executionArn": arn}, TaskRequest).execution_arn == arn
    longest = arn + "\N{PARTY POPPER}" * (512 - len(arn))
    assert convert(task_request() | {"executionArn": longest}, TaskRequest)
    assert len(longest.encode()) <= 2_048


@pytest.mark.parametrize("name", ["a", "v1.2+rc(3)!@='x'", "第四版", "n" * 80])
def test_a_name_that_step_functions_accepts_is_one(name: str) -> None:
    """All characters but those that its documentation excludes."""
    assert is_execution_name(name)


@pytest.mark.parametrize("name", ["", "n" * 81, *(f"a{c}b" for c in EXCLUDED)])
def test_a_name_that_step_functions_refuses_is_none(name: str) -> None:
    """Its ARN would be another's, or an error that looks like a fault of AWS."""
    assert not is_execution_name(name)
