"""The wiring: adapters made when first used, clients that give up in time, a log, secrets."""

import json
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

import app
from chalicelib.application import deciding
from chalicelib.application.ending import ENDING_LIMIT
from chalicelib.application.outbox_relay import RESUME_LIMIT, TIME_LIMIT
from chalicelib.application.ports import Ports
from chalicelib.application.superseding import SUPERSEDING_LIMIT
from chalicelib.domain import link_tokens
from chalicelib.domain.errors import NotFound, Unavailable
from chalicelib.wiring import Wiring
from tests.aws.closed_port import closed_port
from tests.aws.table import TABLE
from tools.stage_settings import Limits, assent_settings

ENV = {
    "ASSENT_STAGE": "test",
    "ASSENT_TABLE": TABLE,
    "ASSENT_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:assent-test",
    "ASSENT_TOPIC_ARN_PREFIX": "arn:aws:sns:us-east-1:123456789012:assent-test-approver-",
    "ASSENT_DEAD_LETTERS_URL": "https://sqs.us-east-1.amazonaws.com/1/assent-test-dead-letters",
    "ASSENT_PUBLIC_URL": "https://assent.example.com/api/",
    "ASSENT_APPROVER_DOMAINS": "Example.com, example.org,",
}
SERVICES = {
    "store": "dynamodb",
    "executions": "stepfunctions",
    "mailer": "sns",
    "event_bus": "events",
    "dead_letters": "sqs",
}
"""Port -> the service whose client its adapter has, as boto3 names it."""


def made(wiring: Wiring) -> set[str]:
    """Return the adapters that were made so far."""
    return SERVICES.keys() & vars(wiring).keys()


def test_a_new_wiring_has_read_and_made_nothing() -> None:
    """So importing `app.py` can't fail, whatever the environment lacks."""
    assert vars(Wiring({})).keys() == {"_env"}


@pytest.mark.usefixtures("credentials")
def test_each_port_is_one_adapter_with_a_client_of_its_service() -> None:
    """The use cases get every port, made once, with the settings of the stage."""
    wiring: Ports = Wiring(ENV)
    for port, service in SERVICES.items():
        adapter = getattr(wiring, port)
        assert getattr(wiring, port) is adapter
        assert adapter._client.meta.service_model.service_name == service
    assert wiring.public_url == "https://assent.example.com/api"
    assert wiring.approver_domains == ("example.com", "example.org")


@pytest.mark.usefixtures("credentials")
def test_each_adapter_gets_its_own_setting() -> None:
    """Table, state machine, topics, stage and queue, each where it belongs."""
    wiring: Any = Wiring(ENV)
    assert wiring.store._table == TABLE
    assert wiring.executions._state_machine_arn == ENV["ASSENT_STATE_MACHINE_ARN"]
    assert wiring.mailer._prefix == ENV["ASSENT_TOPIC_ARN_PREFIX"]
    assert wiring.event_bus._stage == "test"
    assert wiring.dead_letters._queue_url == ENV["ASSENT_DEAD_LETTERS_URL"]
    assert wiring.own_executions == ("arn:aws:states:us-east-1:123456789012:execution:assent-test:")


@pytest.mark.usefixtures("credentials")
def test_the_store_keeps_delivered_approvals_as_long_as_the_stage_says() -> None:
    """For ever, if it says nothing."""
    kept: Any = Wiring(ENV)
    assert kept.store._retention is None
    wiring: Any = Wiring(ENV | {"ASSENT_RETENTION_DAYS": "30"})
    assert wiring.store._retention == timedelta(days=30)


def test_links_show_details_for_as_long_as_the_stage_says() -> None:
    """Thirty days, if it says nothing."""
    assert Wiring(ENV).details_kept == timedelta(days=30)
    assert Wiring(ENV | {"ASSENT_DETAILS_DAYS": "7"}).details_kept == timedelta(days=7)
    assert Wiring(ENV | {"ASSENT_DETAILS_DAYS": "keep"}).details_kept is None


@pytest.mark.usefixtures("credentials")
def test_a_page_makes_the_client_of_dynamodb_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reader doesn't wait for clients that only a decision needs.

    Without DynamoDB the deployed client's own configuration tries twice and gives up.
    """
    wiring = Wiring(ENV)
    with closed_port() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(Unavailable, match="DynamoDB didn't answer"):
            deciding.find_for_approver(wiring, f"{'a' * 26}.{'b' * 32}")
    assert made(wiring) == {"store"}


def test_a_malformed_link_token_makes_no_client() -> None:
    """Guessed tokens cost nothing."""
    wiring = Wiring(ENV)
    with pytest.raises(NotFound):
        deciding.find_for_approver(wiring, "not-a-token")
    assert made(wiring) == set()


def test_all_missing_settings_are_named_at_once() -> None:
    """One deploy mends them, not one for each."""
    with pytest.raises(LookupError) as raised:
        _ = Wiring({}).settings
    for name in ENV:
        assert name in str(raised.value)


def longest(port: str) -> float:
    """Return how many seconds one call of this port's client takes if each try times out."""
    config: Any = getattr(Wiring(ENV), port)._client.meta.config
    tries = config.retries["total_max_attempts"]
    assert config.retries["mode"] == "standard", "so the first pause is 1 s at most"
    assert tries == 2, "a single lost packet shouldn't be an error"
    return float(tries * (config.connect_timeout + config.read_timeout) + (tries - 1) * 1.0)


CLOCK = 1.0
"""Times are in whole seconds, so a limit is noticed up to so much later."""
SETTINGS = assent_settings(defaultdict(str), Limits(), existing_stack=None)


@pytest.mark.usefixtures("credentials")
def test_a_closing_decision_ends_before_its_function_and_api_gateway_time_out() -> None:
    """If each try of each call times out: the reader gets an answer, and the rest is the tick's."""
    read_write_look = 3 * longest("store")
    resume = longest("executions") + 2 * longest("store")
    began = RESUME_LIMIT.total_seconds() + CLOCK
    timeouts = [SETTINGS["lambda_timeout"], 29]
    timeouts += [SETTINGS["lambda_functions"]["decision_from_queue"]["lambda_timeout"]]
    assert max(read_write_look, began + resume) < min(timeouts)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("function", ["request_approval", "request_from_queue"])
def test_a_request_ends_before_its_function_times_out(function: str) -> None:
    """Its last mail may need four calls of SNS, a write, and a look whether that was made.

    Before its mails it reads older approvals, creates its own and supersedes the older ones.
    """
    write_look = 2 * longest("store")
    last_mail = 4 * longest("mailer") + write_look
    began = TIME_LIMIT.total_seconds() + CLOCK
    query_read = 2 * longest("store")
    created = query_read + write_look
    superseded = max(created, SUPERSEDING_LIMIT.total_seconds() + CLOCK) + write_look
    timeout = SETTINGS["lambda_functions"][function]["lambda_timeout"]
    assert max(superseded, began + last_mail) < timeout


@pytest.mark.usefixtures("credentials")
def test_the_end_of_an_execution_is_handled_before_its_function_times_out() -> None:
    """It may have begun to read 100 approvals more, or to write one and look at it."""
    begun = 2 * longest("store")
    timeout = SETTINGS["lambda_functions"]["execution_ended"]["lambda_timeout"]
    assert ENDING_LIMIT.total_seconds() + CLOCK + begun < timeout


@pytest.mark.usefixtures("credentials")
def test_one_approval_of_a_tick_ends_within_its_handover() -> None:
    """A tick begins no approval that its own time-out could cut off."""
    last_mail = 4 * longest("mailer") + 2 * longest("store")
    total = longest("store") + TIME_LIMIT.total_seconds() + CLOCK + last_mail
    assert total < app.HANDOVER_MS / 1000


def test_a_secret_opens_a_link_and_never_repeats() -> None:
    """32 characters that mail programs don't break, different each time."""
    wiring = Wiring({})
    secrets = {wiring.secret() for _ in range(2_000)}
    assert len(secrets) == 2_000
    approval_id = link_tokens.approval_id("token")
    for secret in secrets:
        assert link_tokens.read_token(f"{approval_id}.{secret}") == (approval_id, secret)


def test_the_time_is_in_utc_and_in_whole_seconds() -> None:
    """As it is stored, so that an approval read back equals the one written."""
    now = Wiring({}).now()
    assert now.utcoffset() == timedelta(0)
    assert now.microsecond == 0


def test_a_log_event_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch gets one object a line, whatever characters its facts have."""
    Wiring({}).log("tick", due=3, why="two\nlines \u2028 é")
    written = capsys.readouterr().out
    assert written.endswith("\n")
    assert len(written.splitlines()) == 1
    assert json.loads(written) == {"event": "tick", "due": 3, "why": "two\nlines \u2028 é"}
