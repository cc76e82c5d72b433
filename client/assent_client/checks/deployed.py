"""Checks of what `make deploy` makes: stack, functions, roles, URL, queues, schedule, workflow."""

from collections.abc import Iterator

from . import api
from .account import FUNCTIONS, Account
from .finding import Finding, ok, verdict, wrong

FED = ("-decision_from_queue", "-request_from_queue", "-execution_ended")
"""The functions that a queue calls."""


def stack(account: Account) -> Iterator[Finding]:
    """Yield whether the stack's newest change is done."""
    status = str(account.described_stack["StackStatus"])
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        yield ok("stack", f"{account.stack} is {status}")
    else:
        todo = "wait if it is IN_PROGRESS; else read its events in CloudFormation, then deploy"
        yield wrong("stack", f"{account.stack} is {status}", todo)


def functions(account: Account) -> Iterator[Finding]:
    """Yield whether every function is there, runs, and has the same code as the others."""
    found = account.functions
    bad = [f"{account.name}{suffix} is missing" for suffix in FUNCTIONS if suffix not in found]
    for suffix, one in found.items():
        state, update = one.get("State", "Active"), one.get("LastUpdateStatus", "Successful")
        if state not in ("Active", "Inactive") or update != "Successful":
            why = one.get("StateReason") or one.get("LastUpdateStatusReason") or "no reason given"
            bad.append(f"{account.name}{suffix} is {state}, its update {update}: {why}")
    if len({one["CodeSha256"] for one in found.values()}) > 1:
        bad.append("the functions have different code: a deploy broke off")
    good = f"all {len(FUNCTIONS)} are there, with the same code"
    yield from verdict("functions", bad, account.deploy, good)


def roles(account: Account) -> Iterator[Finding]:
    """Yield whether each function has its role of the stack, and whether that exists."""
    iam, bad = account.client("iam"), []
    for suffix, function in account.functions.items():
        role, expected = function["Role"], account.outputs.get(FUNCTIONS[suffix])
        if role != expected:
            bad.append(f"{account.name}{suffix} has {role}, and not {expected}")
        else:
            iam.get_role(RoleName=role.rpartition("/")[2])
    yield from verdict("roles", bad, account.deploy, "each function has its own, of the stack")


def public_url(account: Account) -> Iterator[Finding]:
    """Yield whether the base of mailed links, ASSENT_PUBLIC_URL, leads to this stage."""
    variables = account.functions.get("-tick", {}).get("Environment", {}).get("Variables", {})
    if "ASSENT_PUBLIC_URL" in variables:
        yield from api.public_url(variables["ASSENT_PUBLIC_URL"], account.stage)
    else:
        yield wrong("public URL", "the tick's function has no ASSENT_PUBLIC_URL", account.deploy)


def queues(account: Account) -> Iterator[Finding]:
    """Yield whether the functions are called that a queue calls."""
    lambda_, bad = account.client("lambda"), []
    for suffix in FED:
        name = account.name + suffix
        mappings = lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        states = {one["State"] for one in mappings}
        if states != {"Enabled"}:
            bad.append(f"{name}: its queue is {', '.join(sorted(states)) or 'not read'}")
    todo = f"enable the event source mapping in Lambda, or {account.deploy}"
    yield from verdict("queues", bad, todo, f"{len(FED)} functions read theirs")


def schedule(account: Account) -> Iterator[Finding]:
    """Yield whether a rule calls the tick."""
    events = account.client("events")
    arn = account.functions.get("-tick", {}).get("FunctionArn")
    rules = events.list_rule_names_by_target(TargetArn=arn)["RuleNames"] if arn else []
    enabled = [one for one in rules if events.describe_rule(Name=one)["State"] == "ENABLED"]
    said = "no enabled rule calls the tick: nothing is reminded, expired or tried again"
    bad = [] if enabled else [said]
    yield from verdict("schedule", bad, account.deploy, f"{' '.join(enabled)} calls the tick")


def state_machine(account: Account) -> Iterator[Finding]:
    """Yield whether the approval workflow can be started."""
    arn = account.outputs.get("StateMachineArn", "")
    found = account.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    said = f"{found['name']} is {found['status']}"
    bad = [] if found["status"] == "ACTIVE" else [said]
    yield from verdict("state machine", bad, account.deploy, said)
