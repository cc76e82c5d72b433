"""The client's contract on the deployed API; the fake in tests/unit/client keeps the same one."""

from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from assent_client import Assent
from assent_client.errors import refusal

from tests.client_contract import ClientContract, Target
from tests.sandbox.client import Sandbox, press, until


class OfTheSandbox:
    """The sandbox as the contract's target; people press the buttons of mailed pages."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        session = botocore.session.Session()
        operator = sandbox.state["operator"]
        session.set_credentials(operator["accessKeyId"], operator["secretAccessKey"])
        session.set_config_variable("region", sandbox.state["aws"]["region"])
        self.api = Assent(sandbox.state["api"], session=session)

    def decide(self, subject: str, approver: str, choice: str, reason: str) -> None:
        """Press the button of the mailed page."""
        answer = press(self._sandbox.link(approver, subject, choice), reason)
        if answer.status >= 400:
            raise refusal(answer.status, answer.json)

    def until(self, look: Callable[[], Any], good: Callable[[Any], object]) -> Any:
        """Return what `look` gives once it is good, within half a minute."""
        return until(look, good, seconds=30)


class TestSandbox(ClientContract):
    @pytest.fixture
    def target(self, sandbox: Sandbox) -> Target:
        return OfTheSandbox(sandbox)
