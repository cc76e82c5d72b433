"""The permissions of an example's roles, as IAM enforces them."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from examples.deployed import DeployedExample
from tests.sandbox.client import Sandbox
from tools.sandbox.users import IamUser

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:"

Call = tuple[str, str, Mapping[str, Any]]
"""Service, action and arguments of a call."""

_ASSENTS = {"executionArn": f"{EXECUTION}assent-sandbox:x"}
ASK_A_CHILD: list[Call] = [
    ("stepfunctions", "start_execution", {"stateMachineArn": f"{MACHINE}assent-sandbox"}),
    ("stepfunctions", "describe_execution", _ASSENTS),
    ("stepfunctions", "stop_execution", _ASSENTS),
]
"""What a state machine calls that asks by a child.

The three actions of EventBridge aren't here: MiniStack looks for the rule under another ARN than
AWS. tests/integration/statemachine/child_role.py compares them with the documentation.
"""


def nothing_but_a_child(machine: str) -> list[Call]:
    """Return calls that the role of that state machine, which asks by a child, may not make."""
    return [
        ("stepfunctions", "start_execution", {"stateMachineArn": f"{MACHINE}{machine}-sandbox"}),
        (
            "stepfunctions",
            "describe_execution",
            {"executionArn": f"{EXECUTION}{machine}-sandbox:x"},
        ),
        ("stepfunctions", "get_execution_history", _ASSENTS),
        ("stepfunctions", "send_task_success", {"taskToken": "x", "output": "{}"}),
        ("lambda", "invoke", {"FunctionName": "assent-sandbox-request_approval"}),
    ]


class May:
    """Makes calls as an IAM user that has a role's policy.

    A test can't assume a state machine's role itself, because only Step Functions may.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._users: dict[str, IamUser] = {}

    def __call__(
        self,
        deployed: DeployedExample,
        who: str,
        service: str,
        action: str,
        arguments: Mapping[str, Any],
    ) -> bool:
        """Return whether IAM allows the call; the service itself may refuse it for another reason.

        `who` is a function, named as in its role's output, or StateMachine.
        """
        user = self._user(deployed, self._role(deployed, who))
        client = self._sandbox.client(
            service, aws_access_key_id=user.key, aws_secret_access_key=user.secret
        )
        try:
            getattr(client, action)(**arguments)
        except ClientError as e:
            return "not authorized" not in e.response["Error"]["Message"]
        return True

    def _role(self, deployed: DeployedExample, who: str) -> str:
        arn = deployed.outputs.get(f"{who}RoleArn")
        if who == "StateMachine":
            arn = self._sandbox.client("stepfunctions").describe_state_machine(
                stateMachineArn=deployed.outputs["StateMachineArn"]
            )["roleArn"]
        assert arn is not None
        return arn.rpartition("/")[2]

    def _user(self, deployed: DeployedExample, role: str) -> IamUser:
        """Return an IAM user with the role's policy, one user for each role."""
        if role not in self._users:
            iam = self._sandbox.client("iam")
            (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
            found = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            document = found if isinstance(found, str) else json.dumps(found)
            made = iam.create_policy(PolicyName=role, PolicyDocument=document)
            self._users[role] = IamUser.create(deployed.account, role, made["Policy"]["Arn"])
        return self._users[role]
