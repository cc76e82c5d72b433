"""The options of `make deploy`, from the command line to the stack and config.json."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from tests.planned import planned
from tools.account import Account
from tools.deploy import main

ORDERS = "arn:aws:states:eu-central-1:111122223333:stateMachine:orders*"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:alarms"


def make_deploy(account: Account, project: Path, **options: str) -> Result:
    """Run what `make deploy` runs with these options."""
    given = (f"{name}={value}" for name, value in options.items())
    _, module, *words = planned("deploy", *given)[1:]
    assert module == "tools.deploy"
    environment = {"AWS_EC2_METADATA_DISABLED": "true", **account.environment}
    return CliRunner(env=environment).invoke(main, [*words, "--project", str(project)])


def test_every_option_reaches_the_stack_or_config_json(account: Account, project: Path) -> None:
    """There is no app.py in this project, so no code is deployed."""
    ran = make_deploy(
        account,
        project,
        STAGE="dev",
        DOMAINS="example.com,example.org",
        ALARM_TOPIC=TOPIC,
        WATCH=ORDERS,
        NAME="O'Brien & Sons, production",
        RETENTION_DAYS="365",
        REQUIRE_POLICY="yes",
        RATE="7",
        BURST="9",
        API_CONCURRENCY="11",
    )
    assert ran.exit_code == 1
    assert "has no app.py, so there is no code to deploy" in ran.output
    (stack,) = account.cloudformation.describe_stacks(StackName="assent-dev")["Stacks"]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
    assert parameters["ApproverEndpoints"] == "*@example.com,*@example.org"
    assert parameters["AlarmTopicArn"] == TOPIC
    assert parameters["WatchedStateMachines"] == ORDERS
    config = json.loads((project / ".chalice" / "config.json").read_text())["stages"]["dev"]
    variables = config["environment_variables"]
    assert variables["ASSENT_APPROVER_DOMAINS"] == "example.com,example.org"
    assert variables["ASSENT_NAME"] == "O'Brien & Sons, production"
    assert variables["ASSENT_RETENTION_DAYS"] == "365"
    assert variables["ASSENT_REQUIRE_POLICY"] == "yes"
    assert (config["public_rate"], config["public_burst"]) == (7, 9)
    assert config["lambda_functions"]["api_handler"]["reserved_concurrency"] == 11


def test_a_name_is_kept_until_it_is_given_empty(account: Account, project: Path) -> None:
    """`NAME=` takes it back."""

    def name(**options: str) -> str:
        make_deploy(account, project, STAGE="dev", DOMAINS="example.com", **options)
        config = json.loads((project / ".chalice" / "config.json").read_text())["stages"]["dev"]
        found: str = config["environment_variables"]["ASSENT_NAME"]
        return found

    assert [name(NAME="Example Ltd"), name(), name(NAME="")] == ["Example Ltd", "Example Ltd", ""]


def test_a_stack_of_another_name_is_read_and_none_is_made(account: Account, project: Path) -> None:
    """A stack that something else deploys has to be there."""
    ran = make_deploy(account, project, STAGE="dev", DOMAINS="example.com", STACK="theirs")
    assert ran.exit_code == 1
    assert "stack theirs can't be read" in ran.output
    assert account.cloudformation.describe_stacks()["Stacks"] == []
