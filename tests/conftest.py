"""Hypothesis profiles, and an AWS account in this process, for the tests of every level."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.aws.clients import an_account

# Hypothesis draws the same examples in every run and has no deadline, so no change fails by chance
# or on a slow machine.
settings.register_profile(
    "fixed",
    settings.get_profile("default"),
    max_examples=40,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# By hand, with new examples, more of them, and longer stories (a quarter of an hour):
#     .venv/bin/pytest -n 2 --hypothesis-profile=long -k random_stories tests/unit tests/integration
# Hypothesis prints a failing example and tries it first the next time. Write a test of its own for
# each example that you fix.
settings.register_profile(
    "long",
    settings.get_profile("fixed"),
    max_examples=1_000,
    stateful_step_count=50,
    derandomize=False,
    database=settings.get_profile("default").database,
)
settings.load_profile("fixed")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set credentials that open nothing, and remove the machine's own AWS settings."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture
def account(credentials: None) -> Iterator[None]:  # noqa: ARG001 (it must be set first)
    """Start an empty AWS account in moto, which also runs state machines."""
    with an_account():
        yield
