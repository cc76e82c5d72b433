"""`python -m tools.deploy --stage dev`: deploys the stack, the stage's configuration and the code.

Every stage of Assent is made by `deploy`, on AWS and in the sandbox. Afterwards
`chalice deploy --stage dev` alone deploys code. See docs/operating.md.
"""

from collections.abc import Mapping
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Misconfigured
from chalicelib.settings import NAME_CHARACTERS, stage_name
from chalicelib.settings import days as check_days
from tools.account import Account
from tools.chalice_cli import Chalice
from tools.config import UNKNOWN_URL, Config
from tools.deployed_record import deployed_resources, name, names
from tools.echo import Echo
from tools.errors import ToolError
from tools.existing_stack import OURS, ExistingStack, chosen_stack, refuse_second_stack
from tools.limits import GivenLimits, limits, throttle_public_methods
from tools.options import stack_parameters
from tools.rules import refuse_foreign_rules
from tools.stack import Stack
from tools.stage import Code, Stage
from tools.template import template_body


def deploy(
    stage: Stage,
    *,
    project: Path,
    account: Account,
    chalice: Chalice,
    stack: Stack | ExistingStack,
    domains: str | None = None,
    parameters: Mapping[str, str] | None = None,
    given_limits: GivenLimits | None = None,
    retention_days: str | None = None,
    details_days: str | None = None,
    require_policy: str | None = None,
    name: str | None = None,
    echo: Echo,
) -> str:
    """Deploy the project as this stage and return its public URL.

    `domains` (comma-separated) is needed once. config.json records it, and what else is given:
    limits, both numbers of days, whether requests need a policy (yes, no), `name` (of organisation
    and stage), and the name of an existing stack.
    `parameters` are the stack's, which keeps them. The first deploy runs stack and Chalice twice:
    the functions need the API's URL for their mails, and the API exists after the first run.
    """
    config = Config(project)
    days = {"ASSENT_RETENTION_DAYS": retention_days, "ASSENT_DETAILS_DAYS": details_days}
    _check_days(days)
    _check_name(name)
    approver_domains = config.domains(stage, domains)
    body = template_body(project)
    stage_limits = limits(
        stage,
        account,
        given=given_limits or GivenLimits(),
        recorded=config.stage(stage),
        echo=echo,
    )
    take_up(stage, stage.code, account, chalice, echo)
    api = chalice.api(stage)

    given = {
        "ApproverEndpoints": ",".join(d if d == "*" else f"*@{d}" for d in approver_domains),
        **(parameters or {}),
    }
    existing = stack.name if isinstance(stack, ExistingStack) else None
    while True:
        echo(f"stack {stack.name}")
        outputs = stack.deploy(body, given | ({"ApiId": api.id} if api else {}))
        config.update_assent_stage(
            stage,
            outputs=outputs,
            domains=approver_domains,
            public_url=api.url if api else UNKNOWN_URL,
            limits=stage_limits,
            given={**days, "ASSENT_NAME": name, "ASSENT_REQUIRE_POLICY": require_policy},
            existing_stack=existing,
        )
        echo("code" if api else "code, first of two runs: API Gateway assigns the URL")
        chalice.package(stage)
        chalice.deploy(stage)
        deployed = chalice.api(stage)
        if deployed is None:
            raise ToolError(f"chalice made no REST API for stage {stage}: has app.py no routes?")
        if deployed == api:
            break
        api = deployed

    echo("limits of public routes")
    throttle_public_methods(account, api.id, stage_limits)
    echo("dead-letter queue")
    _send_failed_ticks_to(outputs["DeadLetterQueueArn"], stage, account)
    return config.public_url(stage)


def _check_days(days: Mapping[str, str | None]) -> None:
    """Raise ToolError, with the option's name, for days that the functions would refuse."""
    for variable, number in days.items():
        try:
            check_days(variable, {variable: number or ""}, default="keep")
        except Misconfigured as e:
            why = e.message.replace(variable, variable.removeprefix("ASSENT_"))
            raise ToolError(f"{why}. Nothing was deployed") from e


def _check_name(name: str | None) -> None:
    """Raise ToolError for a name that pages and mails would show otherwise."""
    if name is not None and stage_name({"ASSENT_NAME": name}) != name:
        raise ToolError(
            f"NAME is {name!r}: at most {NAME_CHARACTERS} characters that can be seen, in one "
            "line, without blanks around it. Nothing was deployed"
        )


def _send_failed_ticks_to(queue_arn: str, stage: Stage, account: Account) -> None:
    account.lambda_.put_function_event_invoke_config(
        FunctionName=stage.function("tick"),
        # The tick of the next minute does the same work, so one retry is enough.
        MaximumRetryAttempts=1,
        MaximumEventAgeInSeconds=300,
        DestinationConfig={"OnFailure": {"Destination": queue_arn}},
    )


def take_up(stage: Stage, code: Code, account: Account, chalice: Chalice, echo: Echo) -> None:
    """Make Chalice's record anew, so that a deploy updates what an earlier one has left.

    Raises ToolError if the stage has several REST APIs, because links may lead to any of them, or
    if somebody else's rule has the name of one of the stage's.
    """
    refuse_foreign_rules(code.scheduled, account)
    before = chalice.recorded(stage)
    found = deployed_resources(stage, code, account, before)
    if len(ids := names(found, "rest_api")) > 1:
        raise ToolError(
            f"stage {stage} has {len(ids)} REST APIs, {', '.join(ids)}: nothing was deployed. Keep "
            f"the one in the mailed links (ASSENT_PUBLIC_URL of function {stage.prefix}), delete "
            "the others with `aws apigateway delete-rest-api --rest-api-id ...`, then deploy again"
        )
    if new := sorted({name(r) for r in found} - {name(r) for r in before}):
        echo(
            f"taking up what .chalice/deployed/{stage}.json doesn't name: {', '.join(new)}. If "
            "another checkout deployed it, this one's .chalice/config.json holds from now on"
        )
    chalice.record(stage, found)


@click.command()
@click.option("--stage", "name", required=True, help="The Chalice stage, such as dev.")
@click.option(
    "--domains",
    help="Mail domains of the approvers, such as example.com,example.org. Recorded in config.json.",
)
@click.option("--alarm-topic", help="ARN of the SNS topic for alarms. The stack keeps it.")
@click.option(
    "--watch",
    help="ARNs of other state machines that ask, comma-separated, * as a wildcard. The stack keeps "
    "them.",
)
@click.option(
    "--retention-days",
    help="Days to keep approvals after they are closed, or keep. Recorded in config.json.",
)
@click.option(
    "--details-days",
    help="Days after the outcome for which links show details, or keep; 30 if never given. "
    "Recorded in config.json.",
)
@click.option(
    "--require-policy",
    type=click.Choice(["yes", "no"]),
    help="Whether to refuse requests without a policy. Recorded in config.json.",
)
@click.option(
    "--name",
    "people_name",
    help="Name of organisation and stage on pages and in mails. Recorded in config.json.",
)
@click.option("--log-days", help="Days to keep logs, 90 if never given. The stack keeps it.")
@click.option("--rate", help="Calls a second of each public method, 50 if never given.")
@click.option("--burst", help="Calls at once of each public method, 100 if never given.")
@click.option(
    "--api-concurrency",
    help="Cap on the API function's concurrent executions, or `none`; 50 if never given.",
)
@click.option(
    "--stack",
    "existing",
    help="Name of a stack that something else deploys from `make template`, or none. It is only "
    "read. Recorded in config.json.",
)
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    default=".",
    hidden=True,
)
def main(
    name: str,
    domains: str | None,
    alarm_topic: str | None,
    watch: str | None,
    retention_days: str | None,
    details_days: str | None,
    require_policy: str | None,
    people_name: str | None,
    log_days: str | None,
    existing: str | None,
    rate: str | None,
    burst: str | None,
    api_concurrency: str | None,
    project: Path,
) -> None:
    """Deploy a stage of Assent: first the stack, then the code."""
    stage = Stage(name)
    account = Account.from_environment()
    recorded = Config(project).existing_stack(stage)
    known = recorded if existing in (None, OURS) else existing
    try:
        parameters = stack_parameters(alarm_topic=alarm_topic, watch=watch, log_days=log_days)
        stack = chosen_stack(
            Stack(stage, account.cloudformation, account.dynamodb, echo=click.echo),
            ExistingStack(known, stage, account.cloudformation, echo=click.echo) if known else None,
            given=existing,
        )
        if isinstance(stack, Stack):
            refuse_second_stack(stage, stack, account)
        url = deploy(
            stage,
            project=project,
            account=account,
            chalice=Chalice(project, environment=account.environment),
            stack=stack,
            domains=domains,
            parameters=parameters,
            given_limits=GivenLimits(rate, burst, api_concurrency),
            retention_days=retention_days,
            details_days=details_days,
            require_policy=require_policy,
            name=people_name,
            echo=click.echo,
        )
    except (BotoCoreError, ClientError) as e:
        raise ToolError(f"AWS: {e}") from e
    click.echo(f"Assent {stage} is at {url}")


if __name__ == "__main__":
    main()
