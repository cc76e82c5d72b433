"""What the roles of an example may do, as IAM has it."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from examples.scene import Scene
from tests.sandbox.client import Sandbox
from tools.sandbox.people import Person

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:"


class May:
    """Tries things as somebody who has the very policy of a role.

    Nobody here can take a state machine's role itself: it is for Step Functions alone.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._people: dict[str, Person] = {}

    def __call__(
        self, scene: Scene, who: str, service: str, action: str, arguments: Mapping[str, Any]
    ) -> bool:
        """Return whether `who` gets past IAM, whatever the service itself says then.

        `who` is a function as its role's output names it, or StateMachine.
        """
        person = self._person(scene, self._role(scene, who))
        client = self._sandbox.client(
            service, aws_access_key_id=person.key, aws_secret_access_key=person.secret
        )
        try:
            getattr(client, action)(**arguments)
        except ClientError as e:
            return "not authorized" not in e.response["Error"]["Message"]
        return True

    def _role(self, scene: Scene, who: str) -> str:
        arn = scene.outputs.get(f"{who}RoleArn")
        if who == "StateMachine":
            arn = self._sandbox.client("stepfunctions").describe_state_machine(
                stateMachineArn=scene.outputs["StateMachineArn"]
            )["roleArn"]
        assert arn is not None
        return arn.rpartition("/")[2]

    def _person(self, scene: Scene, role: str) -> Person:
        """Return somebody with the role's one policy; the same one for the same role."""
        if role not in self._people:
            iam = self._sandbox.client("iam")
            (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
            found = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            document = found if isinstance(found, str) else json.dumps(found)
            made = iam.create_policy(PolicyName=role, PolicyDocument=document)
            self._people[role] = Person.new(scene.account, role, made["Policy"]["Arn"])
        return self._people[role]
