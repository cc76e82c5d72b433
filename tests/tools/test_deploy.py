import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tools.chalice_cli import Api
from tools.config import UNKNOWN_URL, Config
from tools.deploy import deploy
from tools.errors import ToolError

from .conftest import DEV
from .test_config import OUTPUTS, URL


class NotFound(Exception):
    """Lambda's answer for a function that isn't there."""


class Cloud:
    """Records what a deploy does to the stack, to Chalice and to Lambda, in its order."""

    def __init__(self, project: Path, api: Api | None = None, policy: str | None = None) -> None:
        self.done: list[Any] = []
        self.exceptions = SimpleNamespace(ResourceNotFoundException=NotFound)
        self._project = project
        self._api = api
        self._policy = policy

    def run(self, **more: Any) -> str:
        """Deploy stage dev with ourselves as account, Chalice and stack."""
        everything = cast("Any", self)
        account = cast("Any", SimpleNamespace(functions=self))
        return deploy(
            DEV, self._project, account, Chalice(self), everything, say=lambda _: None, **more
        )

    def deploy(self, body: str, parameters: dict[str, str]) -> dict[str, str]:
        """Be the stack."""
        assert "RequestApproval" in body
        self.done.append(("stack", parameters))
        return OUTPUTS | {"DeadLetterQueueArn": "arn:queue"}

    def api(self) -> Api | None:
        """Be Chalice's record."""
        return self._api

    def ship(self) -> None:
        """Be `chalice deploy`, with the URL that the code gets to see."""
        self.done.append(("chalice", Config(self._project).public_url(DEV)))
        self._api = Api("abc123", URL)

    def get_policy(self, **_: str) -> dict[str, str]:
        """Be Lambda."""
        if self._policy is None:
            raise NotFound
        return {"Policy": self._policy}

    def put_function_event_invoke_config(self, **settings: Any) -> None:
        """Be Lambda."""
        self.done.append((settings["FunctionName"], settings["DestinationConfig"]))


def Chalice(cloud: Cloud) -> Any:  # noqa: N802  # stands for the class
    """Return a Chalice whose deploys are recorded."""
    return SimpleNamespace(api=lambda _: cloud.api(), deploy=lambda _: cloud.ship())


QUEUE = ("assent-dev-tick", {"OnFailure": {"Destination": "arn:queue"}})


def test_the_first_deploy_ships_twice_because_mails_hold_the_url(project: Path) -> None:
    """Stack, code, then both once more with what is known by then; the queue is attached last."""
    cloud = Cloud(project)
    assert cloud.run(domains="example.com,b.example") == URL
    whom = {"ApproverEndpoints": "*@example.com,*@b.example"}
    assert cloud.done == [
        ("stack", whom),
        ("chalice", UNKNOWN_URL),
        ("stack", {**whom, "ApiId": "abc123"}),
        ("chalice", URL),
        QUEUE,
    ]


def test_later_deploys_ship_once(project: Path) -> None:
    """The URL is known, whatever config.json has of it: after a failed first deploy, too."""
    cloud = Cloud(project, api=Api("abc123", URL))
    cloud.run(domains="*", parameters={"LogRetentionDays": "30"})
    given = {"ApproverEndpoints": "*", "ApiId": "abc123", "LogRetentionDays": "30"}
    assert cloud.done == [("stack", given), ("chalice", URL), QUEUE]


def test_a_second_api_is_refused(project: Path) -> None:
    """An API of another checkout must not get a twin, with half of the links leading to each."""
    policy = json.dumps({"Condition": {"SourceArn": "arn:aws:execute-api:eu-west-1:1:other/*"}})
    cloud = Cloud(project, policy=policy)
    with pytest.raises(ToolError, match=r"\.chalice/deployed/dev\.json"):
        cloud.run(domains="example.com")
    assert cloud.done == []


def test_functions_without_an_api_are_taken_over(project: Path) -> None:
    """A first deploy that broke off leaves functions; the next one carries on."""
    cloud = Cloud(project, policy=json.dumps({"Statement": []}))
    assert cloud.run(domains="example.com") == URL


def test_nothing_happens_before_it_is_said_whom_to_ask(project: Path) -> None:
    """No stack is made for a stage that may ask nobody."""
    cloud = Cloud(project)
    with pytest.raises(ToolError, match="--domains"):
        cloud.run()
    assert cloud.done == []
