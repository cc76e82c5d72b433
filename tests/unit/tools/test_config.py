import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.settings import Settings
from tools.config import UNKNOWN_URL, Config
from tools.errors import ToolError
from tools.stage_settings import Limits

from .conftest import CHECKOUT, DEV

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
    "ExecutionEndedRoleArn": "arn:aws:iam::1:role/ended",
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


def update(project: Path, domains: tuple[str, ...] = ("example.com",)) -> None:
    """Write stage dev of Assent into config.json."""
    Config(project).update_assent_stage(
        DEV, outputs=OUTPUTS, domains=domains, public_url=URL, limits=Limits()
    )


def test_every_variable_that_the_code_reads_is_written(project: Path) -> None:
    """Settings can be read from the written variables."""
    update(project, ("example.com", "example.org"))
    settings = Settings.from_env(recorded(project)["dev"]["environment_variables"])
    assert settings.public_url == URL
    assert settings.approver_domains == ("example.com", "example.org")
    assert settings.table == "assent-dev"


def test_a_stage_that_was_never_deployed_has_no_role_to_run_with(project: Path) -> None:
    """Chalice makes none, so it refuses such a stage; a file from before gets the setting too."""
    update(project)
    written = json.loads((project / ".chalice" / "config.json").read_text())
    assert written["manage_iam_role"] is False
    committed = json.loads((CHECKOUT / ".chalice" / "config.json").read_text())
    assert committed["manage_iam_role"] is False


def test_numbers_of_days_are_recorded_and_kept(project: Path) -> None:
    """A deploy without it changes nothing; `keep` ends it."""
    assert "ASSENT_RETENTION_DAYS" not in _variables_after(project, None)
    for given, recorded_then in (("365", "365"), (None, "365"), ("keep", "keep")):
        variables = _variables_after(project, given)
        assert variables["ASSENT_RETENTION_DAYS"] == recorded_then
        assert variables["ASSENT_DETAILS_DAYS"] == recorded_then


def _variables_after(project: Path, days: str | None) -> dict[str, str]:
    """Return the stage's variables after a deploy with that number of days."""
    Config(project).update_assent_stage(
        DEV,
        outputs=OUTPUTS,
        domains=("example.com",),
        public_url=URL,
        limits=Limits(),
        given={"ASSENT_RETENTION_DAYS": days, "ASSENT_DETAILS_DAYS": days},
    )
    variables: dict[str, str] = recorded(project)["dev"]["environment_variables"]
    return variables


def test_each_function_gets_its_own_role(project: Path) -> None:
    """Chalice manages no roles, and no two functions share one."""
    update(project)
    stage = recorded(project)["dev"]
    assert stage["manage_iam_role"] is False
    assert stage["iam_role_arn"] == "arn:aws:iam::1:role/api"
    functions = stage["lambda_functions"]
    assert functions.pop("api_handler") == {"lambda_memory_size": 1769}, "its role is the stage's"
    assert functions["request_approval"]["iam_role_arn"] == "arn:aws:iam::1:role/request"
    assert functions["tick"]["iam_role_arn"] == "arn:aws:iam::1:role/tick"
    roles = [stage["iam_role_arn"], *(found["iam_role_arn"] for found in functions.values())]
    assert len(set(roles)) == len(roles) == len(DEV.functions)
    assert [DEV.function(name) for name in functions] == list(DEV.functions[1:])


def test_a_deploy_keeps_other_and_tuned_settings(project: Path) -> None:
    """Other stages, tunable settings, and settings and variables that a deploy doesn't write."""
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
    update(project)
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
def test_a_custom_domain_stays_the_public_url(project: Path, before: str, after: str) -> None:
    """A deploy replaces API Gateway's URL, and keeps any other."""
    record(project, dev={"environment_variables": {"ASSENT_PUBLIC_URL": before}})
    update(project)
    assert Config(project).public_url(DEV) == after


def test_given_domains_replace_recorded_ones(project: Path) -> None:
    """Recorded domains are used if none are given."""
    record(project, dev={"environment_variables": {"ASSENT_APPROVER_DOMAINS": "example.com"}})
    assert Config(project).domains(DEV) == ("example.com",)
    assert Config(project).domains(DEV, "Example.org, b.example") == ("example.org", "b.example")
    assert Config(project).domains(DEV, "*") == ("*",)


def test_missing_domains_are_refused_with_the_remedy(project: Path) -> None:
    """The message has the option and the variable. There is no default."""
    with pytest.raises(ToolError, match=r"DOMAINS=.* ASSENT_APPROVER_DOMAINS of stage dev"):
        Config(project).domains(DEV)


@pytest.mark.parametrize("nonsense", ["@example.com", "*@example.com", "com", "example.com;b.org"])
def test_an_invalid_domain_is_refused(project: Path, nonsense: str) -> None:
    """It would become an IAM pattern that matches nothing, or too much."""
    with pytest.raises(ToolError, match="is no mail domain"):
        Config(project).domains(DEV, nonsense)


def test_an_unreadable_config_file_is_named_and_kept(project: Path) -> None:
    """config.json is edited by hand, and a typing mistake must not lose the rest of it."""
    file = project / ".chalice" / "config.json"
    file.write_text("{oops")
    with pytest.raises(ToolError, match=r"config\.json is no JSON"):
        update(project)
    assert file.read_text() == "{oops"


def test_the_stage_of_another_app_is_updated(project: Path) -> None:
    """Given settings and variables are written, tuned settings and other variables stay."""
    record(project, dev={"lambda_timeout": 7, "environment_variables": {"MINE": "1", "URL": "old"}})
    Config(project).update_stage(DEV, {"lambda_timeout": 5, "iam_role_arn": "arn"}, {"URL": "new"})
    assert recorded(project)["dev"] == {
        "lambda_timeout": 7,
        "iam_role_arn": "arn",
        "environment_variables": {"MINE": "1", "URL": "new"},
    }
