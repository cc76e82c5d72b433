"""Turns the errors that botocore raises into ours: Unavailable, or Expected on request."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from ..domain.errors import Unavailable


class Expected(Exception):
    """AWS answered with an error code that the caller had named.

    `code` is that code; `reasons` are DynamoDB's reasons for cancelling a transaction, one for each
    of its items.
    """

    def __init__(self, code: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(code, *reasons)
        self.code = code
        self.reasons = reasons


@contextmanager
def aws_errors(service: str, *expected: str) -> Iterator[None]:
    """Raise Expected for the error codes in `expected`, Unavailable for all other faults.

    botocore has retried by then (`wiring.py` sets how often). The message names the service and the
    code, never the parameters: they may hold a task token.
    """
    try:
        yield
    except ClientError as e:
        code = e.response.get("Error", {}).get("Code", "an error")
        if code in expected:
            reasons = e.response.get("CancellationReasons", ())
            raise Expected(code, tuple(r.get("Code", "None") for r in reasons)) from None
        raise Unavailable(f"{service} answered {code}; please try again") from e
    except BotoCoreError as e:
        raise Unavailable(f"{service} didn't answer ({type(e).__name__}); please try again") from e
