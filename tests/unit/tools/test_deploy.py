import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tools.chalice_cli import Api
from tools.config import UNKNOWN_URL, Config
from tools.deploy import deploy
from tools.errors import ToolError
from tools.existing_stack import ExistingStack
from tools.options import stack_parameters
from tools.template import template_body

from .conftest import DEV
from .test_config import OUTPUTS, URL


class NotFound(Exception):
    """Lambda's error for a missing function."""


class Cloud:
    """A fake stack, Chalice and Lambda that records a deploy's calls in order."""

    name = DEV.prefix

    def __init__(self, project: Path, api: Api | None = None) -> None:
        self.done: list[Any] = []
        self.exceptions = SimpleNamespace(ResourceNotFoundException=NotFound)
        self._project = project
        self._api = api

    @property
    def account(self) -> SimpleNamespace:
        """Stand in for the account, and for three of its clients."""
        session = SimpleNamespace(region_name="eu-central-1")
        return SimpleNamespace(session=session, lambda_=self, events=self, apigateway=self)

    def run(self, **more: Any) -> str:
        """Deploy stage dev with this as account, Chalice and stack."""
        return deploy(
            DEV,
            project=self._project,
            account=cast("Any", self.account),
            chalice=Chalice(self),
            stack=more.pop("stack", cast("Any", self)),
            echo=lambda _: None,
            **more,
        )

    def deploy(self, body: str, parameters: dict[str, str]) -> dict[str, str]:
        """Stand in for the stack."""
        assert "RequestApproval" in body
        self.done.append(("stack", parameters))
        return OUTPUTS | {"DeadLetterQueueArn": "arn:queue"}

    def api(self) -> Api | None:
        """Stand in for Chalice's record."""
        return self._api

    def ship(self) -> None:
        """Stand in for `chalice deploy`; record the public URL that the code gets."""
        self.done.append(("chalice", Config(self._project).public_url(DEV)))
        self._api = Api("abc123", URL)

    def get_function_configuration(self, **_: str) -> None:
        """Stand in for Lambda without functions; see tests/integration/tools for the rest."""
        raise NotFound

    def describe_rule(self, **_: str) -> None:
        """Stand in for EventBridge without rules."""
        raise NotFound

    def get_paginator(self, operation: str) -> Any:
        """Stand in for lists: no event source mapping, no API of before, one public method."""
        public = {"path": "/health", "resourceMethods": {"GET": {"authorizationType": "NONE"}}}
        page: dict[str, Any] = {
            "EventSourceMappings": [],
            "items": [public] if operation == "get_resources" else [],
        }
        return SimpleNamespace(paginate=lambda **_: [page])

    def get_account_settings(self) -> dict[str, dict[str, int]]:
        """Stand in for Lambda in a common account."""
        limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
        return {"AccountLimit": limit}

    def get_function_concurrency(self, **_: str) -> None:
        """Stand in for Lambda without functions."""
        raise NotFound

    def update_stage(self, **settings: Any) -> None:
        """Stand in for API Gateway."""
        self.done.append(("limits", settings["restApiId"], settings["stageName"]))

    def put_function_event_invoke_config(self, **settings: Any) -> None:
        """Stand in for Lambda."""
        self.done.append((settings["FunctionName"], settings["DestinationConfig"]))


def Chalice(cloud: Cloud) -> Any:  # noqa: N802  # stands for the class
    """Return a Chalice whose deploys are recorded."""
    return SimpleNamespace(
        api=lambda _: cloud.api(),
        package=lambda _: None,
        deploy=lambda _: cloud.ship(),
        recorded=lambda _: [],
        record=lambda *_: None,
    )


MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:"
LIMITS = ("limits", "abc123", "api")
QUEUE = ("assent-dev-tick", {"OnFailure": {"Destination": "arn:queue"}})


def test_the_first_deploy_runs_twice_because_mails_hold_the_url(project: Path) -> None:
    """Stack and code, then both again with the API's id and URL; limits and queue come last."""
    cloud = Cloud(project)
    assert cloud.run(domains="example.com,b.example") == URL
    whom = {"ApproverEndpoints": "*@example.com,*@b.example"}
    assert cloud.done == [
        ("stack", whom),
        ("chalice", UNKNOWN_URL),
        ("stack", {**whom, "ApiId": "abc123"}),
        ("chalice", URL),
        LIMITS,
        QUEUE,
    ]


def test_later_deploys_run_once(project: Path) -> None:
    """Chalice has recorded the URL, even if config.json lacks it after a failed first deploy."""
    cloud = Cloud(project, api=Api("abc123", URL))
    cloud.run(domains="*", parameters={"LogRetentionDays": "30"})
    given = {"ApproverEndpoints": "*", "ApiId": "abc123", "LogRetentionDays": "30"}
    assert cloud.done == [("stack", given), ("chalice", URL), LIMITS, QUEUE]


def test_a_name_is_recorded_and_kept(project: Path) -> None:
    """A deploy without it changes nothing."""
    cloud = Cloud(project, api=Api("abc123", URL))
    for name in ("Example Ltd, production", None):
        cloud.run(domains="example.com", name=name)
        recorded = json.loads((project / ".chalice" / "config.json").read_text())
        variables = recorded["stages"]["dev"]["environment_variables"]
        assert variables["ASSENT_NAME"] == "Example Ltd, production"


@pytest.mark.parametrize("name", ["x" * 41, "two\nlines", " blank", "a\u202eb", "a  b"])
def test_a_name_that_would_be_shown_otherwise_is_refused_first(project: Path, name: str) -> None:
    """Nothing is deployed."""
    cloud = Cloud(project)
    with pytest.raises(ToolError, match=r"^NAME is .*: at most 40 characters"):
        cloud.run(domains="example.com", name=name)
    assert cloud.done == []


EACH_NUMBER_OF_DAYS = pytest.mark.parametrize("option", ["retention_days", "details_days"])


@EACH_NUMBER_OF_DAYS
def test_a_number_of_days_is_recorded(project: Path, option: str) -> None:
    """For the functions, under the option's name."""
    cloud = Cloud(project, api=Api("abc123", URL))
    cloud.run(domains="example.com", **{option: "365"})
    recorded = json.loads((project / ".chalice" / "config.json").read_text())
    variables = recorded["stages"]["dev"]["environment_variables"]
    assert variables[f"ASSENT_{option.upper()}"] == "365"


@EACH_NUMBER_OF_DAYS
@pytest.mark.parametrize("days", ["0", "forever", "36501"])
def test_days_that_the_functions_would_refuse_are_refused_first(
    project: Path, option: str, days: str
) -> None:
    """Nothing is deployed."""
    cloud = Cloud(project)
    with pytest.raises(ToolError, match=f"^{option.upper()} is"):
        cloud.run(domains="example.com", **{option: days})
    assert cloud.done == []


def test_without_domains_nothing_is_deployed(project: Path) -> None:
    """The stage couldn't ask any approver."""
    cloud = Cloud(project)
    with pytest.raises(ToolError, match="DOMAINS="):
        cloud.run()
    assert cloud.done == []


def test_the_name_of_an_existing_stack_is_recorded_and_replaced(project: Path) -> None:
    """A later deploy reads the same stack; a deploy with a stack of ours forgets it."""
    cloud = Cloud(project, api=Api("abc123", URL))
    values = {"Stage": "dev", "ApproverEndpoints": "*", "ApiId": "abc123"}
    wanted = json.loads(template_body(project))["Outputs"]
    outputs = dict.fromkeys(wanted, "arn:x") | OUTPUTS
    found = {
        "StackStatus": "UPDATE_COMPLETE",
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
    }
    reads = cast("Any", SimpleNamespace(describe_stacks=lambda **_: {"Stacks": [found]}))
    for name in ("theirs", "theirs-2"):
        cloud.run(domains="*", stack=ExistingStack(name, DEV, reads, echo=print))
        assert Config(project).existing_stack(DEV) == name
    cloud.run()
    assert Config(project).existing_stack(DEV) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"watch": "foo"}, "WATCH: 'foo' isn't the ARN of a state machine"),
        ({"watch": f"{MACHINE}orders,"}, "WATCH: '' isn't"),
        ({"watch": f"{MACHINE}orders:live"}, "without version or alias"),
        ({"watch": f"{MACHINE}**"}, "WATCH: .* isn't"),
        ({"watch": "arn:aws:states:*"}, "WATCH: .* isn't"),
        ({"watch": f'{MACHINE}a"b'}, "WATCH: .* isn't"),
        ({"alarm_topic": "alarms"}, "ALARM_TOPIC is 'alarms': it has to be the ARN"),
        ({"alarm_topic": "arn:aws:sqs:us-east-1:1:q"}, "ALARM_TOPIC is "),
    ],
)
def test_a_bad_parameter_is_refused_by_the_name_of_its_option(
    options: dict[str, str], said: str
) -> None:
    """CloudFormation would refuse it halfway, or the rule would match nothing."""
    given: dict[str, str | None] = {"alarm_topic": None, "watch": None, "log_days": None}
    with pytest.raises(ToolError, match=f"{said}.* Nothing was deployed"):
        stack_parameters(**given | options)


@pytest.mark.parametrize(
    "watch",
    [
        f"{MACHINE}orders, {MACHINE}orders/*",
        "arn:*:stateMachine:release-*",
        f"{MACHINE}Größe+1",
    ],
)
def test_state_machines_of_every_name_can_be_watched(watch: str) -> None:
    """Also by patterns."""
    topic = "arn:aws-cn:sns:cn-north-1:111122223333:alarms"
    assert stack_parameters(alarm_topic=topic, watch=watch, log_days=None) == {
        "AlarmTopicArn": topic,
        "WatchedStateMachines": watch,
    }
