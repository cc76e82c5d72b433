"""EDGE: settings -> clients -> adapters, each made when first used and then kept.

The only maker of clients. They come from botocore, which boto3 wraps: the same clients, without
a third of boto3's import time (docs/decisions/0003-botocore-clients.md).
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from . import links
from .settings import Settings
from .store import Store

if TYPE_CHECKING:
    from .callbacks import Callbacks
    from .dead_letters import DeadLetters
    from .events import EventBus
    from .notifier import Notifier

# Bounded: a call gives up within about 9 s, so that even a page that needs two of them answers
# before API Gateway does (29 s). Parameters are built by our adapters, whose tests check them.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
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
        """The stage's settings; LookupError if the environment lacks any."""
        return Settings.from_env(self._env)

    @cached_property
    def store(self) -> Store:
        """DynamoDB."""
        return Store(self._client("dynamodb"), self.settings.table)

    @cached_property
    def callbacks(self) -> "Callbacks":
        """Step Functions."""
        from .callbacks import Callbacks  # noqa: PLC0415 (a first page doesn't pay for it)

        return Callbacks(self._client("stepfunctions"), self.settings.state_machine_arn)

    @cached_property
    def notifier(self) -> "Notifier":
        """SNS."""
        from .notifier import Notifier  # noqa: PLC0415 (a first page doesn't pay for it)

        return Notifier(self._client("sns"), self.settings.topic_arn_prefix)

    @cached_property
    def event_bus(self) -> "EventBus":
        """EventBridge."""
        from .events import EventBus  # noqa: PLC0415 (a first page doesn't pay for it)

        return EventBus(self._client("events"), self.settings.stage)

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        """SQS."""
        from .dead_letters import DeadLetters  # noqa: PLC0415 (only who refuses a message pays)

        return DeadLetters(self._client("sqs"), self.settings.dead_letters_url)

    @property
    def public_url(self) -> str:
        """The base of decision links, without a slash at its end."""
        return self.settings.public_url

    @property
    def approver_domains(self) -> tuple[str, ...]:
        """The mail domains that may be asked."""
        return self.settings.approver_domains

    def now(self) -> datetime:
        """Return the time in UTC, in whole seconds as everything here counts."""
        return datetime.now(UTC).replace(microsecond=0)

    def secret(self) -> str:
        """Return a new secret for a decision link."""
        return links.secret(os.urandom(links.SECRET_BYTES))

    def log(self, event: str, **facts: object) -> None:
        """Write one line of JSON to the function's log."""
        print(json.dumps({"event": event, **facts}), flush=True)

    @cached_property
    def _session(self) -> Any:
        return botocore.session.get_session()

    def _client(self, service: str) -> Any:
        return self._session.create_client(service, config=_CONFIG)
