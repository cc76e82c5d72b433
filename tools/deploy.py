"""`python -m tools.deploy --stage dev`: the stack, the stage's configuration, the code.

On the map: the one way a stage comes into being, on AWS and in the sandbox. Afterwards
`chalice deploy --stage dev` alone ships code. docs/operating.md tells the story.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from tools.account import Account
from tools.chalice_cli import Chalice
from tools.config import UNKNOWN_URL, Config
from tools.errors import ToolError
from tools.stack import Stack
from tools.stage import Stage
from tools.template import template_body


def deploy(
    stage: Stage,
    project: Path,
    account: Account,
    chalice: Chalice,
    stack: Stack,
    *,
    domains: str | None = None,
    parameters: Mapping[str, str] | None = None,
    say: Callable[[str], None],
) -> str:
    """Bring a stage up to date with the project and return its public URL.

    `domains` (comma-separated) is needed once and remembered in config.json; `parameters` are the
    stack's own, and remembered by it. Chalice runs twice on the first deploy: mails hold the API's
    URL, which is known after the first run.
    """
    config = Config(project)
    whom = config.domains(stage, domains)
    body = template_body(project)
    api = chalice.api(stage)
    if api is None:
        refuse_second_api(stage, account)

    given = {
        "ApproverEndpoints": ",".join(d if d == "*" else f"*@{d}" for d in whom),
        **(parameters or {}),
    }
    while True:
        known = api
        say(f"stack {stage.prefix}")
        outputs = stack.deploy(body, given | ({"ApiId": known.id} if known else {}))
        config.write(stage, outputs, whom, known.url if known else UNKNOWN_URL)
        say("code" if known else "code, first pass: the API gets its URL")
        chalice.deploy(stage)
        api = chalice.api(stage)
        if api is None:
            raise ToolError(f"chalice made no REST API for stage {stage}: has app.py no routes?")
        if api == known:
            break

    say("dead letters")
    account.functions.put_function_event_invoke_config(
        FunctionName=stage.function("tick"),
        # The next tick, a minute later, does whatever this one didn't: one retry is plenty.
        MaximumRetryAttempts=1,
        MaximumEventAgeInSeconds=300,
        DestinationConfig={"OnFailure": {"Destination": outputs["DeadLetterQueueArn"]}},
    )
    return config.public_url(stage)


def refuse_second_api(stage: Stage, account: Account) -> None:
    """Raise ToolError if the stage has an API of which Chalice has no record: it would add one."""
    try:
        policy = account.functions.get_policy(FunctionName=stage.prefix)["Policy"]
    except account.functions.exceptions.ResourceNotFoundException:
        return
    if "execute-api" in policy:
        raise ToolError(
            f"stage {stage} was deployed from another checkout: without that one's "
            f".chalice/deployed/{stage}.json Chalice would make a second API with another URL"
        )


@click.command()
@click.option("--stage", "name", required=True, help="The Chalice stage, such as dev.")
@click.option(
    "--domains", help="Mail domains that may be asked, such as example.com,example.org. Remembered."
)
@click.option("--alarm-topic", help="ARN of the SNS topic that alarms are sent to. Remembered.")
@click.option("--log-days", help="For how many days logs are kept (90 at first). Remembered.")
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    default=".",
    hidden=True,
)
def main(
    name: str, domains: str | None, alarm_topic: str | None, log_days: str | None, project: Path
) -> None:
    """Deploy a stage of Assent: what outlives the code first, then the code."""
    stage = Stage(name)
    account = Account.from_environment()
    parameters = {"AlarmTopicArn": alarm_topic, "LogRetentionDays": log_days}
    try:
        url = deploy(
            stage,
            project,
            account,
            Chalice(project, environment=account.environment),
            Stack(stage, account.cloudformation, account.dynamodb, say=click.echo),
            domains=domains,
            parameters={key: value for key, value in parameters.items() if value is not None},
            say=click.echo,
        )
    except (BotoCoreError, ClientError) as e:
        raise ToolError(f"AWS: {e}") from e
    click.echo(f"Assent {stage} is at {url}")


if __name__ == "__main__":
    main()
