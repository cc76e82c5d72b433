"""The backend of random stories with the real adapters; the AWS behind them is moto's."""

import json
from collections import Counter
from queue import Queue
from typing import Any

from moto.sns.models import sns_backends

from chalicelib.adapters.eventbridge import EventBridgeBus
from chalicelib.adapters.sns import SnsMailer
from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from tests.aws.clients import an_account, session
from tests.aws.table import real_store
from tests.integration.statemachine.engine import ACCOUNT, REGION, asking
from tests.unit.state_machine.requests import PEOPLE


class MotoBackend:
    """An empty account in which Assent's state machine runs; its function only waits."""

    def __init__(self) -> None:
        self._account = an_account()
        self._account.start()
        self._tokens: Queue[str] = Queue()
        self._engine = asking(lambda event, _: self._tokens.put(event["taskToken"]))
        self._tasks: dict[str, tuple[str, str]] = {}
        """Task token in the story -> the task token in moto, and the execution."""
        self._sent: Counter[tuple[str, str]] = Counter()
        self.store = real_store()
        self.executions = StepFunctionsExecutions(self._engine.client, self._engine.machine)
        calls: Any = self._engine.client.meta.events
        calls.register("provide-client-params.sfn", self._put_real_token)
        sns = session().client("sns")
        sns.meta.events.register("after-call.sns.ListSubscriptionsByTopic", self._list_by_counters)
        self.mailer = SnsMailer(sns, f"arn:aws:sns:{REGION}:{ACCOUNT}:assent-test-approver-")

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

    def set_subscription(self, address: str, subscription: str) -> None:
        """Set moto's counters of subscriptions, which it doesn't change for e-mail.

        `_list_by_counters` has moto's list of subscriptions agree with them.
        """
        if subscription == "none":
            self._sent += self._mails_of(address)
            self.mailer.forget(address)
            return
        if self._topic(address) is None:
            self.mailer.invite(address)
        topic = self._topic(address)
        topic.subscriptions_pending = int(subscription == "pending")
        topic.subscriptions_confimed = int(subscription == "confirmed")

    def task_result(self, task_token: str) -> str:
        ended = self._engine.end(self._tasks[task_token][1])
        if ended["status"] == "FAILED":
            return str(ended["error"])
        assert ended["status"] == "SUCCEEDED"
        return str(json.loads(ended["output"])["outcome"])

    def mails(self) -> Counter[tuple[str, str]]:
        return sum(map(self._mails_of, PEOPLE), self._sent)

    def announcements(self) -> Counter[str]:
        found: Counter[str] = Counter()
        while messages := self._sqs.receive_message(QueueUrl=self._queue).get("Messages"):
            found.update(json.loads(m["Body"])["detail"]["approvalId"] for m in messages)
        return found

    def close(self) -> None:
        self._engine.stop()
        self._account.stop()

    def _put_real_token(self, params: dict[str, Any], **_: Any) -> None:
        """Send moto's task token instead of the story's.

        moto's is random. Ids derived from it would make each run of a story another story.
        """
        if "taskToken" in params:
            params["taskToken"], _execution = self._tasks[params["taskToken"]]

    def _list_by_counters(self, parsed: dict[str, Any], **_: Any) -> None:
        """List an e-mail subscription as pending until the story confirms it; moto does at once."""
        for found in parsed["Subscriptions"]:
            topic = sns_backends[ACCOUNT][REGION].topics[found["TopicArn"]]
            if not topic.subscriptions_confimed:
                found["SubscriptionArn"] = "PendingConfirmation"

    def _topic(self, address: str) -> Any:
        return sns_backends[ACCOUNT][REGION].topics.get(self.mailer.topic_arn(address))

    def _mails_of(self, address: str) -> Counter[tuple[str, str]]:
        topic = self._topic(address)
        sent = topic.sent_notifications if topic else []
        return Counter((address, subject) for _, _, subject, *_ in sent)
