"""`infrastructure.json` as it is sent to CloudFormation: with the ASL of the state machine in it.

On the map: used by `deploy`. The file itself is a template as it stands, so that cfn-lint reads it.
"""

import json
from pathlib import Path

from tools.errors import ToolError

LIMIT = 51_200
"""Bytes of a template that is sent along and not put into S3 first."""

Json = dict[str, dict[str, dict[str, dict[str, str]]]]


def template_body(project: Path) -> str:
    """Return the template of a project's folder.

    Raises ToolError if one of the two files is missing or no JSON, or both together are too long.
    """
    template = _read(project / "infrastructure.json")
    definition = _read(project / "statemachine.asl.json")
    template["Resources"]["StateMachine"]["Properties"]["DefinitionString"] = json.dumps(definition)
    body = json.dumps(template, separators=(",", ":"))
    if len(body) > LIMIT:
        raise ToolError(
            f"infrastructure.json and statemachine.asl.json have {len(body)} bytes of {LIMIT}"
        )
    return body


def _read(path: Path) -> Json:
    try:
        found: Json = json.loads(path.read_text("utf-8"))
    except OSError as e:
        raise ToolError(f"{path} can't be read: {e.strerror}") from e
    except ValueError as e:
        raise ToolError(f"{path} is no JSON: {e}") from e
    return found
