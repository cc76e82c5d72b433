"""Executions that end: their event, the rule that takes three fields of it, redrive, deletion."""

import json
from typing import Any

import boto3
import pytest
from botocore.model import ListShape, StructureShape

from .engine import Engine
from .witness import answer, argument, errors, lint_codes, operation, plain

OWN = "arn:aws:states:us-east-1:123456789012:stateMachine:assent-dev"
PATHS = {name: f"$.detail.{name}" for name in ("executionArn", "status", "stopDate")}
TEMPLATE = '{"executionArn": "<executionArn>", "status": "<status>", "stopDate": <stopDate>}'
"""With quotes, unlike ours: moto doesn't add them."""
BARE = TEMPLATE.replace('"<', "<").replace('>"', ">")


def _rule(pattern: Any) -> dict[str, Any]:
    return {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern}}


def test_a_redriven_execution_keeps_its_arn() -> None:
    """So an old event may speak of an execution that runs again."""
    text = plain(operation("stepfunctions", "RedriveExecution").documentation)
    assert "same state machine definition and execution ARN as the original" in text
    assert "failed, aborted, or timed out executions" in text


def test_a_closed_task_is_refused_under_one_error() -> None:
    """The end of its execution closes a task as well."""
    text = errors("stepfunctions", "SendTaskFailure")["TaskTimedOut"]
    assert "the task associated with the token has already been closed" in text


def test_moto_takes_an_answer_for_a_stopped_execution(engine: Engine) -> None:
    """AWS refuses it; the execution stays as it was stopped."""
    execution = engine.start(engine.machine(Wait=engine.waiting()))
    token = engine.token()
    engine.client.stop_execution(executionArn=execution)
    assert engine.succeed(token) == "accepted"
    assert engine.end(execution)["status"] == "ABORTED"


def test_the_model_describes_the_input_transformer() -> None:
    """JSON paths are taken from the event, and a template may be JSON with bare variables."""
    targets = argument("events", "PutTargets", "Targets")
    assert isinstance(targets, ListShape)
    assert isinstance(targets.member, StructureShape)
    transformer = targets.member.members["InputTransformer"]
    assert isinstance(transformer, StructureShape)
    template = plain(transformer.members["InputTemplate"].documentation)
    assert "can also be valid JSON with varibles in quotes or out" in template


def test_a_target_gets_the_fields_of_the_template_alone(account: boto3.Session) -> None:
    """The input and output of the execution stay behind."""
    events, sqs = account.client("events"), account.client("sqs")
    url = sqs.create_queue(QueueName="ended")["QueueUrl"]
    others = {"wildcard": "arn:aws:states:*:stateMachine:orders-*"}
    pattern = {
        "source": ["aws.states"],
        "detail": {"status": ["ABORTED"], "stateMachineArn": [OWN, others]},
    }
    events.put_rule(Name="ended", EventPattern=json.dumps(pattern))
    arn = "arn:aws:sqs:us-east-1:123456789012:ended"
    transformer: Any = {"InputPathsMap": PATHS, "InputTemplate": TEMPLATE}
    events.put_targets(
        Rule="ended", Targets=[{"Id": "1", "Arn": arn, "InputTransformer": transformer}]
    )
    machines = (OWN, "arn:aws:states:us-east-1:1:stateMachine:orders-1", OWN + "2")
    for number, machine in enumerate(machines):
        detail = {
            "executionArn": f"execution {number}",
            "stateMachineArn": machine,
            "status": "ABORTED",
            "stopDate": 1_780_000_000_000,
            "input": "a private input",
        }
        entry = {"Source": "aws.states", "DetailType": "x", "Detail": json.dumps(detail)}
        events.put_events(Entries=[entry])
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"]) for message in found] == [
        {"executionArn": f"execution {n}", "status": "ABORTED", "stopDate": 1_780_000_000_000}
        for n in range(2)
    ]


def test_moto_does_not_quote_texts_in_a_template(account: boto3.Session) -> None:
    """AWS and MiniStack do; when this fails, moto has been corrected."""
    events, sqs = account.client("events"), account.client("sqs")
    sqs.create_queue(QueueName="ended")
    events.put_rule(Name="ended", EventPattern='{"source": ["x"]}')
    arn = "arn:aws:sqs:us-east-1:123456789012:ended"
    transformer: Any = {"InputPathsMap": PATHS, "InputTemplate": BARE}
    events.put_targets(
        Rule="ended", Targets=[{"Id": "1", "Arn": arn, "InputTransformer": transformer}]
    )
    detail = json.dumps({"executionArn": "arn", "status": "FAILED", "stopDate": 1})
    with pytest.raises(json.JSONDecodeError):
        events.put_events(Entries=[{"Source": "x", "DetailType": "x", "Detail": detail}])


def test_a_pattern_may_be_text_in_a_template() -> None:
    """A template can't make a list of patterns from a list of ARNs, but it can join text."""
    text = '{"source": ["aws.states"]}'
    codes = lint_codes({"Text": _rule(text), "List": _rule([text])})
    assert codes["Text"] == set()
    assert codes["List"]


def test_a_source_may_be_closed_to_put_events() -> None:
    """As `aws.*` is; the sandbox shows it."""
    entries = answer("events", "PutEvents")["Entries"]
    assert isinstance(entries, ListShape)
    assert isinstance(entries.member, StructureShape)
    assert "NotAuthorizedForSourceException" in plain(
        entries.member.members["ErrorCode"].documentation
    )


def test_an_expired_item_is_deleted_within_days_and_read_until_then() -> None:
    """So nothing may depend on the moment, or take an expired approval for a deleted one."""
    text = plain(operation("dynamodb", "UpdateTimeToLive").documentation)
    assert "typically deletes expired items within two days" in text
    assert "have expired and not been deleted will still show up in reads" in text


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"])
def test_the_statuses_of_an_ended_execution_are_those_of_the_api(status: str) -> None:
    """The rule names all of them but RUNNING and PENDING_REDRIVE."""
    found = answer("stepfunctions", "DescribeExecution")["status"]
    assert status in found.enum  # type: ignore[attr-defined]
    assert len(found.enum) == 6  # type: ignore[attr-defined]
