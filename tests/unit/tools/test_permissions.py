"""The roles of `infrastructure.yaml`: each allows the calls of its function, and no other."""

from typing import Any

import pytest

from tools.template import load_template

from .conftest import CHECKOUT

RESOURCES = load_template(CHECKOUT / "infrastructure.yaml")["Resources"]

ITEMS = {"dynamodb:GetItem", "dynamodb:PutItem"}
ANSWER_TASKS = {"states:SendTaskSuccess", "states:SendTaskFailure"}
MAIL = {
    "sns:GetTopicAttributes",
    "sns:SetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:CreateTopic",
    "sns:Subscribe",
    "sns:Publish",
}
READ_QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
ALLOWED: dict[str, set[str]] = {
    "StateMachineRole": {"lambda:InvokeFunction"},
    "ApiRole": ITEMS
    | ANSWER_TASKS
    | {"dynamodb:BatchGetItem", "dynamodb:Query", "states:StartExecution"}
    | {"states:DescribeExecution", "states:DescribeStateMachineForExecution"}
    | {"states:GetExecutionHistory", "sns:ConfirmSubscription", "sns:DeleteTopic"}
    | (MAIL - {"sns:Publish"})
    | LOG,
    "RequestApprovalRole": ITEMS
    | {"states:SendTaskFailure", "dynamodb:BatchGetItem", "dynamodb:Query"}
    | MAIL
    | LOG,
    "RecordDecisionRole": ITEMS | ANSWER_TASKS | LOG,
    "DecisionFromQueueRole": ITEMS | ANSWER_TASKS | READ_QUEUE | {"sqs:SendMessage"} | LOG,
    "RequestFromQueueRole": ITEMS
    | {"dynamodb:BatchGetItem", "states:SendTaskFailure", "sqs:SendMessage"}
    | MAIL
    | READ_QUEUE
    | LOG,
    "ExecutionEndedRole": ITEMS
    | {"dynamodb:BatchGetItem", "dynamodb:Query", "sqs:SendMessage"}
    | READ_QUEUE
    | LOG,
    "TickRole": ITEMS
    | ANSWER_TASKS
    | {"dynamodb:Query", "events:PutEvents", "sqs:SendMessage"}
    | MAIL
    | LOG,
}
"""Role -> the calls that its function makes. The sandbox runs them with IAM enforced."""


QUEUE_READERS = {
    "DecisionFromQueueRole": "Decisions",
    "RequestFromQueueRole": "Requests",
    "ExecutionEndedRole": "Ended",
}


def statements(role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's policy."""
    (policy,) = RESOURCES[role]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_allows_the_calls_of_its_function_and_no_other(role: str) -> None:
    """One action too few stops the function, one too many is a risk."""
    actions = [statement["Action"] for statement in statements(role)]
    flat = [one for found in actions for one in ([found] if isinstance(found, str) else found)]
    assert set(flat) == ALLOWED[role]
    assert len(flat) == len(set(flat)) + (2 if role == "ApiRole" else 0), "Query of three indexes"


def test_every_role_is_tested() -> None:
    """A new role belongs into the table above."""
    roles = {name for name, found in RESOURCES.items() if found["Type"] == "AWS::IAM::Role"}
    assert roles == ALLOWED.keys()


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_is_named_only_where_the_stack_is_not_named_after_the_stage(role: str) -> None:
    """Another name would replace the role under the running functions."""
    condition, generated, given = RESOURCES[role]["Properties"]["RoleName"]["Fn::If"]
    assert condition == "StackHasOurName"
    assert generated == {"Ref": "AWS::NoValue"}
    assert given == {"Fn::Sub": f"assent-${{Stage}}-{role}-${{AWS::Region}}"}
    longest = f"assent-{'s' * 20}-{role}-ap-northeast-1"
    assert len(longest) <= 64, "IAM's limit"


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_is_for_one_service(role: str) -> None:
    """Step Functions may take its role only for this stage's state machine."""
    (trust,) = RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    if role != "StateMachineRole":
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        return
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    condition = trust["Condition"]
    assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    name = RESOURCES["StateMachine"]["Properties"]["StateMachineName"]["Fn::Sub"]
    assert condition["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(
        f":${{AWS::Region}}:${{AWS::AccountId}}:stateMachine:{name}"
    )


def test_the_state_machine_may_invoke_one_function() -> None:
    """The one in its definition."""
    (statement,) = statements("StateMachineRole")
    machine = RESOURCES["StateMachine"]["Properties"]
    assert statement["Resource"] == machine["DefinitionSubstitutions"]["RequestApprovalFunction"]
    assert statement["Resource"]["Fn::Sub"].endswith(":function:assent-${Stage}-request_approval")


def test_the_functions_reach_this_stages_resources_alone() -> None:
    """Every ARN names the stage, but for task answers and the default event bus."""
    for role in ALLOWED:
        for statement in statements(role):
            resource = str(statement["Resource"])
            named = "assent-${Stage}" in resource or "Fn::GetAtt" in resource
            assert named or statement["Sid"] in ("ResumeTasks", "RefuseTasks", "AnnounceOutcomes")


def test_only_task_answers_are_allowed_on_every_resource() -> None:
    """`states:SendTask*` match no resource; every other action names its resource."""
    for role in ALLOWED:
        for statement in statements(role):
            if statement["Resource"] == "*":
                assert statement["Sid"] in ("ResumeTasks", "RefuseTasks")
                assert "states:SendTask" in str(statement["Action"])


def test_roles_may_subscribe_only_permitted_mail_addresses() -> None:
    """By e-mail, in the stage's domains, to approvers' topics."""
    for role in ALLOWED:
        found = [s for s in statements(role) if "sns:Subscribe" in s["Action"]]
        if not found:
            continue
        assert len(found) == 1
        assert found[0]["Action"] == "sns:Subscribe"
        assert found[0]["Resource"]["Fn::Sub"].endswith(":assent-${Stage}-approver-*")
        assert found[0]["Condition"] == {
            "StringEquals": {"sns:Protocol": "email"},
            "StringLike": {"sns:Endpoint": {"Ref": "ApproverEndpoints"}},
        }


def test_each_role_may_query_the_indexes_that_its_function_reads() -> None:
    """Approvals are found by execution, approver or outcome, or because they are due."""
    readers = {
        "ApiRole": ["approver", "due", "execution", "outcome", "requester"],
        "RequestApprovalRole": ["execution"],
        "ExecutionEndedRole": ["execution"],
        "TickRole": ["due"],
    }
    for role in ALLOWED:
        indexes = readers.get(role, [])
        queried = [s["Resource"] for s in statements(role) if "Query" in str(s["Action"])]
        found = [one for arns in queried for one in (arns if isinstance(arns, list) else [arns])]
        assert sorted(arn["Fn::Sub"].rpartition("/")[2] for arn in found) == indexes


def test_events_go_to_the_default_bus_alone() -> None:
    """The outcome of an approval that another function closes is announced by the next tick."""
    (statement,) = (s for s in statements("TickRole") if s["Action"] == "events:PutEvents")
    assert statement["Resource"]["Fn::Sub"].endswith(":event-bus/default")


def test_a_function_may_read_its_own_queue_and_write_dead_letters_only() -> None:
    """No function may send decisions or requests, or read dead letters."""
    for role in ALLOWED:
        found = [(s["Sid"], s["Resource"]) for s in statements(role) if "sqs:" in str(s["Action"])]
        reads = QUEUE_READERS.get(role)
        assert [r["Fn::GetAtt"][0] for sid, r in found if sid == "Messages"] == (
            [reads] if reads else []
        )
        others = [r["Fn::GetAtt"][0] for sid, r in found if sid != "Messages"]
        assert set(others) <= {"DeadLetters"}
        sends = [s["Action"] for s in statements(role) if s["Sid"] == "RefusedMessages"]
        assert sends == (["sqs:SendMessage"] if reads else [])
