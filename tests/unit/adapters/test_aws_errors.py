"""The errors of botocore: which become ours, and which an adapter expects."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from chalicelib.adapters.aws_errors import Expected, aws_errors
from chalicelib.domain.errors import Unavailable
from tests.fakes import TOKEN


def refusal(code: str) -> ClientError:
    """Return what botocore raises for an answer with that code."""
    return ClientError({"Error": {"Code": code, "Message": f"about {TOKEN}"}}, "PutItem")


@pytest.mark.parametrize(
    "code",
    [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
        "AccessDeniedException",
        "ResourceNotFoundException",
    ],
)
def test_an_unexpected_code_is_unavailable(code: str) -> None:
    """The message names service and code, and repeats nothing of what AWS wrote."""
    with pytest.raises(Unavailable) as raised, aws_errors("SNS", "NotFound"):
        raise refusal(code)
    assert raised.value.message == f"SNS answered {code}; please try again"


def test_an_expected_code_is_raised_with_its_reasons() -> None:
    """A cancelled transaction says for each of its items why."""
    error = refusal("TransactionCanceledException")
    error.response["CancellationReasons"] = [{"Code": "TransactionConflict"}, {}]
    with pytest.raises(Expected) as raised, aws_errors("SNS", "TransactionCanceledException"):
        raise error
    assert raised.value.code == "TransactionCanceledException"
    assert raised.value.reasons == ("TransactionConflict", "None")


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1"),
        ConnectTimeoutError(endpoint_url="http://127.0.0.1"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1"),
        NoCredentialsError(),
    ],
)
def test_a_call_without_an_answer_is_unavailable(error: BotoCoreError) -> None:
    """Also if codes are expected: no answer is never taken for an expected one."""
    with pytest.raises(Unavailable) as raised, aws_errors("SNS", "NotFound"):
        raise error
    assert raised.value.message == f"SNS didn't answer ({type(error).__name__}); please try again"


def test_a_bug_stays_a_bug() -> None:
    """An error of our own code isn't reported as one of AWS."""
    with pytest.raises(ZeroDivisionError), aws_errors("SNS"):
        raise ZeroDivisionError
