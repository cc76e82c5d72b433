"""Clients whose AWS is written by the test, answer by answer; botocore checks all parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.stub import Stubber

from tests.aws.clients import session


def strict_client(service: str) -> Any:
    """Return a client that checks parameters against botocore's model and tries once."""
    # `session().client` is overloaded for each service's literal name.
    make: Any = session().client
    return make(service, config=Config(retries={"total_max_attempts": 1}))


@contextmanager
def stubbed(client: Any) -> Iterator[Stubber]:
    """Give the stub that answers for AWS; each of its answers must be used."""
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()
