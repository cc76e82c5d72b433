"""The Wiring: clients made when first used, settings that name what is missing."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.application import deciding
from chalicelib.application.ports import Ports
from chalicelib.domain import link_tokens
from chalicelib.domain.errors import NotFound, Unavailable
from chalicelib.settings import Settings
from chalicelib.wiring import Wiring
from tests.aws.clients import session
from tests.aws.closed_port import closed_port
from tests.aws.table import TABLE, make_table

ENV = {
    "ASSENT_STAGE": "test",
    "ASSENT_TABLE": TABLE,
    "ASSENT_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:assent-test",
    "ASSENT_TOPIC_ARN_PREFIX": "arn:aws:sns:us-east-1:123456789012:assent-test-approver-",
    "ASSENT_DEAD_LETTERS_URL": "https://sqs.us-east-1.amazonaws.com/1/assent-test-dead-letters",
    "ASSENT_PUBLIC_URL": "https://assent.example.com/api/",
    "ASSENT_APPROVER_DOMAINS": "Example.com, example.org,",
}
ADAPTERS = {"store", "executions", "mailer", "event_bus", "dead_letters"}


def made(wiring: Wiring) -> set[str]:
    """Return the adapters that there are so far."""
    return ADAPTERS & vars(wiring).keys()


def test_a_new_wiring_has_read_and_made_nothing() -> None:
    """An import costs nothing and can't fail, whatever the environment lacks."""
    assert vars(Wiring({})).keys() == {"_env"}


@pytest.mark.usefixtures("credentials")
def test_a_wiring_is_what_the_use_cases_are_handed() -> None:
    """Every port is there, with the settings of the stage."""
    ports: Ports = Wiring(ENV)
    assert ports.store is ports.store
    assert ports.executions is ports.executions
    assert ports.mailer is ports.mailer
    assert ports.event_bus is ports.event_bus
    assert ports.dead_letters is ports.dead_letters
    assert ports.public_url == "https://assent.example.com/api"
    assert ports.approver_domains == ("example.com", "example.org")


@pytest.mark.usefixtures("account")
def test_opening_a_page_makes_the_client_of_dynamodb_alone() -> None:
    """Whoever looks at a page doesn't wait for clients that only a decision needs."""
    make_table(session().client("dynamodb"))
    wiring = Wiring(ENV)
    with pytest.raises(NotFound):
        deciding.find_for_approver(wiring, f"{'a' * 26}.{'b' * 32}")
    assert made(wiring) == {"store"}


def test_a_link_that_cannot_be_one_makes_no_client_at_all() -> None:
    """Guesses cost us nothing."""
    wiring = Wiring(ENV)
    with pytest.raises(NotFound):
        deciding.find_for_approver(wiring, "not-a-token")
    assert made(wiring) == set()


def test_what_is_missing_is_named_all_at_once() -> None:
    """One deploy mends it, not one for each name."""
    with pytest.raises(LookupError) as raised:
        _ = Wiring({}).settings
    for name in ENV:
        assert name in str(raised.value)


@pytest.mark.parametrize("missing", ENV)
def test_each_setting_is_required_and_may_not_be_empty(missing: str) -> None:
    """Only the one that lacks is named."""
    for env in ({k: v for k, v in ENV.items() if k != missing}, ENV | {missing: ""}):
        with pytest.raises(LookupError, match=missing) as raised:
            Settings.from_env(env)
        assert not [name for name in ENV if name != missing and name in str(raised.value)]


def test_the_settings_are_those_of_the_environment() -> None:
    """The base of links has no slash at its end; domains are in lower case, without blanks."""
    assert Settings.from_env(ENV | {"OTHER": "x"}) == Settings(
        stage="test",
        table=TABLE,
        state_machine_arn=ENV["ASSENT_STATE_MACHINE_ARN"],
        topic_arn_prefix=ENV["ASSENT_TOPIC_ARN_PREFIX"],
        dead_letters_url=ENV["ASSENT_DEAD_LETTERS_URL"],
        public_url="https://assent.example.com/api",
        approver_domains=("example.com", "example.org"),
    )


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_no_call_can_last_as_long_as_api_gateway_waits(adapter: str) -> None:
    """Two calls after each other, each with its every try timed out, end before 29 seconds."""
    config: Any = getattr(Wiring(ENV), adapter)._client.meta.config
    tries = config.retries["total_max_attempts"]
    assert config.retries["mode"] == "standard"
    one_call = tries * (config.connect_timeout + config.read_timeout) + (tries - 1) * 1.0
    assert tries >= 2, "a single lost packet shouldn't be an error"
    assert 2 * one_call < 29


@pytest.mark.usefixtures("credentials")
def test_a_cloud_that_is_not_there_is_unavailable_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployed client's own configuration: tried twice, then our error."""
    with closed_port() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(Unavailable, match="DynamoDB didn't answer"):
            Wiring(ENV).store.get("x")


def test_a_secret_opens_a_link_and_never_repeats() -> None:
    """32 characters that a mail program leaves alone, different each time."""
    wiring = Wiring({})
    secrets = {wiring.secret() for _ in range(2_000)}
    assert len(secrets) == 2_000
    an_id = link_tokens.approval_id("token")
    for secret in secrets:
        assert link_tokens.read_token(f"{an_id}.{secret}") == (an_id, secret)


def test_a_secret_names_an_execution_when_nobody_else_does() -> None:
    """A request without an Idempotency-Key gets a name that Step Functions takes."""
    secret = Wiring({}).secret()
    assert secret.isalnum()
    assert len(secret) <= 80


def test_the_time_is_in_utc_and_in_whole_seconds() -> None:
    """As it is stored, so that what is read back equals what was written."""
    now = Wiring({}).now()
    assert now.utcoffset() == timedelta(0)
    assert now.microsecond == 0


def test_a_log_event_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the facts hold, log readers get one object a line."""
    Wiring({}).log("tick", due=3, why="two\nlines \u2028 é")
    written = capsys.readouterr().out
    assert written.endswith("\n")
    assert len(written.splitlines()) == 1
    assert json.loads(written) == {"event": "tick", "due": 3, "why": "two\nlines \u2028 é"}
