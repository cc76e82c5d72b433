"""The options of `make deploy` that become parameters of the stack, checked before anything else.

CloudFormation would refuse a bad one only while it makes the resource, and roll back.
"""

import re

from tools.errors import ToolError

_TOPIC = re.compile(r"arn:[a-z0-9-]+:sns:[a-z0-9-]+:[0-9]+:[A-Za-z0-9_-]+(\.fifo)?")
_MACHINE = re.compile(r'arn:[^\s"\\,]*:stateMachine:[^\s"\\,:]+')
"""With `*` for any part. A version or alias after the name would match no event."""


def stack_parameters(
    *, alarm_topic: str | None, watch: str | None, log_days: str | None
) -> dict[str, str]:
    """Return the given parameters; raise ToolError for one that the stack couldn't use."""
    if alarm_topic is not None and not _TOPIC.fullmatch(alarm_topic):
        raise ToolError(
            f"ALARM_TOPIC is {alarm_topic!r}: it has to be the ARN of an SNS topic, such as "
            "arn:aws:sns:us-east-1:111122223333:alarms. Nothing was deployed"
        )
    for arn in [] if watch is None else watch.split(","):
        if not _MACHINE.fullmatch(arn.strip()) or "**" in arn:
            raise ToolError(
                f"WATCH: {arn.strip()!r} isn't the ARN of a state machine, without version or "
                "alias, such as arn:aws:states:us-east-1:111122223333:stateMachine:orders or "
                "...:stateMachine:orders-*. Nothing was deployed"
            )
    given = {
        "AlarmTopicArn": alarm_topic,
        "WatchedStateMachines": watch,
        "LogRetentionDays": log_days,
    }
    return {key: value for key, value in given.items() if value is not None}
