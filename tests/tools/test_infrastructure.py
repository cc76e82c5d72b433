import json
import subprocess
import sys
from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from chalice.app import SQSEventConfig

from app import app
from tools.config import Config
from tools.errors import ToolError
from tools.stage import Stage
from tools.template import LIMIT, load_template, template_body

from .conftest import CHECKOUT

TEMPLATE = load_template(CHECKOUT / "infrastructure.yaml")
CFN_LINT = "import sys, cfnlint.runner; sys.exit(cfnlint.runner.main())"
FUNCTIONS = {
    "ApiRole": "",
    "RequestApprovalRole": "-request_approval",
    "RecordDecisionRole": "-record_decision",
    "DecisionFromQueueRole": "-decision_from_queue",
    "RequestFromQueueRole": "-request_from_queue",
    "TickRole": "-tick",
}
"""Each function's role, and how the name of the function ends."""
ROLES = ("StateMachineRole", *FUNCTIONS)


def statements(role: str) -> list[dict[str, Any]]:
    """Return what a role may do."""
    (policy,) = TEMPLATE["Resources"][role]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def actions(role: str) -> set[str]:
    """Return the names of all that a role may do."""
    found: set[str] = set()
    for statement in statements(role):
        asked = statement["Action"]
        found |= {asked} if isinstance(asked, str) else set(asked)
    return found


def test_cfn_lint_has_nothing_to_say(project: Path) -> None:
    """The template is right as a file, and with the state machine's definition in it."""
    whole = project / "whole.json"
    whole.write_text(template_body(project))
    for file in (CHECKOUT / "infrastructure.yaml", whole):
        done = subprocess.run(  # our own Python
            [sys.executable, "-c", CFN_LINT, str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "")


def test_only_task_tokens_are_answered_on_every_resource() -> None:
    """`*` stands where the service knows no resource, and nowhere else."""
    for role in ROLES:
        for statement in statements(role):
            if statement["Resource"] == "*":
                assert statement["Sid"] in ("ResumeTasks", "RefuseTasks")
                assert (
                    all("states:SendTask" in action for action in statement["Action"].split())
                    if (isinstance(statement["Action"], str))
                    else all(action.startswith("states:SendTask") for action in statement["Action"])
                )


def test_every_invitation_is_mail_to_a_permitted_address() -> None:
    """Whoever may subscribe may subscribe e-mail, of the stage's domains, to approvers' topics."""
    for role in ("ApiRole", "RequestApprovalRole", "RequestFromQueueRole", "TickRole"):
        found = [s for s in statements(role) if "sns:Subscribe" in s["Action"]]
        assert len(found) == 1
        assert found[0]["Action"] == "sns:Subscribe"
        assert found[0]["Resource"]["Fn::Sub"].endswith(":assent-${Stage}-approver-*")
        assert found[0]["Condition"] == {
            "StringEquals": {"sns:Protocol": "email"},
            "StringLike": {"sns:Endpoint": {"Ref": "ApproverEndpoints"}},
        }


def test_nobody_may_scan_delete_or_make_log_groups() -> None:
    """No role can lose an approval, read them all at once, or log where nothing expires."""
    for role in ROLES:
        assert not actions(role) & {
            "dynamodb:Scan",
            "dynamodb:DeleteItem",
            "dynamodb:*",
            "logs:CreateLogGroup",
        }
        assert not any("*" in action for action in actions(role))


def test_the_operator_policy_opens_the_signed_routes_and_nothing_else() -> None:
    """Every signed route is matched by a pattern, no public one is, and no pattern is idle."""
    policy = TEMPLATE["Resources"]["OperatorPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = policy["Statement"]
    patterns = [r["Fn::Sub"].partition("${ApiId}/api/")[2] for r in statement["Resource"]]
    signed: list[str] = []
    for path, methods in app.routes.items():
        for method, route in methods.items():
            called = method + path
            if route.authorizer is not None:
                signed.append(called)
            opened = any(fnmatchcase(called, pattern) for pattern in patterns)
            assert opened == (route.authorizer is not None), called
    assert signed
    idle = [p for p in patterns if not any(fnmatchcase(called, p) for called in signed)]
    assert idle == []


def test_each_role_may_query_the_indexes_that_its_function_asks() -> None:
    """The API finds an approval by execution, approver and outcome, the tick what is due."""
    asked = {"ApiRole": ["approver", "execution", "outcome"], "TickRole": ["due"]}
    for role in FUNCTIONS:
        indexes = asked.get(role, [])
        found = [s["Resource"]["Fn::Sub"] for s in statements(role) if "Query" in str(s["Action"])]
        assert sorted(arn.rpartition("/")[2] for arn in found) == indexes


def test_each_function_has_a_role_and_a_log_of_its_own() -> None:
    """It writes into its own log, which expires; and there is no function without."""
    assert {f"assent-dev{end}" for end in FUNCTIONS.values()} == set(Stage("dev").functions)
    groups = [
        resource["Properties"]["LogGroupName"]["Fn::Sub"]
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    ]
    assert sorted(groups) == sorted(f"/aws/lambda/assent-${{Stage}}{e}" for e in FUNCTIONS.values())
    for role, end in FUNCTIONS.items():
        (logs,) = (s for s in statements(role) if s["Sid"] == "Logs")
        assert logs["Resource"]["Fn::Sub"].endswith(f":/aws/lambda/assent-${{Stage}}{end}:*")


QUEUES = {
    name: resource["Properties"]
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::SQS::Queue"
}


def test_each_queue_that_chalice_wants_is_there_with_its_dead_letters(project: Path) -> None:
    """By its name, with time for six runs of the function, and a place for what fails five times.

    Six and five are AWS's own advice (docs/fidelity.md).
    """
    outputs: dict[str, str] = defaultdict(lambda: "x")
    Config(project).write(Stage("dev"), outputs, ("example.com",), "https://x.example")
    config = json.loads((project / ".chalice" / "config.json").read_text())
    functions = config["stages"]["dev"]["lambda_functions"]
    sources = {e.queue: e.name for e in app.event_sources if isinstance(e, SQSEventConfig)}
    assert len(sources) == 2
    named = {q["QueueName"]["Fn::Sub"].replace("${Stage}", "dev"): q for q in QUEUES.values()}
    for queue, function in sources.items():
        found = named[queue]
        assert found["VisibilityTimeout"] >= 6 * functions[function]["lambda_timeout"]
        assert found["RedrivePolicy"]["maxReceiveCount"] == 5
        dead = QUEUES[found["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]
        assert dead["QueueName"]["Fn::Sub"].replace("${Stage}", "dev") == f"{queue}-dead-letters"
        assert dead["MessageRetentionPeriod"] > found["MessageRetentionPeriod"]


def test_every_dead_letter_rings() -> None:
    """Each queue that nothing reads has an alarm on its first message."""
    read = {
        q["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for q in QUEUES.values()
        if "RedrivePolicy" in q
    }
    watched = {
        resource["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for resource in TEMPLATE["Resources"].values()
        if resource.get("Properties", {}).get("Namespace") == "AWS/SQS"
    }
    assert watched == read | {"DeadLetters"}


def test_messages_are_encrypted_where_they_lie() -> None:
    """With keys that SQS keeps itself, at no cost."""
    assert len(QUEUES) == 5
    assert all(queue["SqsManagedSseEnabled"] is True for queue in QUEUES.values())


def test_only_the_stages_topic_is_let_into_a_queue() -> None:
    """By a queue's own policy; who of the account may send is up to its IAM."""
    policies = [r for r in TEMPLATE["Resources"].values() if r["Type"] == "AWS::SQS::QueuePolicy"]
    assert len(policies) == 1
    (statement,) = policies[0]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "DecisionsTopic"}}}


def test_only_the_tick_puts_events_and_on_the_default_bus_alone() -> None:
    """Whoever closes an approval leaves it to the tick to say so."""
    found = [
        (r, s["Resource"]) for r in ROLES for s in statements(r) if "events:" in str(s["Action"])
    ]
    ((role, resource),) = found
    assert role == "TickRole"
    assert resource["Fn::Sub"].endswith(":event-bus/default")


def test_the_topic_leaves_it_to_iam_who_may_publish() -> None:
    """SNS's default policy, which it replaces, is about everybody."""
    policies = [r for r in TEMPLATE["Resources"].values() if r["Type"] == "AWS::SNS::TopicPolicy"]
    assert len(policies) == 1
    (statement,) = policies[0]["Properties"]["PolicyDocument"]["Statement"]
    root = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
    assert statement["Principal"] == {"AWS": {"Fn::Sub": root}}
    assert statement["Action"] == "sns:Publish"


def test_a_function_reads_its_own_queue_alone_and_writes_dead_letters_alone() -> None:
    """No function can send a decision or a request, nor read what was refused."""
    for role in FUNCTIONS:
        found = [(s["Sid"], s["Resource"]) for s in statements(role) if "sqs:" in str(s["Action"])]
        reads = {"DecisionFromQueueRole": "Decisions", "RequestFromQueueRole": "Requests"}.get(role)
        assert [r["Fn::GetAtt"][0] for sid, r in found if sid == "Messages"] == (
            [reads] if reads else []
        )
        others = [r["Fn::GetAtt"][0] for sid, r in found if sid != "Messages"]
        assert set(others) <= {"DeadLetters"}
        sends = [s["Action"] for s in statements(role) if s["Sid"] == "RefusedMessages"]
        assert sends == (["sqs:SendMessage"] if reads else [])


def test_the_table_outlives_its_stack() -> None:
    """Audit trails are not deleted along with code."""
    table = TEMPLATE["Resources"]["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True
    }


def test_every_alarm_can_be_heard_and_a_silent_tick_is_one() -> None:
    """The topic that is given gets all of them; a tick that doesn't run has no data to show."""
    alarms = {
        name: resource["Properties"]
        for name, resource in TEMPLATE["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert len(alarms) == 11
    for alarm in alarms.values():
        assert alarm["AlarmActions"]["Fn::If"][:2] == ["AlarmsAreHeard", [{"Ref": "AlarmTopicArn"}]]
    assert alarms["OverdueAlarm"]["TreatMissingData"] == "breaching"
    (overdue,) = TEMPLATE["Resources"]["OverdueFilter"]["Properties"]["MetricTransformations"]
    assert "DefaultValue" not in overdue


def test_a_missing_file_is_named(project: Path) -> None:
    """Half a project is refused before AWS is asked for anything."""
    (project / "statemachine.asl.json").unlink()
    with pytest.raises(ToolError, match=r"statemachine\.asl\.json can't be read"):
        template_body(project)


def test_a_template_that_cloudformation_would_refuse_is_refused_here(project: Path) -> None:
    """The limit of a template that is sent along is named with the size."""
    (project / "statemachine.asl.json").write_text(json.dumps({"Comment": "x" * LIMIT}))
    with pytest.raises(ToolError, match=f"bytes of {LIMIT}"):
        template_body(project)
