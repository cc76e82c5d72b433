import json
import re
from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from chalice.app import SQSEventConfig

from app import app
from chalicelib.domain.workflow import EndedExecution
from tools.config import Config
from tools.errors import ToolError
from tools.stage import Stage
from tools.stage_settings import Limits
from tools.template import LIMIT, load_template, template_body

from .conftest import CHECKOUT

TEMPLATE = load_template(CHECKOUT / "infrastructure.yaml")
EXAMPLES = sorted(file.parent for file in CHECKOUT.glob("examples/*/infrastructure.yaml"))
FUNCTIONS = {
    "ApiRole": "",
    "RequestApprovalRole": "-request_approval",
    "RecordDecisionRole": "-record_decision",
    "DecisionFromQueueRole": "-decision_from_queue",
    "RequestFromQueueRole": "-request_from_queue",
    "ExecutionEndedRole": "-execution_ended",
    "TickRole": "-tick",
}
"""Each function's role, and how the name of the function ends."""


def statements(role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's policy."""
    (policy,) = TEMPLATE["Resources"][role]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def patterns(policy: str) -> list[str]:
    """Return the methods and paths of the API that a managed policy opens."""
    (statement,) = TEMPLATE["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]
    found = statement["Resource"]
    resources = found if isinstance(found, list) else [found]
    return [resource["Fn::Sub"].partition("${ApiId}/api/")[2] for resource in resources]


ERASING = "DELETE/approvals/{approval_id}"
AUTHORING = ["PUT/policies/{name}", "DELETE/policies/{name}"]


def test_each_signed_route_is_opened_by_the_operator_policy_or_one_of_its_own() -> None:
    """Erasing and writing policies by theirs alone, all others by the first; no idle pattern."""
    operator, erasure = patterns("OperatorPolicy"), patterns("ErasurePolicy")
    signed: list[str] = []
    for path, methods in app.routes.items():
        for method, route in methods.items():
            called = method + path
            if route.authorizer is not None:
                signed.append(called)
            opened = any(fnmatchcase(called, pattern) for pattern in operator)
            operators = called not in (ERASING, *AUTHORING)
            assert opened == (route.authorizer is not None and operators), called
    assert [called for called in signed if fnmatchcase(called, *erasure)] == [ERASING]
    author = patterns("PolicyAuthorPolicy")
    by_author = [called for called in signed if any(fnmatchcase(called, p) for p in author)]
    assert by_author == ["GET/policies", "GET/policies/{name}", *AUTHORING]
    idle = [p for p in operator if not any(fnmatchcase(called, p) for called in signed)]
    assert idle == []


def test_the_read_only_policy_opens_what_changes_nothing() -> None:
    """Every GET that is signed, and the link to a console that may change nothing."""
    signed = [
        method + path
        for path, methods in app.routes.items()
        for method, route in methods.items()
        if route.authorizer is not None
    ]
    reading = {called for called in signed if called.startswith("GET")}
    wanted = reading | {"POST/console/read-only-sessions"}
    opened = patterns("ReadOnlyPolicy")
    assert {c for c in signed if any(fnmatchcase(c, p) for p in opened)} == wanted
    assert [p for p in opened if not any(fnmatchcase(c, p) for c in signed)] == []


def test_every_managed_policy_keeps_a_destroy_from_failing_halfway() -> None:
    """A destroy looks whether one is attached, by its output."""
    resources = TEMPLATE["Resources"].items()
    policies = [name for name, found in resources if found["Type"] == "AWS::IAM::ManagedPolicy"]
    assert policies == ["OperatorPolicy", "ReadOnlyPolicy", "ErasurePolicy", "PolicyAuthorPolicy"]
    for policy in policies:
        assert TEMPLATE["Outputs"][f"{policy}Arn"]["Value"] == {"Ref": policy}


def test_the_dashboard_reads_logs_and_metrics_that_there_are() -> None:
    """Its body is JSON, its queries name log groups of the stack, its metrics are filters'."""
    resources = TEMPLATE["Resources"]
    text = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = [one["properties"] for one in json.loads(text)["widgets"]]
    queries = [one["query"] for one in widgets if "query" in one]
    groups = {
        found["Properties"]["LogGroupName"]["Fn::Sub"]
        for found in resources.values()
        if found["Type"] == "AWS::Logs::LogGroup"
    }
    filtered = {
        (made["MetricNamespace"]["Fn::Sub"], made["MetricName"])
        for found in resources.values()
        if found["Type"] == "AWS::Logs::MetricFilter"
        for made in found["Properties"]["MetricTransformations"]
    }
    named = [set(re.findall(r"SOURCE '(.*?)'", query)) for query in queries]
    assert len(queries) == 3
    assert all(sources and sources <= groups for sources in named)
    shown = {tuple(metric) for one in widgets for metric in one.get("metrics", ())}
    assert shown
    assert shown <= filtered


def test_each_function_has_a_role_and_a_log_of_its_own() -> None:
    """It may write to its own log group, which expires."""
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
    Config(project).update_assent_stage(
        Stage("dev"),
        outputs=outputs,
        domains=("example.com",),
        public_url="https://x.example",
        limits=Limits(),
    )
    config = json.loads((project / ".chalice" / "config.json").read_text())
    functions = config["stages"]["dev"]["lambda_functions"]
    sources = {e.queue: e.name for e in app.event_sources if isinstance(e, SQSEventConfig)}
    assert len(sources) == 3
    named = {q["QueueName"]["Fn::Sub"].replace("${Stage}", "dev"): q for q in QUEUES.values()}
    for queue, function in sources.items():
        found = named[queue]
        assert found["VisibilityTimeout"] >= 6 * functions[function]["lambda_timeout"]
        assert found["RedrivePolicy"]["maxReceiveCount"] == 5
        dead = QUEUES[found["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]
        assert dead["QueueName"]["Fn::Sub"].replace("${Stage}", "dev") == f"{queue}-dead-letters"
        assert dead["MessageRetentionPeriod"] > found["MessageRetentionPeriod"]


def test_every_dead_letter_queue_has_an_alarm() -> None:
    """Which its first message triggers."""
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


def test_queues_are_encrypted() -> None:
    """With keys that SQS manages, at no cost."""
    assert len(QUEUES) == 7
    assert all(queue["SqsManagedSseEnabled"] is True for queue in QUEUES.values())


def policies(kind: str, template: Any = TEMPLATE) -> list[dict[str, Any]]:
    """Return the properties of a template's resource policies of this type."""
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]


def allowed(kind: str) -> list[dict[str, Any]]:
    """Return the statements of these policies that allow something."""
    found = [s for p in policies(kind) for s in p["PolicyDocument"]["Statement"]]
    return [statement for statement in found if statement["Effect"] == "Allow"]


@pytest.mark.parametrize("folder", [CHECKOUT, *EXAMPLES], ids=lambda folder: folder.name)
def test_every_queue_and_topic_demands_tls(folder: Path) -> None:
    """Each has one policy, because a second one would replace it, and that refuses plain HTTP."""
    template = load_template(folder / "infrastructure.yaml")
    for kind, policy, of, action in (
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
    ):
        named = [name for name, found in template["Resources"].items() if found["Type"] == kind]
        covered = [ref["Ref"] for found in policies(policy, template) for ref in found[of]]
        assert sorted(covered) == sorted(named)
        for found in policies(policy, template):
            (deny,) = (s for s in found["PolicyDocument"]["Statement"] if s["Effect"] == "Deny")
            assert (deny["Principal"], deny["Action"]) == ("*", action)
            assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_queue_policy_allows_only_the_stages_topic_or_rule() -> None:
    """Senders of the account itself are allowed by IAM."""
    senders = {
        ("sns.amazonaws.com", "DecisionsTopic"): {"Ref": "DecisionsTopic"},
        ("events.amazonaws.com", "EndedRule"): {"Fn::GetAtt": ["EndedRule", "Arn"]},
    }
    found = [
        (s["Principal"], s["Action"], s["Condition"]) for s in allowed("AWS::SQS::QueuePolicy")
    ]
    assert found == [
        ({"Service": service}, "sqs:SendMessage", {"ArnEquals": {"aws:SourceArn": arn}})
        for (service, _), arn in senders.items()
    ]


def test_the_rule_takes_the_three_fields_that_the_function_reads() -> None:
    """The event also holds the input and output of the execution, which nobody here needs."""
    (target,) = TEMPLATE["Resources"]["EndedRule"]["Properties"]["Targets"]
    assert target.keys() == {"Id", "Arn", "InputTransformer"}, "a dead letter is the whole event"
    transformer = target["InputTransformer"]
    paths = {field: f"$.detail.{field}" for field in EndedExecution.__struct_encode_fields__}
    assert transformer["InputPathsMap"] == paths
    filled = transformer["InputTemplate"].replace("<stopDate>", "1780000000000")
    filled = re.sub(r"<(\w+)>", lambda found: json.dumps(found[1]), filled)
    assert json.loads(filled).keys() == paths.keys()


@pytest.mark.parametrize("others", [[], ["arn:1"], ["arn:1*", "arn:2"]])
def test_the_rule_matches_our_executions_and_the_watched_ones_that_ended(
    others: list[str],
) -> None:
    """As CloudFormation fills its pattern: ours by ARN, others by wildcards."""
    joined = {"Ref": "WatchedStateMachines"}
    pattern, values = TEMPLATE["Resources"]["EndedRule"]["Properties"]["EventPattern"]["Fn::Sub"]
    condition, listed, nothing = values["Others"]["Fn::If"]
    each, arns = listed["Fn::Sub"]
    separator, names = arns["Arns"]["Fn::Join"]
    assert (condition, names) == ("OthersAreWatched", joined)
    more = each.replace("${Arns}", separator.join(others)) if others else nothing
    text = pattern.replace("${StateMachine}", "arn:own").replace("${Others}", more)
    found = json.loads(text)
    assert found["source"] == ["aws.states"]
    assert found["detail-type"] == ["Step Functions Execution Status Change"]
    ends = set(get_args(get_type_hints(EndedExecution)["status"]))
    assert set(found["detail"]["status"]) == ends
    wildcards = [{"wildcard": arn} for arn in others]
    assert found["detail"]["stateMachineArn"] == ["arn:own", *wildcards]


def test_the_topics_policy_leaves_publishing_to_iam() -> None:
    """SNS's default policy, which it replaces, allows every principal of the account."""
    (statement,) = allowed("AWS::SNS::TopicPolicy")
    root = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
    assert statement["Principal"] == {"AWS": {"Fn::Sub": root}}
    assert statement["Action"] == "sns:Publish"


def test_the_table_is_retained() -> None:
    """Audit trails outlive the stack."""
    table = TEMPLATE["Resources"]["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True
    }


def test_a_missing_file_is_named(project: Path) -> None:
    """An incomplete project is refused before any call of AWS."""
    (project / "statemachine.asl.json").unlink()
    with pytest.raises(ToolError, match=r"statemachine\.asl\.json can't be read"):
        template_body(project)


def test_a_template_that_is_too_large_is_refused(project: Path) -> None:
    """The message has its size and CloudFormation's limit."""
    (project / "statemachine.asl.json").write_text(json.dumps({"Comment": "x" * LIMIT}))
    with pytest.raises(ToolError, match=f"bytes of {LIMIT}"):
        template_body(project)
