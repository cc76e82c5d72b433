"""`chalice deploy` in the sandbox: a developer's everyday deployment after `make deploy`."""

import io
import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from tests.sandbox.client import Sandbox, press


def test_chalice_alone_deploys_the_code_again(sandbox: Sandbox, project: Path) -> None:
    """API, links, limits and triggers stay; an approval from before is decided by its old link.

    `make deploy` shipped bytecode for each module. Chalice alone doesn't, and all works without.
    """
    assert modules_without_bytecode(sandbox) == set()
    name = sandbox.start(subject="Asked before a deploy")
    link = sandbox.link("ada@example.com", "Asked before a deploy")
    triggers = sandbox.client("lambda").list_event_source_mappings
    before = [
        (found["UUID"], found["EventSourceArn"]) for found in triggers()["EventSourceMappings"]
    ]
    assert sorted(arn.rpartition(":")[2] for _, arn in before) == [
        "assent-sandbox-decisions",
        "assent-sandbox-ended",
        "assent-sandbox-requests",
    ]
    limits = method_settings(sandbox)
    assert limits
    aws = sandbox.state["aws"]
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    for _ in range(2):
        subprocess.run(
            [
                *(sys.executable, "-m", "tools.sandbox.chalice", "--project-dir", str(project)),
                *("deploy", "--stage", "sandbox"),
            ],
            env=pip
            | {
                "PATH": "/usr/bin:/bin",
                "AWS_ENDPOINT_URL": aws["endpointUrl"],
                "AWS_DEFAULT_REGION": aws["region"],
                "AWS_ACCESS_KEY_ID": aws["accessKeyId"],
                "AWS_SECRET_ACCESS_KEY": aws["secretAccessKey"],
            },
            check=True,
            capture_output=True,
        )
    after = [
        (found["UUID"], found["EventSourceArn"]) for found in triggers()["EventSourceMappings"]
    ]
    assert after == before
    assert method_settings(sandbox) == limits
    assert "app" in modules_without_bytecode(sandbox)
    assert sandbox.call("GET", "/health", who=None).status == 200
    assert press(link).status == 200
    assert sandbox.ended(name)["outcome"] == "approved"


def modules_without_bytecode(sandbox: Sandbox) -> set[str]:
    """Return the modules of the deployed code that a cold start compiles."""
    location = sandbox.client("lambda").get_function(FunctionName="assent-sandbox")
    with urllib.request.urlopen(location["Code"]["Location"]) as response:
        names = zipfile.ZipFile(io.BytesIO(response.read())).namelist()
    compiled = {name.replace("__pycache__/", "").split(".")[0] for name in names if ".pyc" in name}
    modules = {name.removesuffix(".py") for name in names if name.endswith(".py")}
    assert {"app", "chalice/app", "chalicelib/wiring"} < modules
    return modules - compiled


def method_settings(sandbox: Sandbox) -> Any:
    """Return the settings of the API's methods, such as throttles."""
    client = sandbox.client("apigateway")
    (api,) = (one for one in client.get_rest_apis()["items"] if one["name"] == "assent")
    return client.get_stage(restApiId=api["id"], stageName="api")["methodSettings"]
