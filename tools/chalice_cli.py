"""Chalice's command line: deploys and deletes a stage, and reads what Chalice recorded about it.

Chalice runs as a child process, with the Python that runs this one: the functions' Lambda runtime
follows from its version.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.bytecode import package
from tools.deployed_record import RecordedResource
from tools.errors import ToolError
from tools.stage import Stage

COMMAND = (sys.executable, "-c", "import sys, chalice.cli; sys.exit(chalice.cli.main())")
BARE_APP = "from chalice import Chalice\n\napp = Chalice({name!r})\n"


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

    def package(self, stage: Stage) -> None:
        """Make the package that `deploy` takes, with bytecode."""
        package(self._project, stage.name, io.StringIO() if self._quiet else sys.stdout)

    def deploy(self, stage: Stage) -> None:
        """Deploy the functions and the API; raise ToolError with Chalice's output if it fails."""
        self.run("deploy", stage, self._project)

    def delete(self, stage: Stage) -> None:
        """Delete the recorded resources and the record; without a record do nothing.

        Chalice runs in a bare project. In this one it would first import app.py and check the roles
        in config.json, and a stage must be deletable from a checkout that never deployed it.
        """
        resources = self.recorded(stage)
        if not resources:
            return
        with tempfile.TemporaryDirectory() as folder:
            bare = Path(folder)
            _write_record(bare, stage, resources)
            config = {"version": "2.0", "app_name": stage.app}
            (bare / ".chalice" / "config.json").write_text(json.dumps(config), "utf-8")
            (bare / "app.py").write_text(BARE_APP.format(name=stage.app), "utf-8")
            self.run("delete", stage, bare)
        self.record(stage, [])

    def api(self, stage: Stage) -> Api | None:
        """Return the recorded API of the stage, or None before its first deploy."""
        for resource in self.recorded(stage):
            if resource.get("resource_type") == "rest_api":
                api_id = resource["rest_api_id"]
                url = self._api_url(api_id) if self._api_url else resource["rest_api_url"]
                return Api(api_id, url.rstrip("/"))
        return None

    def recorded(self, stage: Stage) -> list[RecordedResource]:
        """Return the resources in the stage's record; a missing or damaged record has none."""
        try:
            record = json.loads(_record_path(self._project, stage).read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return []
        found = record.get("resources") if isinstance(record, dict) else None
        resources: list[RecordedResource] = found if isinstance(found, list) else []
        return resources if all(isinstance(one, dict) for one in resources) else []

    def record(self, stage: Stage, resources: Sequence[RecordedResource]) -> None:
        """Replace the stage's record; without resources there is none."""
        if resources:
            _write_record(self._project, stage, resources)
        else:
            _record_path(self._project, stage).unlink(missing_ok=True)

    def run(self, action: str, stage: Stage, project: Path) -> None:
        """Run `chalice deploy` or `chalice delete` for the stage in a project's folder."""
        process = subprocess.run(
            [*self._command, "--project-dir", str(project), action, "--stage", stage.name],
            # Bytecode that an import writes into chalicelib/ would change the package's name.
            env={**os.environ, **self._environment, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE if self._quiet else None,
            stderr=subprocess.STDOUT if self._quiet else None,
            text=True,
            check=False,
        )
        if process.returncode != 0:
            raise ToolError(
                f"chalice {action} --stage {stage} failed\n{process.stdout or ''}".rstrip()
            )


def _record_path(project: Path, stage: Stage) -> Path:
    return project / ".chalice" / "deployed" / f"{stage}.json"


def _write_record(project: Path, stage: Stage, resources: Sequence[RecordedResource]) -> None:
    path = _record_path(project, stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"resources": list(resources), "schema_version": "2.0", "backend": "api"}
    path.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
