"""`.chalice/config.json`: reads a stage's settings and variables, and writes those of a deploy.

Settings that a deploy doesn't write stay as they are, and so do the approvers' mail domains
(ASSENT_APPROVER_DOMAINS) and a domain of your own in ASSENT_PUBLIC_URL.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.errors import ToolError
from tools.stage import Stage
from tools.stage_settings import TUNABLE, Limits, StageSettings, assent_settings

UNKNOWN_URL = "https://not-deployed.invalid"  # until Chalice has made the API
_DOMAIN = re.compile(r"\*|[a-z0-9-]+(\.[a-z0-9-]+)+")

Json = dict[str, Any]


class Config:
    """The `.chalice/config.json` of a project. Each method reads the file anew."""

    def __init__(self, project: Path) -> None:
        self._path = project / ".chalice" / "config.json"

    def domains(self, stage: Stage, given: str | None = None) -> tuple[str, ...]:
        """Return the mail domains whose addresses may be asked: `given`, or else the recorded ones.

        `given` is comma-separated. Raises ToolError if there are none, or if one is no domain.
        """
        recorded = self._variables(self._read(), stage).get("ASSENT_APPROVER_DOMAINS", "")
        domains = tuple(d.strip().lower() for d in (given or recorded).split(",") if d.strip())
        if not domains:
            raise ToolError(
                "no mail domains of approvers: give them once, DOMAINS=example.com,... "
                "(`*` allows any address), or set ASSENT_APPROVER_DOMAINS of stage "
                f"{stage} in {self._path}"
            )
        for domain in domains:
            if not _DOMAIN.fullmatch(domain):
                raise ToolError(
                    f"DOMAINS: {domain!r} is no mail domain: it looks like example.com, without '@'"
                )
        return domains

    def update_assent_stage(
        self,
        stage: Stage,
        *,
        outputs: Mapping[str, str],
        domains: tuple[str, ...],
        public_url: str,
        limits: Limits,
        given: Mapping[str, str | None] | None = None,
        existing_stack: str | None = None,
    ) -> None:
        """Write the settings and variables of a stage of Assent, from its stack's outputs.

        `given` are variables that may be missing; None keeps the recorded one.
        `existing_stack` is the stack's name if something else deploys it.
        """
        before = self._variables(self._read(), stage)
        variables = {
            "ASSENT_STAGE": stage.name,
            "ASSENT_TABLE": outputs["TableName"],
            "ASSENT_STATE_MACHINE_ARN": outputs["StateMachineArn"],
            "ASSENT_TOPIC_ARN_PREFIX": outputs["TopicArnPrefix"],
            "ASSENT_DEAD_LETTERS_URL": outputs["DeadLettersUrl"],
            "ASSENT_PUBLIC_URL": _own_domain(before.get("ASSENT_PUBLIC_URL", "")) or public_url,
            "ASSENT_APPROVER_DOMAINS": ",".join(domains),
        }
        variables |= {name: value for name, value in (given or {}).items() if value is not None}
        self.update_stage(stage, assent_settings(outputs, limits, existing_stack), variables)

    def update_stage(
        self, stage: Stage, settings: StageSettings, variables: Mapping[str, str]
    ) -> None:
        """Write settings and variables into the stage; everything else in the file stays.

        `manage_iam_role` beside the stages has Chalice refuse a stage that has no role yet, before
        it calls AWS.
        """
        config = self._read()
        stages = config.setdefault("stages", {})
        merged = _merged(stages.get(stage.name, {}), settings)
        before = self._variables(config, stage)
        stages[stage.name] = merged | {"environment_variables": {**before, **variables}}
        self._write({"version": "2.0", "app_name": stage.app, "manage_iam_role": False} | config)

    def stage(self, stage: Stage) -> Json:
        """Return all that the file has for the stage; nothing before its first deploy."""
        recorded: Json = self._read().get("stages", {}).get(stage.name, {})
        return recorded

    def existing_stack(self, stage: Stage) -> str | None:
        """Return the name of the stage's stack if something else deploys it."""
        name: str | None = self.stage(stage).get("existing_stack")
        return name

    def public_url(self, stage: Stage) -> str:
        """Return the recorded base URL of the links in mails, or UNKNOWN_URL."""
        return self._variables(self._read(), stage).get("ASSENT_PUBLIC_URL", UNKNOWN_URL)

    def _variables(self, config: Json, stage: Stage) -> dict[str, str]:
        variables: dict[str, str] = (
            config.get("stages", {}).get(stage.name, {}).get("environment_variables", {})
        )
        return variables

    def _read(self) -> Json:
        try:
            config: Json = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as e:
            raise ToolError(f"{self._path} is no JSON: {e}") from e
        return config

    def _write(self, config: Json) -> None:
        """Replace the file in one step: a crash leaves the old one whole."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
        new.replace(self._path)


def _merged(recorded: Json, settings: Mapping[str, Any]) -> Json:
    """Return `recorded` updated with `settings`, but for tunable ones that are recorded."""
    merged = dict(recorded)
    for key, value in settings.items():
        if isinstance(value, dict):
            merged[key] = _merged(recorded.get(key, {}), value)
        elif key not in TUNABLE or key not in recorded:
            merged[key] = value
    return merged


def _own_domain(url: str) -> str | None:
    """Return the URL if a person set it, and None if it is API Gateway's or leads nowhere."""
    host = urlsplit(url).hostname or ""
    if (
        not host
        or ".execute-api." in host
        or "/_aws/execute-api/" in url
        or host.endswith(".invalid")
    ):
        return None
    return url.rstrip("/")
