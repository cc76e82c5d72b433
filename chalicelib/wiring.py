"""Wiring: from settings to clients to adapters, each made when first used and then kept.

This is the only module that makes AWS clients.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from .adapters.botocore_data import FewFiles
from .adapters.dynamodb import DynamoDbStore
from .domain import link_tokens
from .settings import Settings, stage_name

if TYPE_CHECKING:
    from .adapters.dynamodb_policies import DynamoDbPolicies
    from .adapters.dynamodb_sessions import DynamoDbSessions
    from .adapters.eventbridge import EventBridgeBus
    from .adapters.sns import SnsMailer
    from .adapters.sqs import SqsDeadLetters
    from .adapters.stepfunctions import StepFunctionsExecutions

# A call gives up within 7 s (two tries and a pause of up to 1 s), so that a decision ends before
# the API's function times out (outbox_relay.RESUME_LIMIT; tests/unit/test_wiring.py adds it up).
# Parameters aren't validated again: the adapters' tests validate them.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
    parameter_validation=False,
    user_agent="assent",
)


class Wiring:
    """The `Ports` of a deployed stage."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    @cached_property
    def settings(self) -> Settings:
        """The stage's settings; Misconfigured if the environment lacks any."""
        return Settings.from_env(self._env)

    @cached_property
    def store(self) -> DynamoDbStore:
        """DynamoDB."""
        days = self.settings.retention_days
        retention = None if days is None else timedelta(days=days)
        return DynamoDbStore(self._client("dynamodb"), self.settings.table, retention=retention)

    @cached_property
    def policies(self) -> "DynamoDbPolicies":
        """DynamoDB, for policies."""
        from .adapters.dynamodb_policies import DynamoDbPolicies  # noqa: PLC0415 (cold start)

        return DynamoDbPolicies(self._client("dynamodb"), self.settings.table)

    @cached_property
    def sessions(self) -> "DynamoDbSessions":
        """DynamoDB, for the console."""
        from .adapters.dynamodb_sessions import DynamoDbSessions  # noqa: PLC0415 (cold start)

        return DynamoDbSessions(self._client("dynamodb"), self.settings.table)

    @cached_property
    def executions(self) -> "StepFunctionsExecutions":
        """Step Functions."""
        from .adapters.stepfunctions import StepFunctionsExecutions  # noqa: PLC0415 (cold start)

        return StepFunctionsExecutions(
            self._client("stepfunctions"), self.settings.state_machine_arn
        )

    @cached_property
    def mailer(self) -> "SnsMailer":
        """SNS."""
        from .adapters.sns import SnsMailer  # noqa: PLC0415 (cold start)

        return SnsMailer(self._client("sns"), self.settings.topic_arn_prefix, name=self.name)

    @cached_property
    def event_bus(self) -> "EventBridgeBus":
        """EventBridge."""
        from .adapters.eventbridge import EventBridgeBus  # noqa: PLC0415 (cold start)

        return EventBridgeBus(self._client("events"), self.settings.stage)

    @cached_property
    def dead_letters(self) -> "SqsDeadLetters":
        """SQS."""
        from .adapters.sqs import SqsDeadLetters  # noqa: PLC0415 (cold start)

        return SqsDeadLetters(self._client("sqs"), self.settings.dead_letters_url)

    @property
    def own_executions(self) -> str:
        """How the ARN of each execution of the stage's own state machine begins."""
        return self.settings.state_machine_arn.replace(":stateMachine:", ":execution:") + ":"

    @property
    def stage(self) -> str:
        """The Chalice stage's name."""
        return self.settings.stage

    @property
    def name(self) -> str:
        """The name of organisation and stage, for people; "" if there is none."""
        return stage_name(self._env)

    @property
    def public_url(self) -> str:
        """The base of mailed links, without a slash at its end."""
        return self.settings.public_url

    @property
    def approver_domains(self) -> tuple[str, ...]:
        """The mail domains that may be asked."""
        return self.settings.approver_domains

    @property
    def require_policy(self) -> bool:
        """Whether each request must name a policy."""
        return self.settings.require_policy

    @property
    def details_kept(self) -> timedelta | None:
        """How long after the outcome its links show details and reasons; None for ever."""
        number = self.settings.details_days
        return None if number is None else timedelta(days=number)

    def now(self) -> datetime:
        """Return the time in UTC, in whole seconds."""
        return datetime.now(UTC).replace(microsecond=0)

    def secret(self) -> str:
        """Return a new random secret for a link."""
        return link_tokens.secret(os.urandom(link_tokens.SECRET_BYTES))

    def log(self, event: str, **facts: object) -> None:
        """Write one structured log event, a line of JSON."""
        print(json.dumps({"event": event, **facts}), flush=True)

    @cached_property
    def _session(self) -> Any:
        core = botocore.session.get_session()
        core.register_component("data_loader", FewFiles())
        return boto3.Session(botocore_session=core)

    def _client(self, service: str) -> Any:
        try:
            return self._session.client(service, config=_CONFIG)
        except Exception:  # noqa: BLE001 (Lambda's botocore may be newer than FewFiles knows)
            make: Any = boto3.client
            return make(service, config=_CONFIG)
