"""Turns the errors that botocore raises into ours: Unavailable, or Expected on request."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from ..domain.errors import Unavailable


class Expected(Exception):
    """AWS answered with an error code that the caller had named.

    `code` is that code; `reasons` are DynamoDB's reasons for cancelling a transaction, one for each
    of its items. `repeated` says that botocore had tried before: if the answer to an earlier try
    was lost, the error may be about what that try itself has done.
    """

    def __init__(self, code: str, reasons: tuple[str, ...] = (), *, repeated: bool = False) -> None:
        super().__init__(code, *reasons)
        self.code = code
        self.reasons = reasons
        self.repeated = repeated


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
            reasons = tuple(
                r.get("Code", "None") for r in e.response.get("CancellationReasons", ())
            )
            repeated = e.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
            raise Expected(code, reasons, repeated=repeated) from None
        raise Unavailable(f"{service} answered {code}; please try again") from e
    except BotoCoreError as e:
        raise Unavailable(f"{service} didn't answer ({type(e).__name__}); please try again") from e
