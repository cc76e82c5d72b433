"""Chalice's command line: deploy and delete a stage, and what it recorded about it.

On the map: used by `deploy` and `destroy`. Chalice runs as a process of its own, with the Python
that runs us: the Lambda runtime follows from that.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.errors import ToolError
from tools.stage import Stage

COMMAND = (sys.executable, "-c", "import sys, chalice.cli; sys.exit(chalice.cli.main())")


@dataclass(frozen=True)
class Api:
    """The REST API of a stage: its id, and the URL that callers use, without a slash at the end."""

    id: str
    url: str


class Chalice:
    """The `chalice` command in a project's folder.

    `command` starts it (the sandbox has one of its own), `environment` is added to ours, and
    `public_url` says how an API is reached if that isn't the URL which Chalice recorded.
    """

    def __init__(
        self,
        project: Path,
        *,
        environment: Mapping[str, str],
        command: Sequence[str] = COMMAND,
        public_url: Callable[[str], str] | None = None,
        quiet: bool = False,
    ) -> None:
        self._project = project
        self._environment = environment
        self._command = command
        self._public_url = public_url
        self._quiet = quiet

    def deploy(self, stage: Stage) -> None:
        """Ship the code; raise ToolError with Chalice's words if it fails."""
        self._run("deploy", stage)

    def delete(self, stage: Stage) -> None:
        """Delete the functions and the API; nothing happens if there are none."""
        if self._record(stage).exists():
            self._run("delete", stage)

    def api(self, stage: Stage) -> Api | None:
        """Return the API that Chalice recorded for the stage, or None before the first deploy."""
        for resource in self._resources(stage):
            if resource.get("resource_type") == "rest_api":
                found = resource["rest_api_id"]
                url = self._public_url(found) if self._public_url else resource["rest_api_url"]
                return Api(found, url.rstrip("/"))
        return None

    def functions(self, stage: Stage) -> set[str]:
        """Return the ARNs of the functions that Chalice recorded: those that `delete` deletes."""
        return {
            resource["lambda_arn"]
            for resource in self._resources(stage)
            if resource.get("resource_type") == "lambda_function"
        }

    def _resources(self, stage: Stage) -> list[dict[str, str]]:
        try:
            record = json.loads(self._record(stage).read_text("utf-8"))
        except FileNotFoundError:
            return []
        found: list[dict[str, str]] = record.get("resources", [])
        return found

    def _record(self, stage: Stage) -> Path:
        return self._project / ".chalice" / "deployed" / f"{stage}.json"

    def _run(self, action: str, stage: Stage) -> None:
        done = subprocess.run(
            [*self._command, "--project-dir", str(self._project), action, "--stage", stage.name],
            env={**os.environ, **self._environment},
            stdout=subprocess.PIPE if self._quiet else None,
            stderr=subprocess.STDOUT if self._quiet else None,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ToolError(
                f"chalice {action} --stage {stage} failed\n{done.stdout or ''}".rstrip()
            )
