"""Checks of what a stage stores and says: table, backup, dead letters, alarms."""

from collections.abc import Iterator

from .account import Account
from .finding import Finding, verdict, wrong

INDEXES = {"approver", "due", "execution", "outcome", "requester"}
DEAD_LETTERS = (
    *("-dead-letters", "-decisions-dead-letters"),
    *("-requests-dead-letters", "-ended-dead-letters"),
)
"""What follows `assent-<stage>` in the names of the queues that nothing reads by itself."""


def table(account: Account) -> Iterator[Finding]:
    """Yield whether the table and each of its indexes can be used."""
    found = account.client("dynamodb").describe_table(TableName=account.name)["Table"]
    indexes = {
        one["IndexName"]: one.get("IndexStatus", "ACTIVE")
        for one in found.get("GlobalSecondaryIndexes", [])
    }
    for name in sorted(INDEXES - indexes.keys()):
        todo = f"{account.deploy}; make it by hand if the stack doesn't own the table"
        yield wrong("table", f"{account.name} has no index {name}", todo)
    states = {account.name: found["TableStatus"]} | indexes
    bad = [f"{name} is {state}" for name, state in states.items() if state != "ACTIVE"]
    good = f"{account.name} and its indexes are ACTIVE"
    yield from verdict("table", bad, "wait; until then lists lack items", good)


def backup(account: Account) -> Iterator[Finding]:
    """Yield whether the table can be restored."""
    found = account.client("dynamodb").describe_continuous_backups(TableName=account.name)
    recovery = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    on = recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
    bad = [] if on else [f"point-in-time recovery of {account.name} is off"]
    todo = "turn it on: aws dynamodb update-continuous-backups"
    yield from verdict("backup", bad, todo, "point-in-time recovery is on")


def dead_letters(account: Account) -> Iterator[Finding]:
    """Yield which dead-letter queues hold something."""
    sqs, bad = account.client("sqs"), []
    wanted = "ApproximateNumberOfMessages"
    for suffix in DEAD_LETTERS:
        name = account.name + suffix
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])["Attributes"]
        if int(attributes[wanted]):
            bad.append(f"{name} has {attributes[wanted]} messages")
    todo = "docs/operating.md, Dead letters, says what they are"
    yield from verdict("dead letters", bad, todo, "there are none")


def alarms(account: Account) -> Iterator[Finding]:
    """Yield which alarms ring, and whether they notify anybody."""
    pages = account.client("cloudwatch").get_paginator("describe_alarms")
    found = [
        alarm
        for page in pages.paginate(AlarmNamePrefix=f"{account.name}-")
        for alarm in page["MetricAlarms"]
    ]
    ringing = [one for one in found if one["StateValue"] == "ALARM"]
    for one in ringing:
        said = f"{one['AlarmName']} rings: {one.get('AlarmDescription', '')}"
        yield wrong("alarms", said, "docs/operating.md, When an alarm rings")
    if not found:
        yield wrong("alarms", "there are none", account.deploy)
    elif not any(one.get("AlarmActions") for one in found):
        yield wrong("alarms", "they notify nobody", f"{account.deploy} ALARM_TOPIC=arn:...")
    elif not ringing:
        yield from verdict("alarms", [], "", f"none of {len(found)} rings")
