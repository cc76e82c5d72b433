"""`assent doctor`: what it finds in a whole stage, and in one with a part that is wrong."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from assent_client import Assent
from assent_client.checks import api as api_checks
from assent_client.checks.account import FUNCTIONS, Account
from assent_client.commands.doctor import API_CHECKS, CHECKS
from botocore.exceptions import ClientError, EndpointConnectionError
from click.testing import Result

from tests.builders import request_approval
from tests.policies import group, policy_body
from tests.unit.client.conftest import URL, InProcess, answer_of
from tests.unit.entrypoints.client import ADA, AppPorts

STAGE = "test"
NAME = f"assent-{STAGE}"
POLICY = Path(__file__).parents[3] / "docs" / "doctor-policy.json"
PREFIXES = {"stepfunctions": "states"}
"""botocore's name of a service -> IAM's, where they differ."""
Run = Callable[..., Result]


def function(suffix: str) -> dict[str, Any]:
    """Return a function's configuration."""
    return {
        "FunctionArn": f"arn:function:{NAME}{suffix}",
        "Role": f"arn:role/{FUNCTIONS[suffix]}",
        "CodeSha256": "same",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Environment": {"Variables": {"ASSENT_PUBLIC_URL": URL}},
    }


class Aws:
    """The account of a whole stage; a test changes `answers`, operation -> answer by arguments."""

    def __init__(self) -> None:
        self.called = set[str]()
        outputs = {name: f"arn:role/{name}" for name in FUNCTIONS.values()}
        outputs["StateMachineArn"] = f"arn:{NAME}"
        stack = {
            "StackStatus": "UPDATE_COMPLETE",
            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
        }
        indexes = ("approver", "due", "execution", "outcome", "requester")
        self.table: dict[str, Any] = {
            "TableStatus": "ACTIVE",
            "GlobalSecondaryIndexes": [
                {"IndexName": name, "IndexStatus": "ACTIVE"} for name in indexes
            ],
        }
        recovery = {"PointInTimeRecoveryStatus": "ENABLED"}
        alarm = {"AlarmName": f"{NAME}-overdue", "StateValue": "OK", "AlarmActions": ["arn:topic"]}
        self.answers: dict[str, Callable[..., Any]] = {
            "DescribeStacks": lambda **_: {"Stacks": [stack]},
            "GetFunctionConfiguration": lambda FunctionName: function(  # noqa: N803 (as botocore has it)
                FunctionName.removeprefix(NAME)
            ),
            "GetRole": lambda **_: {},
            "ListEventSourceMappings": lambda **_: {"EventSourceMappings": [{"State": "Enabled"}]},
            "ListRuleNamesByTarget": lambda **_: {"RuleNames": [f"{NAME}-tick-event"]},
            "DescribeRule": lambda **_: {"State": "ENABLED"},
            "DescribeStateMachine": lambda **_: {"name": NAME, "status": "ACTIVE"},
            "DescribeTable": lambda **_: {"Table": self.table},
            "DescribeContinuousBackups": lambda **_: {
                "ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}
            },
            "GetQueueUrl": lambda QueueName: {"QueueUrl": QueueName},  # noqa: N803 (as above)
            "GetQueueAttributes": lambda **_: {"Attributes": {"ApproximateNumberOfMessages": "0"}},
            "DescribeAlarms": lambda **_: {"MetricAlarms": [alarm]},
        }

    def refuse(self, operation: str, code: str) -> None:
        """Have AWS answer an operation with that error."""

        def refused(**_: Any) -> None:
            raise ClientError({"Error": {"Code": code, "Message": f"it is {code}"}}, operation)

        self.answers[operation] = refused


class Client:
    """A client of one service."""

    def __init__(self, aws: Aws, service: str) -> None:
        self._aws, self._service = aws, service

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(part.title() for part in method.split("_"))
        self._aws.called.add(f"{PREFIXES.get(self._service, self._service)}:{operation}")
        return self._aws.answers[operation]

    def get_paginator(self, method: str) -> Any:
        """Return what pages through a list; it has one page."""
        call = getattr(self, method)

        class Pages:
            def paginate(self, **arguments: Any) -> list[Any]:
                return [call(**arguments)]

        return Pages()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Return the account that `doctor` looks at."""
    aws = Aws()
    monkeypatch.setattr(Account, "client", lambda _, service: Client(aws, service))
    return aws


def findings(run: Run, state: str = "wrong") -> list[tuple[str, str, str]]:
    """Return part, words and advice of what `doctor` finds in that state."""
    found = json.loads(run("--output", "json", "doctor").stdout)
    return [(one["part"], one["said"], one["todo"]) for one in found if one["state"] == state]


@pytest.mark.usefixtures("aws")
def test_a_whole_stage_has_nothing_wrong(run: Run) -> None:
    """Every part has a line, and the exit status is 0."""
    ended = run("doctor")
    assert (ended.exit_code, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert all(line.startswith(("ok", "?     clock")) for line in lines)
    for part in (*CHECKS, "API", "clock", "permission", *API_CHECKS):
        assert any(f" {part}" in line for line in lines)


def test_its_policy_permits_what_it_reads_and_nothing_else(run: Run, aws: Aws) -> None:
    run("doctor")
    statements = json.loads(POLICY.read_text("utf-8"))["Statement"]
    assert aws.called == {action for one in statements for action in one["Action"]}


@pytest.mark.parametrize(
    ("operation", "answer", "part", "said", "todo"),
    [
        (
            "DescribeStacks",
            {"Stacks": [{"StackStatus": "UPDATE_ROLLBACK_FAILED", "Outputs": []}]},
            "stack",
            f"{NAME} is UPDATE_ROLLBACK_FAILED",
            "events",
        ),
        (
            "ListEventSourceMappings",
            {"EventSourceMappings": [{"State": "Disabled"}]},
            "queues",
            f"{NAME}-decision_from_queue: its queue is Disabled",
            "enable",
        ),
        (
            "ListEventSourceMappings",
            {"EventSourceMappings": []},
            "queues",
            f"{NAME}-execution_ended: its queue is not read",
            "make deploy STAGE=test",
        ),
        ("DescribeRule", {"State": "DISABLED"}, "schedule", "no enabled rule", "make deploy"),
        ("ListRuleNamesByTarget", {"RuleNames": []}, "schedule", "no enabled rule", "make deploy"),
        (
            "DescribeStateMachine",
            {"name": NAME, "status": "DELETING"},
            "state machine",
            "is DELETING",
            "make deploy",
        ),
        ("DescribeTable", {"Table": {"TableStatus": "UPDATING"}}, "table", "is UPDATING", "wait"),
        (
            "DescribeTable",
            {"Table": {"TableStatus": "ACTIVE"}},
            "table",
            "has no index requester",
            "make deploy",
        ),
        (
            "DescribeContinuousBackups",
            {"ContinuousBackupsDescription": {}},
            "backup",
            "is off",
            "update-continuous-backups",
        ),
        (
            "GetQueueAttributes",
            {"Attributes": {"ApproximateNumberOfMessages": "3"}},
            "dead letters",
            f"{NAME}-requests-dead-letters has 3 messages",
            "Dead letters",
        ),
        ("DescribeAlarms", {"MetricAlarms": []}, "alarms", "there are none", "make deploy"),
        (
            "DescribeAlarms",
            {"MetricAlarms": [{"AlarmName": "x", "StateValue": "OK"}]},
            "alarms",
            "notify nobody",
            "ALARM_TOPIC",
        ),
        (
            "DescribeAlarms",
            {"MetricAlarms": [{"AlarmName": "x", "StateValue": "ALARM", "AlarmActions": ["a"]}]},
            "alarms",
            "x rings",
            "When an alarm rings",
        ),
    ],
)
def test_a_part_that_is_wrong_is_named_with_what_to_do(
    run: Run, aws: Aws, operation: str, answer: Any, part: str, said: str, todo: str
) -> None:
    aws.answers[operation] = lambda **_: answer
    assert any(
        (where, said in what, todo in advice) == (part, True, True)
        for where, what, advice in findings(run)
    )
    assert run("doctor").exit_code == 1


@pytest.mark.parametrize(
    ("changed", "part", "said"),
    [
        ({"State": "Failed", "StateReason": "no role"}, "functions", "is Failed"),
        ({"LastUpdateStatus": "Failed"}, "functions", "its update Failed: no reason given"),
        ({"CodeSha256": "other"}, "functions", "different code"),
        ({"Role": "arn:role/mine"}, "roles", "has arn:role/mine, and not arn:role/TickRoleArn"),
        ({"Environment": {}}, "public URL", "no ASSENT_PUBLIC_URL"),
    ],
)
def test_a_function_that_is_wrong_is_named(
    run: Run, aws: Aws, changed: dict[str, Any], part: str, said: str
) -> None:
    aws.answers["GetFunctionConfiguration"] = lambda FunctionName: (  # noqa: N803 (as above)
        function(FunctionName.removeprefix(NAME))
        | (changed if FunctionName.endswith("-tick") else {})
    )
    assert any(where == part and said in what for where, what, _ in findings(run))


def test_functions_that_are_missing_are_named_once_each(run: Run, aws: Aws) -> None:
    aws.refuse("GetFunctionConfiguration", "ResourceNotFoundException")
    missing = [what for where, what, _ in findings(run) if where == "functions"]
    assert missing == [f"{NAME}{suffix} is missing" for suffix in FUNCTIONS]


def test_what_iam_does_not_permit_is_unknown_and_not_wrong(run: Run, aws: Aws) -> None:
    """A refusal that stops several checks has one line."""
    aws.refuse("GetFunctionConfiguration", "AccessDeniedException")
    found = findings(run, "unknown")
    assert [what for _, what, _ in found if "clock" not in what and "date" not in what] == [
        "IAM doesn't permit GetFunctionConfiguration"
    ]
    assert run("doctor").exit_code == 0


def test_an_error_of_aws_is_a_finding(run: Run, aws: Aws) -> None:
    aws.refuse("DescribeTable", "ResourceNotFoundException")
    assert (
        "table",
        "DescribeTable: it is ResourceNotFoundException",
        "make deploy STAGE=test",
    ) in (findings(run))


def test_aws_that_is_away_ends_it_with_three(run: Run, aws: Aws) -> None:
    def away(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.example.com")

    aws.answers["DescribeTable"] = away
    assert run("doctor").exit_code == 3


@pytest.mark.usefixtures("aws")
def test_who_has_not_confirmed_is_named_if_something_waits(run: Run, ports: AppPorts) -> None:
    """And so is a mail that is refused; who waits for nothing is counted."""
    ports.mailer.subscriptions = dict.fromkeys((ADA, "idle@example.com", "bad@example.com"), "none")
    request_approval(ports)
    for one in ("idle@example.com", "bad@example.com"):
        run("approvers", "add", one)
    ports.mailer.foreign.add("bad@example.com")
    found = {what: todo for part, what, todo in findings(run) if part == "approvers"}
    assert found[f"{ADA} hasn't confirmed, and 1 request waits for them"].endswith(f"add {ADA}")
    assert "Refused mail" in found["bad@example.com: mail is refused, ForeignSubscription"]
    assert len(found) == 2
    assert ("approvers", "3 invited, 2 of them haven't confirmed", "") in findings(run, "ok")


@pytest.mark.usefixtures("aws")
def test_a_policy_that_cannot_be_followed_is_named_with_what_to_do(
    run: Run, ports: AppPorts, api: Assent
) -> None:
    """A group that is short of people, and who hasn't confirmed for a day."""
    api.put_policy("release", policy_body(group("security", "sam"), group("operations", "ops")))
    api.put_policy("good", policy_body(group("security", "ada")))
    assert ("policies", "2 are checked", "") in findings(run, "ok")
    ports.mailer.foreign.add("sam@example.com")
    ports.mailer.subscriptions["ops@example.com"] = "none"
    run("approvers", "add", "ops@example.com")
    ports.later(hours=25)
    found = {what: todo for part, what, todo in findings(run) if part == "policies"}
    short, late = sorted(found)
    assert short.startswith("release: group security needs 1 approval, and nobody can give one")
    assert found[short].endswith("assent policies apply FILE")
    assert late == "release: ops@example.com hasn't confirmed the subscription for more than a day"
    assert "assent approvers add ops@example.com" in found[late]


@pytest.mark.usefixtures("aws")
def test_a_policy_that_is_deleted_meanwhile_is_not_looked_at(
    run: Run, server: InProcess, api: Assent
) -> None:
    api.put_policy("release", policy_body())

    def delete(call: Any) -> None:
        if "check=yes" in call.url:
            server.faults = []
            api.delete_policy("release")

    server.faults = [delete] * 9
    assert ("policies", "0 are checked", "") in findings(run, "ok")


@pytest.mark.usefixtures("aws")
def test_what_is_overdue_is_counted(run: Run, ports: AppPorts) -> None:
    request_approval(ports, expiresIn=60)
    ports.later(minutes=30)
    assert ("tick", "1 approval waits for the tick for ten minutes or longer") in [
        (part, what) for part, what, _ in findings(run)
    ]


@pytest.mark.usefixtures("aws")
def test_a_stage_of_another_name_behind_the_public_url_is_named(run: Run, aws: Aws) -> None:
    """Mailed links would lead there."""
    other = function("-tick")
    other["Environment"] = {"Variables": {"ASSENT_PUBLIC_URL": "https://old.example.com/api"}}
    aws.answers["GetFunctionConfiguration"] = lambda **_: other

    def health(url: str, **_: Any) -> requests.Response:
        answer = requests.Response()
        stage = "prod" if "old" in url else STAGE
        answer.status_code, answer._content = 200, json.dumps({"stage": stage}).encode()
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(requests, "get", health)
        found = findings(run)
    assert any("mailed links lead to stage prod" in what for _, what, _ in found)


def test_a_url_without_an_assent_ends_it_with_three(run: Run, server: InProcess) -> None:
    server.faults = [lambda call: answer_of(call, 200, b"<html>", {})]
    ended = run("doctor")
    assert ended.exit_code == 3
    assert "not as an API of Assent" in ended.stderr


@pytest.mark.parametrize(
    ("off", "state", "said"),
    [
        (0, "ok", "agrees"),
        (-59, "ok", "agrees"),
        (61, "wrong", "61 seconds slow"),
        (-400, "wrong", "400 seconds fast"),
    ],
)
def test_a_wrong_clock_is_named(off: int, state: str, said: str) -> None:
    now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    answer = requests.Response()
    answer.headers["Date"] = (now + timedelta(seconds=off)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    (found,) = api_checks.clock(answer, now)
    assert found.state == state
    assert said in found.said


@pytest.mark.usefixtures("aws")
def test_credentials_without_the_operator_policy_are_told_so(run: Run, server: InProcess) -> None:
    def forbidden(call: Any) -> requests.Response | None:
        public = str(call.url).endswith("/health")
        return None if public else answer_of(call, 403, b'{"message": "Forbidden"}', {})

    server.faults = [forbidden] * 9
    found = findings(run)
    assert ("permission", "the API refuses these credentials") in [
        (part, what) for part, what, _ in found
    ]
