"""`chalice deploy` in the sandbox: a developer's everyday deployment after `make deploy`."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.sandbox.client import Sandbox, press


def test_chalice_alone_deploys_the_code_again(sandbox: Sandbox, project: Path) -> None:
    """API, links, limits and triggers stay; an approval from before is decided by its old link."""
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
    for _ in range(2):
        subprocess.run(
            [
                *(sys.executable, "-m", "tools.sandbox.chalice", "--project-dir", str(project)),
                *("deploy", "--stage", "sandbox"),
            ],
            env={
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
    assert sandbox.call("GET", "/health", who=None).status == 200
    assert press(link).status == 200
    assert sandbox.ended(name)["outcome"] == "approved"


def method_settings(sandbox: Sandbox) -> Any:
    """Return the settings of the API's methods, such as throttles."""
    client = sandbox.client("apigateway")
    (api,) = (one for one in client.get_rest_apis()["items"] if one["name"] == "assent")
    return client.get_stage(restApiId=api["id"], stageName="api")["methodSettings"]
