"""Chalice's command line: deploys and deletes a stage, and reads what Chalice recorded about it.

Chalice runs as a child process, with the Python that runs this one: the functions' Lambda runtime
follows from its version.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tools.errors import ToolError
from tools.stage import Stage

COMMAND = (sys.executable, "-c", "import sys, chalice.cli; sys.exit(chalice.cli.main())")


class RecordedResource(TypedDict, total=False):
    """One entry of `resources` in `.chalice/deployed/<stage>.json`; other keys aren't read."""

    resource_type: str
    lambda_arn: str
    """Of a `lambda_function`."""
    rest_api_id: str
    rest_api_url: str
    """Of a `rest_api`."""


@dataclass(frozen=True)
class Api:
    """The REST API of a stage; `url` has no slash at its end."""

    id: str
    url: str


class Chalice:
    """The `chalice` command in a project's folder.

    `command` starts Chalice, in an environment that `environment` is added to. `api_url` makes an
    API's URL from its id, where that isn't the URL that Chalice records. A `quiet` Chalice prints
    nothing.
    """

    def __init__(
        self,
        project: Path,
        *,
        environment: Mapping[str, str],
        command: Sequence[str] = COMMAND,
        api_url: Callable[[str], str] | None = None,
        quiet: bool = False,
    ) -> None:
        self._project = project
        self._environment = environment
        self._command = command
        self._api_url = api_url
        self._quiet = quiet

    def deploy(self, stage: Stage) -> None:
        """Deploy the functions and the API; raise ToolError with Chalice's output if it fails."""
        self._run("deploy", stage)

    def delete(self, stage: Stage) -> None:
        """Delete the recorded functions and API; without a record do nothing."""
        if self._record_path(stage).exists():
            self._run("delete", stage)

    def api(self, stage: Stage) -> Api | None:
        """Return the recorded API of the stage, or None before its first deploy."""
        for resource in self._resources(stage):
            if resource.get("resource_type") == "rest_api":
                api_id = resource["rest_api_id"]
                url = self._api_url(api_id) if self._api_url else resource["rest_api_url"]
                return Api(api_id, url.rstrip("/"))
        return None

    def function_arns(self, stage: Stage) -> set[str]:
        """Return the ARNs of the recorded functions, which are those that `delete` deletes."""
        return {
            resource["lambda_arn"]
            for resource in self._resources(stage)
            if resource.get("resource_type") == "lambda_function"
        }

    def _resources(self, stage: Stage) -> list[RecordedResource]:
        try:
            record = json.loads(self._record_path(stage).read_text("utf-8"))
        except FileNotFoundError:
            return []
        resources: list[RecordedResource] = record.get("resources", [])
        return resources

    def _record_path(self, stage: Stage) -> Path:
        return self._project / ".chalice" / "deployed" / f"{stage}.json"

    def _run(self, action: str, stage: Stage) -> None:
        process = subprocess.run(
            [*self._command, "--project-dir", str(self._project), action, "--stage", stage.name],
            env={**os.environ, **self._environment},
            stdout=subprocess.PIPE if self._quiet else None,
            stderr=subprocess.STDOUT if self._quiet else None,
            text=True,
            check=False,
        )
        if process.returncode != 0:
            raise ToolError(
                f"chalice {action} --stage {stage} failed\n{process.stdout or ''}".rstrip()
            )
