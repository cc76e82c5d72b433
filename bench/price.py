"""The price of 1,000 approvals, from counted calls, units, transitions, mails and milliseconds."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable

from rich.progress import track

from bench.canned_aws import latency
from bench.cost import DATED, PRICES, Usage, gb_seconds
from bench.environment import ENVIRONMENT
from bench.measured_journeys import Step
from bench.memory import FUNCTIONS, figures
from bench.packages import ROOT, Packages
from bench.report import Row, Table
from bench.tick import ApprovalTable, approval_table
from tools.stage_settings import API_MEMORY, ASKING_MEMORY, MEMORY

PRICED = {
    "one approver": 1,
    "one approver, and a requester who is mailed": 1,
    "three of five, two reminders": 1,
    "fifty for one approver, in bulk": 50,
}
"""Journey -> how many approvals it takes to the outcome."""
BARE = {
    "state transition": 2,
    "mail": 1,
    "SNS request": 1,
    "write unit": 2,
    "read unit": 2,
    "API request": 2,
    "Lambda request": 3,
}
"""The bare handler with what it needs around it: a state that waits and one that ends, a function
that stores 2 KB and mails, a page, a button."""
TUTORIAL = {
    "state transition": 6,
    "mail": 1,
    "SNS request": 1,
    "API request": 1,
    "Lambda request": 2,
}
"""AWS's tutorial (Step Functions Developer Guide, "Deploying a workflow that waits for human
approval"): it stores nothing, and its link decides when it is opened."""
GROUPS = {
    "transitions": ("state transition",),
    "mails": ("mail", "SNS request"),
    "DynamoDB": ("write unit", "read unit"),
    "Lambda": ("Lambda request", "GB-second"),
    "the rest": ("API request", "event", "SQS request", "GB of logs"),
}


def price(packages: Packages) -> list[Table]:
    """Return what 1,000 approvals cost, and of what that consists."""
    rows: list[Row] = []
    for journey, approvals in track(PRICED.items(), "journeys"):
        with approval_table() as table:
            usage = _usage(packages, journey_steps(table, journey), approvals)
        rows.append(_row(journey, usage, 1000 / approvals))
    cold = _cold_seconds(packages)
    for name, counts in (("bare handler, one approver", BARE), ("AWS's tutorial", TUTORIAL)):
        usage = Usage({**counts, "GB-second": cold})
        rows.append(_row(name, usage, 1000))
    columns = ("1,000 approvals, $", "all", *GROUPS)
    title = f"The price of 1,000 approvals ({DATED})"
    return [
        Table(title, columns, rows),
        Table("An idle stage", ("a month", "$"), [_idle(packages)]),
    ]


def journey_steps(table: ApprovalTable, journey: str) -> list[Step]:
    """Return the steps of a journey over that table."""
    printed = subprocess.run(
        [sys.executable, "-m", "bench.measured_journeys", journey],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT | table.environment,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    steps: list[Step] = json.loads(printed)
    return steps


def _usage(packages: Packages, steps: Iterable[Step], approvals: int) -> Usage:
    """Return what the steps used, if the request and the page meet a cold start."""
    usage = Usage({"state transition": _transitions() * approvals})
    for step in steps:
        calls = step["calls"]
        usage.add("mail", calls.get("Publish", 0))
        usage.add(
            "SNS request",
            sum(calls.get(name, 0) for name in ("Publish", "GetTopicAttributes"))
            + calls.get("ListSubscriptionsByTopic", 0),
        )
        usage.add("write unit", step["writes"])
        usage.add("read unit", step["reads"])
        usage.add("API request", step["by_api"])
        usage.add("Lambda request")
        usage.add("event", calls.get("PutEvents", 0))
        usage.add("SQS request", 3 * (step["verb"] == "execution ended"))  # send, receive, delete
        usage.add("GB of logs", step["log_bytes"] / 1e9)
        waiting = sum(latency(name) * number for name, number in calls.items())
        memory = MEMORY if step["verb"] == "tick" else ASKING_MEMORY
        memory = API_MEMORY if step["by_api"] else memory
        usage.add("GB-second", gb_seconds(step["cpu"], waiting, memory))
    usage.add("GB-second", _cold_seconds(packages))
    return usage


def _transitions() -> int:
    """Return how many states an approved execution enters."""
    definition = json.loads((ROOT / "statemachine.asl.json").read_text())
    entered = [definition["StartAt"]]
    while after := definition["States"][entered[-1]].get("Next"):
        entered.append(after)
    return len(entered)


def _cold_seconds(packages: Packages) -> float:
    """Return the gigabyte-seconds of a cold start of the request's function, and the API's."""
    memories = {"request function": ASKING_MEMORY, "page": API_MEMORY}
    return sum(
        gb_seconds(*figures(packages, *FUNCTIONS[name])[0], memory)
        for name, memory in memories.items()
    )


def _row(name: str, usage: Usage, times: float) -> Row:
    costs = usage.costs()
    groups = [sum(costs.get(one, 0) for one in names) * times for names in GROUPS.values()]
    return (name, *(f"{dollars:.4f}" for dollars in (sum(costs.values()) * times, *groups)))


def _idle(packages: Packages) -> Row:
    """Return what the tick of a month costs that has nothing to do."""
    ticks = 30 * 24 * 60
    _, (cpu, waiting) = figures(packages, *FUNCTIONS["tick, nothing due"])
    each = PRICES["Lambda request"] + PRICES["GB-second"] * gb_seconds(cpu, waiting, MEMORY)
    reads = 4 * PRICES["read unit"]  # eight queries of nothing, half a unit each
    return ("43,200 ticks that find nothing due", f"{ticks * (each + reads):.2f}")
