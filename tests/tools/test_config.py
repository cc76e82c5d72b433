import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.settings import Settings
from tools.config import UNKNOWN_URL, Config
from tools.errors import ToolError

from .conftest import DEV

OUTPUTS = {
    "TableName": "assent-dev",
    "StateMachineArn": "arn:aws:states:eu-central-1:1:stateMachine:assent-dev",
    "TopicArnPrefix": "arn:aws:sns:eu-central-1:1:assent-dev-approver-",
    "DeadLettersUrl": "https://sqs.eu-central-1.amazonaws.com/1/assent-dev-dead-letters",
    "ApiRoleArn": "arn:aws:iam::1:role/api",
    "RequestApprovalRoleArn": "arn:aws:iam::1:role/request",
    "RecordDecisionRoleArn": "arn:aws:iam::1:role/record",
    "DecisionFromQueueRoleArn": "arn:aws:iam::1:role/decision",
    "RequestFromQueueRoleArn": "arn:aws:iam::1:role/from-queue",
    "TickRoleArn": "arn:aws:iam::1:role/tick",
}
URL = "https://abc123.execute-api.eu-central-1.amazonaws.com/api"


def record(project: Path, **stages: Any) -> None:
    """Write config.json with these stages."""
    file = project / ".chalice" / "config.json"
    file.write_text(json.dumps({"version": "2.0", "app_name": "assent", "stages": stages}))


def recorded(project: Path) -> Any:
    """Return the stages of config.json."""
    return json.loads((project / ".chalice" / "config.json").read_text())["stages"]


def test_every_variable_that_the_code_reads_is_written(project: Path) -> None:
    """What config.json holds is what Settings asks for, all of it."""
    Config(project).write(DEV, OUTPUTS, ("example.com", "example.org"), URL)
    settings = Settings.from_env(recorded(project)["dev"]["environment_variables"])
    assert settings.public_url == URL
    assert settings.approver_domains == ("example.com", "example.org")
    assert settings.table == "assent-dev"


def test_each_function_gets_its_own_role(project: Path) -> None:
    """Chalice makes no role, and no function shares one."""
    Config(project).write(DEV, OUTPUTS, ("example.com",), URL)
    stage = recorded(project)["dev"]
    assert stage["manage_iam_role"] is False
    assert stage["iam_role_arn"] == "arn:aws:iam::1:role/api"
    functions = stage["lambda_functions"]
    assert functions["request_approval"]["iam_role_arn"] == "arn:aws:iam::1:role/request"
    assert functions["tick"]["iam_role_arn"] == "arn:aws:iam::1:role/tick"
    roles = [stage["iam_role_arn"], *(found["iam_role_arn"] for found in functions.values())]
    assert len(set(roles)) == len(roles) == len(DEV.functions)
    assert [DEV.function(name) for name in functions] == list(DEV.functions[1:])


def test_what_a_person_has_set_stays(project: Path) -> None:
    """Other stages, tuned numbers, more settings and more variables survive a deploy."""
    record(
        project,
        prod={"environment_variables": {"ASSENT_APPROVER_DOMAINS": "example.net"}},
        dev={
            "lambda_memory_size": 1024,
            "xray": True,
            "lambda_functions": {"tick": {"lambda_timeout": 120, "reserved_concurrency": 1}},
            "environment_variables": {"TZ": "UTC", "ASSENT_TABLE": "stale"},
        },
    )
    Config(project).write(DEV, OUTPUTS, ("example.com",), URL)
    found = recorded(project)
    assert found["prod"] == {"environment_variables": {"ASSENT_APPROVER_DOMAINS": "example.net"}}
    assert (found["dev"]["lambda_memory_size"], found["dev"]["xray"]) == (1024, True)
    assert found["dev"]["lambda_functions"]["tick"] == {
        "lambda_timeout": 120,
        "reserved_concurrency": 1,
        "iam_role_arn": "arn:aws:iam::1:role/tick",
    }
    assert found["dev"]["environment_variables"]["TZ"] == "UTC"
    assert found["dev"]["environment_variables"]["ASSENT_TABLE"] == "assent-dev"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://approve.example.com/", "https://approve.example.com"),
        (UNKNOWN_URL, URL),
        ("https://old.execute-api.eu-central-1.amazonaws.com/api", URL),
        ("http://localhost:4566/_aws/execute-api/a55e0700/api", URL),
        ("", URL),
    ],
)
def test_a_domain_of_ones_own_stays_the_public_url(project: Path, before: str, after: str) -> None:
    """API Gateway's own URL is recomputed at every deploy; somebody's domain is theirs."""
    record(project, dev={"environment_variables": {"ASSENT_PUBLIC_URL": before}})
    Config(project).write(DEV, OUTPUTS, ("example.com",), URL)
    assert Config(project).public_url(DEV) == after


def test_domains_given_win_over_domains_recorded(project: Path) -> None:
    """They are given once, then remembered, and may be changed."""
    record(project, dev={"environment_variables": {"ASSENT_APPROVER_DOMAINS": "example.com"}})
    assert Config(project).domains(DEV) == ("example.com",)
    assert Config(project).domains(DEV, "Example.org, b.example") == ("example.org", "b.example")
    assert Config(project).domains(DEV, "*") == ("*",)


def test_no_domains_at_all_say_what_to_do(project: Path) -> None:
    """Nobody may be asked by default: the person is told the option and the variable."""
    with pytest.raises(ToolError, match=r"--domains .* ASSENT_APPROVER_DOMAINS of stage dev"):
        Config(project).domains(DEV)


@pytest.mark.parametrize("nonsense", ["@example.com", "*@example.com", "com", "example.com;b.org"])
def test_a_domain_that_is_none_is_refused(project: Path, nonsense: str) -> None:
    """A pattern IAM would never match, or would match too often, doesn't get there."""
    with pytest.raises(ToolError, match="is no mail domain"):
        Config(project).domains(DEV, nonsense)


def test_a_broken_file_is_named_and_left_alone(project: Path) -> None:
    """config.json is edited by hand: a slip in it mustn't cost the rest of it."""
    file = project / ".chalice" / "config.json"
    file.write_text("{oops")
    with pytest.raises(ToolError, match=r"config\.json is no JSON"):
        Config(project).write(DEV, OUTPUTS, ("example.com",), URL)
    assert file.read_text() == "{oops"


def test_the_stage_of_another_app_is_recorded_as_well(project: Path) -> None:
    """Its settings and variables are put in, and what a person has set there stays."""
    record(project, dev={"lambda_timeout": 7, "environment_variables": {"MINE": "1", "URL": "old"}})
    Config(project).record(DEV, {"lambda_timeout": 5, "iam_role_arn": "arn"}, {"URL": "new"})
    assert recorded(project)["dev"] == {
        "lambda_timeout": 7,
        "iam_role_arn": "arn",
        "environment_variables": {"MINE": "1", "URL": "new"},
    }
