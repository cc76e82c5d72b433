"""The contract of policies on the real app, in this process; test_fake has the fake."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from assent_client import Assent
from assent_client.errors import refusal
from assent_client.types import Started

from chalicelib.application import asking
from tests.policies_contract import PoliciesContract, PolicyTarget
from tests.unit.entrypoints.client import JSON, AppClient, AppPorts


class Asking(Assent):
    """A client whose executions ask at once: in this process no state machine does."""

    ports: AppPorts

    def start(self, request: Mapping[str, Any], key: str | None = None) -> Started:
        """Start an execution, and do what its first state does."""
        started = super().start(request, key)
        arn = started["executionArn"]
        task = {"taskToken": f"task-{arn}", "executionArn": arn, "request": request}
        assert asking.request_approval(self.ports, task, "function") is not None
        return started


class OfTheApp:
    """The app as the contract's target; people press the buttons of mailed pages."""

    def __init__(self, api: Assent, ports: AppPorts, pages: AppClient) -> None:
        self.api = self.author = Asking(api.url, session=api.session)
        self.api.ports = self._ports = ports
        self._pages = pages

    def decide(self, subject: str, approver: str, choice: str, reason: str) -> None:
        """Press the button of the mailed page."""
        self._press(subject, approver, choice, reason=reason)

    def break_glass(self, subject: str, approver: str, reason: str) -> None:
        """Press the button for approving alone."""
        self._press(subject, approver, "approve", reason=reason, breakGlass="yes")

    def until(self, look: Callable[[], Any], good: Callable[[Any], object]) -> Any:
        """Return what it gives: here all happens at once."""
        seen = look()
        assert good(seen)
        return seen

    def _press(self, subject: str, approver: str, choice: str, **form: str | list[str]) -> None:
        texts = [email.text for to, email in self._ports.mailer.sent if to == approver]
        (asked,) = [text for text in texts if subject in text and "/approve/" in text]
        token = asked.split("/approve/")[1].split()[0]
        answer = self._pages.post_form(f"/{choice}/{token}", JSON, **form)
        if answer.status >= 400:
            raise refusal(answer.status, answer.json)


class TestPoliciesOfTheApp(PoliciesContract):
    @pytest.fixture
    def target(self, api: Assent, ports: AppPorts, tmp_path: Any) -> PolicyTarget:
        return OfTheApp(api, ports, AppClient(str(tmp_path)))
