"""The policy of an approver's topic, as an emulator of IAM evaluates it, and in moto's SNS."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

from chalicelib.adapters.sns import SnsMailer
from chalicelib.adapters.topic_policy import GUARDED, ROLES, same_policy, topic_policy
from chalicelib.domain.errors import Refused
from tests.aws.clients import session
from tests.aws.table import calls
from tools.stage import Stage
from tools.template import load_template

from ..tools.conftest import CHECKOUT

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

ACCOUNT = "arn:aws:iam::123456789012"
PREFIX = "arn:aws:sns:us-east-1:123456789012:assent-dev-approver-"
ADA = "ada@example.com"
TOPIC = f"{PREFIX}{'0123456789abcdef' * 2}"
POLICY: dict[str, Any] = json.loads(topic_policy(TOPIC))
RESOURCES = load_template(CHECKOUT / "infrastructure.yaml")["Resources"]
STRANGERS = [
    "user/ada",
    "role/Administrator",
    "role/assent-dev-2-TickRole-ABC",
    "role/assent-dev-ApiRole",
    "role/assent-dev-StateMachineRole-ABC",
    "role/assent-dev-RecordDecisionRole-ABC",
    "role/x-assent-dev-TickRole-ABC",
    "user/assent-dev-TickRole-ABC",
    "role/path/assent-dev-TickRole-ABC",
]


def decision(principal: str, action: str) -> str:
    """Return what the policy says: Allow, Deny, or ImplicitDeny, which leaves it to IAM."""
    context = EvalContext(principal, "", "123456789012", action, TOPIC, "us-east-1")
    return evaluate_resource_policy(topic_policy(TOPIC), context).decision


@pytest.mark.parametrize(
    "action",
    [
        "sns:AddPermission", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic",
        "sns:Publish", "sns:RemovePermission", "sns:SetTopicAttributes", "sns:Subscribe",
    ],
)  # fmt: skip
def test_only_the_stages_functions_use_a_topic(action: str) -> None:
    """Other stages, other roles and administrators are denied, whatever their own IAM allows."""
    for role in ROLES:
        assert decision(f"{ACCOUNT}:role/assent-dev-{role}-1ABCDEF", action) == "Allow"
    for who in (*STRANGERS, "root"):
        assert decision(f"{ACCOUNT}:{who}", action) == "Deny"
    other_account = "arn:aws:iam::999999999999:role/assent-dev-TickRole-ABC"
    assert decision(other_account, action) == "Deny"


@pytest.mark.parametrize("who", ["root", "role/Administrator", "role/assent-dev-ApiRole-ABC"])
def test_a_topic_can_be_deleted_by_everybody_whom_iam_allows(who: str) -> None:
    """So a stage can be destroyed, and nobody is locked out."""
    assert decision(f"{ACCOUNT}:{who}", "sns:DeleteTopic") != "Deny"


def test_confirming_and_unsubscribing_by_a_mails_link_are_none_of_the_guarded_actions() -> None:
    """SNS refuses a topic's policy that speaks of them."""
    assert not {"sns:ConfirmSubscription", "sns:Unsubscribe"} & {*GUARDED}
    assert "*" not in str([statement["Action"] for statement in POLICY["Statement"]])


def test_the_policy_is_one_that_sns_takes() -> None:
    """An id and statement ids of its own, one topic, and less than 30 KB."""
    assert POLICY["Id"]
    assert {statement["Resource"] for statement in POLICY["Statement"]} == {TOPIC}
    assert len({statement["Sid"] for statement in POLICY["Statement"]}) == 2
    assert len(topic_policy(TOPIC)) < 30_000


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_roles_are_in_the_topics_partition_and_account(partition: str) -> None:
    text = topic_policy(TOPIC.replace("arn:aws:", f"arn:{partition}:"))
    assert f"arn:{partition}:iam::123456789012:role/assent-dev-TickRole-*" in text
    assert text.count("arn:") == text.count(f"arn:{partition}:")


def test_the_guarded_roles_are_those_that_call_sns() -> None:
    """In a stack of any name: CloudFormation makes their names, or the template gives them."""
    calling = {
        name
        for name, found in RESOURCES.items()
        if found["Type"] == "AWS::IAM::Role" and "sns:" in str(found["Properties"]["Policies"])
    }
    assert calling == {*ROLES}
    for role in ROLES:
        condition, generated, given = RESOURCES[role]["Properties"]["RoleName"]["Fn::If"]
        assert (condition, generated) == ("StackHasOurName", {"Ref": "AWS::NoValue"})
        assert given == {"Fn::Sub": f"assent-${{Stage}}-{role}-${{AWS::Region}}"}
        longest = Stage("s" * 21).prefix + f"-{role}-ap-northeast-1"
        assert len(longest) <= 64, "IAM's limit"


@pytest.fixture
def sns(account: None) -> "SNSClient":  # noqa: ARG001 (it must be there first)
    """Return a client of SNS in moto."""
    return session().client("sns")


def test_a_topic_has_its_policy_from_its_creation(sns: "SNSClient") -> None:
    """No moment is left in which somebody else could subscribe."""
    mailer = SnsMailer(sns, PREFIX)
    made = calls(sns)
    mailer.invite(ADA)
    assert [name for name, _ in made] == ["Subscribe", "CreateTopic", "Subscribe"]
    arn = mailer.topic_arn(ADA)
    stored = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    assert json.loads(stored) == json.loads(topic_policy(arn))


def test_an_existing_topic_is_mended_once_when_it_is_next_used(sns: "SNSClient") -> None:
    """One call more, and none for a topic that has its policy."""
    mailer = SnsMailer(sns, PREFIX)
    arn = sns.create_topic(Name=mailer.topic_arn(ADA).rpartition(":")[2])["TopicArn"]
    made = calls(sns)
    for _ in range(2):
        mailer.subscription(ADA)
    assert [name for name, _ in made] == [
        "GetTopicAttributes",
        "SetTopicAttributes",
        "ListSubscriptionsByTopic",
        "GetTopicAttributes",
        "ListSubscriptionsByTopic",
    ]
    stored = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    assert same_policy(stored, topic_policy(arn))


def test_a_policy_is_the_same_in_any_spelling() -> None:
    """SNS may give it back with other blanks, another order, or one value for a list of one."""
    spelled = json.dumps(POLICY, indent=4, sort_keys=True)
    turned = json.loads(spelled)
    for statement in turned["Statement"]:
        statement["Action"].reverse()
        statement["Resource"] = [statement["Resource"]]
    turned["Statement"].reverse()
    assert same_policy(spelled, topic_policy(TOPIC))
    assert same_policy(json.dumps(turned), topic_policy(TOPIC))


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        (0, {"Principal": "*"}),
        (0, {"Action": "sns:*"}),
        (1, {"Effect": "Allow"}),
        (1, {"Action": GUARDED[:-1]}),
        (1, {"Condition": {"ArnNotLike": {"aws:PrincipalArn": f"{ACCOUNT}:*"}}}),
        (1, {"Condition": {"ArnLike": {"aws:PrincipalArn": []}}}),
    ],
)
def test_a_policy_with_our_id_and_other_statements_is_another_one(
    statement: int, changed: dict[str, Any]
) -> None:
    """Anybody can copy an id, so each part counts."""
    forged = json.loads(topic_policy(TOPIC))
    forged["Statement"][statement] |= changed
    assert not same_policy(json.dumps(forged), topic_policy(TOPIC))
    assert not same_policy(topic_policy(TOPIC.replace("-dev-", "-dev-2-")), topic_policy(TOPIC))
    assert not same_policy("{}", topic_policy(TOPIC))


@pytest.mark.parametrize("copies_policy", [True, False])
def test_nobody_reads_an_approvers_mail_by_making_the_topic_first(
    sns: "SNSClient", copies_policy: bool
) -> None:
    """The name can be computed and CreateTopic not denied: a foreign subscription is refused.

    Deleting the topic is the remedy: it is made anew with its approver's subscription alone.
    """
    mailer = SnsMailer(sns, PREFIX)
    arn = sns.create_topic(Name=mailer.topic_arn(ADA).rpartition(":")[2])["TopicArn"]
    queue = "arn:aws:sqs:us-east-1:123456789012:attacker"
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=ADA)
    if copies_policy:
        sns.set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=topic_policy(arn)
        )
    with pytest.raises(Refused, match="ForeignSubscription"):
        mailer.subscription(ADA)
    stored = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    assert same_policy(stored, topic_policy(arn))
    mailer.forget(ADA)
    assert mailer.subscription(ADA) == "none"
    mailer.invite(ADA)
    assert mailer.subscription(ADA) == "confirmed"
