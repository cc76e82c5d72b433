"""ADAPTER: what the adapters share: a fault of AWS becomes our `Unavailable`."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from .errors import Unavailable


class Expected(Exception):
    """AWS answered with one of the error codes that the caller had named; `args[0]` is it.

    What follows are the reasons for which DynamoDB cancelled a transaction, one for each item.
    """


@contextmanager
def faults(service: str, *expected: str) -> Iterator[None]:
    """Raise Unavailable for whatever AWS refuses or doesn't answer inside, Expected for `expected`.

    botocore has retried by then (`wiring.py` says how often). The message names the service and
    the error's code, never what was sent: that may hold a task token.
    """
    try:
        yield
    except ClientError as e:
        code = e.response.get("Error", {}).get("Code", "an error")
        if code in expected:
            reasons = e.response.get("CancellationReasons", ())
            raise Expected(code, *(reason.get("Code", "None") for reason in reasons)) from None
        raise Unavailable(f"{service} answered {code}; please try again") from e
    except BotoCoreError as e:
        raise Unavailable(f"{service} didn't answer ({type(e).__name__}); please try again") from e
