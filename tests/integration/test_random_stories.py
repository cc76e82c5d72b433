"""Any story, shorter, on the real adapters; the AWS behind them is moto's."""

import json
from collections import Counter
from dataclasses import replace
from functools import partial
from queue import Queue
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from moto.sns.models import sns_backends

from chalicelib.adapters.eventbridge import EventBridgeBus
from chalicelib.adapters.sns import SnsMailer
from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from tests.aws.clients import an_account, session
from tests.aws.table import real_store
from tests.integration.statemachine.engine import ACCOUNT, REGION, asking
from tests.unit.state_machine.actions import DEEDS, EVERYBODY, OPEN, do
from tests.unit.state_machine.state_machine import FATES, TELLING, AnyStory, Fate


class Moto:
    """An account of its own. Assent's state machine runs in it, and its function only waits."""

    def __init__(self) -> None:
        self._account = an_account()
        self._account.start()
        self._tokens: Queue[str] = Queue()
        self._engine = asking(lambda event, _: self._tokens.put(event["taskToken"]))
        self._tasks: dict[str, tuple[str, str]] = {}
        """The token that a story knows a task by -> its token in moto, and its execution."""
        self._sent: Counter[tuple[str, str]] = Counter()
        self.store = real_store()
        self.executions = StepFunctionsExecutions(self._engine.client, self._engine.machine)
        calls: Any = self._engine.client.meta.events
        calls.register("provide-client-params.sfn", self._with_real_token)
        self.mailer = SnsMailer(
            session().client("sns"), f"arn:aws:sns:{REGION}:{ACCOUNT}:assent-test-approver-"
        )

        events, self._sqs = session().client("events"), session().client("sqs")
        self.event_bus = EventBridgeBus(events, "test")
        self._queue = self._sqs.create_queue(QueueName="outcomes")["QueueUrl"]
        events.put_rule(Name="outcomes", EventPattern='{"source": ["assent"]}')
        queue = {"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:outcomes"}
        events.put_targets(Rule="outcomes", Targets=[queue])

    def task(self, request: dict[str, Any]) -> str:
        execution = self._engine.start(request, request["subject"].replace(" ", "-"))
        token = f"task-{len(self._tasks)}"
        self._tasks[token] = self._tokens.get(timeout=60), execution
        return token

    def subscribe(self, address: str, subscription: str) -> None:
        """Do what that person does; moto keeps no count of e-mail subscriptions."""
        if subscription == "none":
            self._sent += self._mails_of(address)
            self.mailer.forget(address)
            return
        if self._topic(address) is None:
            self.mailer.invite(address)
        topic = self._topic(address)
        topic.subscriptions_pending = int(subscription == "pending")
        topic.subscriptions_confimed = int(subscription == "confirmed")

    def came_of(self, task_token: str) -> str:
        ended = self._engine.end(self._tasks[task_token][1])
        if ended["status"] == "FAILED":
            return str(ended["error"])
        assert ended["status"] == "SUCCEEDED"
        return str(json.loads(ended["output"])["outcome"])

    def mails(self) -> Counter[tuple[str, str]]:
        return sum(map(self._mails_of, EVERYBODY), self._sent)

    def announced(self) -> Counter[str]:
        found: Counter[str] = Counter()
        while messages := self._sqs.receive_message(QueueUrl=self._queue).get("Messages"):
            found.update(json.loads(m["Body"])["detail"]["approvalId"] for m in messages)
        return found

    def end(self) -> None:
        self._engine.stop()
        self._account.stop()

    def _with_real_token(self, params: dict[str, Any], **_: Any) -> None:
        """Say moto's token, which is another each time; ids made of it would change the story."""
        if "taskToken" in params:
            params["taskToken"], _execution = self._tasks[params["taskToken"]]

    def _topic(self, address: str) -> Any:
        return sns_backends[ACCOUNT][REGION].topics.get(self.mailer.topic_arn(address))

    def _mails_of(self, address: str) -> Counter[tuple[str, str]]:
        topic = self._topic(address)
        sent = topic.sent_notifications if topic else []
        return Counter((address, subject) for _, _, subject, *_ in sent)


class AnyStoryInMoto(AnyStory):
    """Few stories, and so each begins with everything that people do, in any order."""

    world = Moto

    def _ask(self, data: st.DataObject, fate: Fate | None) -> None:
        super()._ask(data, fate)
        for verb in data.draw(st.permutations(OPEN), "verbs"):
            deed = replace(data.draw(DEEDS), verb=verb)
            self._do(partial(do, self.ports, deed), data.draw(FATES), again=False)


@pytest.mark.usefixtures("credentials")
def test_any_story_on_the_real_adapters() -> None:
    """What holds on the fakes holds on DynamoDB, SNS, Step Functions and EventBridge."""
    run_state_machine_as_test(
        AnyStoryInMoto,
        settings=settings(
            max_examples=settings().max_examples // 4,
            stateful_step_count=settings().stateful_step_count // 2,
            phases=TELLING,
        ),
    )
