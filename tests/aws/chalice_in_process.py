"""Chalice's deploy and delete in this process, on the clients of a `CodeAccount`.

Chalice's own planner, executor, sweeper and recorder run; packaging is left out, and so is its
command line, whose defaults are repeated here.
"""

import io
import json
from pathlib import Path
from typing import Any, cast

from chalice.awsclient import TypedAWSClient
from chalice.config import Config
from chalice.deploy.appgraph import ApplicationGraphBuilder, DependencyBuilder
from chalice.deploy.deployer import (
    BaseDeployStep,
    BuildStage,
    Deployer,
    InjectDefaults,
    ResultsRecorder,
    SwaggerBuilder,
    create_deletion_deployer,
)
from chalice.deploy.executor import Executor
from chalice.deploy.planner import PlanStage, RemoteState
from chalice.deploy.swagger import TemplatedSwaggerGenerator
from chalice.deploy.sweeper import ResourceSweeper
from chalice.utils import UI, OSUtils

from tests.aws.code_account import CodeAccount
from tools.chalice_cli import Chalice
from tools.stage import Stage

DEFAULTS = {"api_gateway_stage": "api", "api_gateway_endpoint_type": "EDGE", "autogen_policy": True}


class NoPackage(BaseDeployStep):
    """Stands in for the packager: an empty file for the zip."""

    def handle_deploymentpackage(self, config: Config, resource: Any) -> None:
        package = Path(config.project_dir) / "code.zip"
        package.touch()
        resource.filename = str(package)


class ChaliceInProcess(Chalice):
    """Chalice for a project whose app is `app`, of this process."""

    def __init__(self, project: Path, aws: CodeAccount, app: Any) -> None:
        super().__init__(project, environment={})
        self._client = TypedAWSClient(cast("Any", aws), sleep=lambda _: None)
        self._app = app

    def package(self, stage: Stage) -> None:
        """Make none: `run` has no packager."""

    def run(self, action: str, stage: Stage, project: Path) -> None:
        """Do what `chalice deploy` and `chalice delete` do after reading their arguments."""
        found = json.loads((project / ".chalice" / "config.json").read_text("utf-8"))
        config = Config(
            chalice_stage=stage.name,
            user_provided_params={"chalice_app": self._app, "project_dir": str(project)},
            config_from_disk=found,
            default_params=DEFAULTS,
        )
        ui = UI(io.StringIO(), io.StringIO())
        deployer = (
            _deployer(self._client, ui, config)
            if action == "deploy"
            else create_deletion_deployer(self._client, ui)
        )
        deployer.deploy(config, stage.name)


def _deployer(client: TypedAWSClient, ui: UI, config: Config) -> Deployer:
    files = OSUtils()
    recorded = config.deployed_resources(config.chalice_stage)
    return Deployer(
        application_builder=ApplicationGraphBuilder(),
        deps_builder=DependencyBuilder(),
        build_stage=BuildStage(
            [InjectDefaults(), NoPackage(), SwaggerBuilder(TemplatedSwaggerGenerator())]
        ),
        plan_stage=PlanStage(RemoteState(client, recorded), files),
        sweeper=ResourceSweeper(),
        executor=Executor(client, ui),
        recorder=ResultsRecorder(files),
    )
