"""The stage's part of `.chalice/config.json`: names, roles and variables, from the stack's outputs.

On the map: used by `deploy`; knows the file, not AWS. A person edits ASSENT_APPROVER_DOMAINS, an
ASSENT_PUBLIC_URL of their own domain, and whatever else Chalice can be told; all that stays.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.errors import ToolError
from tools.stage import API_STAGE, Stage

UNKNOWN_URL = "https://not-deployed.invalid"  # until Chalice has made the API
_DOMAIN = re.compile(r"\*|[a-z0-9-]+(\.[a-z0-9-]+)+")

Json = dict[str, Any]


class Config:
    """A project's `.chalice/config.json`, read when asked and written whole."""

    def __init__(self, project: Path) -> None:
        self._path = project / ".chalice" / "config.json"

    def domains(self, stage: Stage, given: str | None = None) -> tuple[str, ...]:
        """Return the mail domains that may be asked: what is given, or else what is recorded.

        Raises ToolError if there are none, or if one of them is no domain.
        """
        recorded = self._variables(self._read(), stage).get("ASSENT_APPROVER_DOMAINS", "")
        found = tuple(d.strip().lower() for d in (given or recorded).split(",") if d.strip())
        if not found:
            raise ToolError(
                "whose mail may be asked for approval? Say it once, `--domains example.com,...` "
                "(`*` allows anybody), or set ASSENT_APPROVER_DOMAINS of stage "
                f"{stage} in {self._path}"
            )
        for domain in found:
            if not _DOMAIN.fullmatch(domain):
                raise ToolError(
                    f"{domain!r} is no mail domain: it looks like example.com, without '@'"
                )
        return found

    def write(
        self, stage: Stage, outputs: Mapping[str, str], domains: tuple[str, ...], public_url: str
    ) -> None:
        """Record what the functions of a stage of Assent need."""
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
        self.record(stage, _stage_settings(outputs), variables)

    def record(self, stage: Stage, settings: Json, variables: Mapping[str, str]) -> None:
        """Put settings and variables into the stage. Nothing else in the file is touched."""
        config = self._read()
        stages = config.setdefault("stages", {})
        merged = _merged(stages.get(stage.name, {}), settings)
        before = self._variables(config, stage)
        stages[stage.name] = merged | {"environment_variables": {**before, **variables}}
        self._write({"version": "2.0", "app_name": stage.app} | config)

    def public_url(self, stage: Stage) -> str:
        """Return the URL that the stage's mails point to."""
        return self._variables(self._read(), stage).get("ASSENT_PUBLIC_URL", UNKNOWN_URL)

    def _variables(self, config: Json, stage: Stage) -> dict[str, str]:
        found: dict[str, str] = (
            config.get("stages", {}).get(stage.name, {}).get("environment_variables", {})
        )
        return found

    def _read(self) -> Json:
        try:
            found: Json = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as e:
            raise ToolError(f"{self._path} is no JSON: {e}") from e
        return found

    def _write(self, config: Json) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
        new.replace(self._path)


def _stage_settings(outputs: Mapping[str, str]) -> Json:
    """Return what a stage needs besides variables. Time-outs are seconds, memory is MB.

    API Gateway gives up after 29 s, so the API's function does before. Answers from 4 KB on are
    compressed, if the client takes that.
    """
    return {
        "api_gateway_stage": API_STAGE,
        "autogen_policy": False,
        "manage_iam_role": False,
        "iam_role_arn": outputs["ApiRoleArn"],
        "lambda_timeout": 28,
        "lambda_memory_size": 512,
        "minimum_compression_size": 4096,
        "lambda_functions": {
            "request_approval": {
                "iam_role_arn": outputs["RequestApprovalRoleArn"],
                "lambda_timeout": 60,
            },
            "record_decision": {"iam_role_arn": outputs["RecordDecisionRoleArn"]},
            "decision_from_queue": {
                "iam_role_arn": outputs["DecisionFromQueueRoleArn"],
                "lambda_timeout": 30,
            },
            "request_from_queue": {
                "iam_role_arn": outputs["RequestFromQueueRoleArn"],
                "lambda_timeout": 60,
            },
            "tick": {"iam_role_arn": outputs["TickRoleArn"], "lambda_timeout": 300},
        },
    }


# What a person may have tuned: written once, then left alone.
_TUNABLE = ("lambda_timeout", "lambda_memory_size", "minimum_compression_size")


def _merged(found: Json, ours: Json) -> Json:
    """Return `found` with our settings over it, except those that are there and may be tuned."""
    merged = dict(found)
    for key, value in ours.items():
        if isinstance(value, dict):
            merged[key] = _merged(found.get(key, {}), value)
        elif key not in _TUNABLE or key not in found:
            merged[key] = value
    return merged


def _own_domain(url: str) -> str | None:
    """Return the URL if it leads to somebody's own domain, and not to API Gateway's or nowhere."""
    host = urlsplit(url).hostname or ""
    if (
        not host
        or ".execute-api." in host
        or "/_aws/execute-api/" in url
        or host.endswith(".invalid")
    ):
        return None
    return url.rstrip("/")
