"""The client's contract on the deployed API; the fake in tests/unit/client keeps the same one."""

from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from assent_client import Assent
from assent_client.errors import refusal

from tests.client_contract import ClientContract, Target
from tests.policies_contract import BOSS, CTO, PoliciesContract, PolicyTarget, ResultsContract
from tests.sandbox.client import Sandbox, press, until


class OfTheSandbox:
    """The sandbox as the contract's target; people press the buttons of mailed pages."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.api = _client(sandbox, "operator")

    def decide(self, subject: str, approver: str, choice: str, reason: str) -> None:
        """Press the button of the mailed page."""
        answer = press(self._sandbox.link(approver, subject, choice), reason)
        if answer.status >= 400:
            raise refusal(answer.status, answer.json)

    def until(self, look: Callable[[], Any], good: Callable[[Any], object]) -> Any:
        """Return what `look` gives once it is good, within half a minute."""
        return until(look, good, seconds=30)


class WithAnAuthor(OfTheSandbox):
    """The sandbox with an author of policies, and people who approve alone."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.author = _client(sandbox, "contract-author")

    def break_glass(self, subject: str, approver: str, reason: str) -> None:
        """Press the button that approves alone."""
        link = self._sandbox.link(approver, subject)
        answer = press(link, reason, breakGlass="yes")
        if answer.status >= 400:
            raise refusal(answer.status, answer.json)


def _client(sandbox: Sandbox, who: str) -> Assent:
    """Return the client, signed by that user of the sandbox."""
    session, user = botocore.session.Session(), sandbox.state[who]
    session.set_credentials(user["accessKeyId"], user["secretAccessKey"])
    session.set_config_variable("region", sandbox.state["aws"]["region"])
    return Assent(sandbox.state["api"], session=session)


class TestSandbox(ClientContract):
    @pytest.fixture
    def target(self, sandbox: Sandbox) -> Target:
        return OfTheSandbox(sandbox)


@pytest.fixture(scope="module")
def users(sandbox: Sandbox) -> Sandbox:
    """Return the sandbox with the author; mail reaches everybody whom policies name."""
    for person in (BOSS, CTO):
        assert sandbox.call("PUT", f"/approvers/{person}").status == 200
    return sandbox.with_user("contract-author", "PolicyAuthorPolicyArn")


class TestSandboxPolicies(PoliciesContract, ResultsContract):
    @pytest.fixture
    def target(self, users: Sandbox) -> PolicyTarget:
        return WithAnAuthor(users)
