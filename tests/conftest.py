"""What tests of several kinds share: an AWS account that exists in this process alone."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.aws.clients import an_account

# Chance, for every test whose examples hypothesis draws. Whether a change may land is decided with
# the same examples each time, and however slow the machine is: no change fails by luck.
settings.register_profile(
    "fixed",
    settings.get_profile("default"),
    max_examples=40,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# Luck is tried by hand, with new examples, more of them, and longer stories:
#     .venv/bin/pytest -n 2 --hypothesis-profile=long tests/workflow/test_any_story*.py
# (a quarter of an hour). Hypothesis prints what failed and tells it first the next time; once
# mended, it becomes a test of its own.
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
    """Set credentials that open nothing, and none of the machine's own settings."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture
def account(credentials: None) -> Iterator[None]:  # noqa: ARG001 (it must be there first)
    """Give an empty account in moto, whose state machines run; nothing leaves the process."""
    with an_account():
        yield
