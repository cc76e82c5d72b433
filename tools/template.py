"""CloudFormation templates: `infrastructure.yaml` is read, and sent as JSON with the ASL in it.

The file itself is a template as it stands, so that cfn-lint reads it. `python -m tools.template`
writes the JSON into a file, for stacks that something else deploys. See docs/operating.md.
"""

import json
import re
from pathlib import Path
from typing import Any

import click
import yaml

from tools.errors import MakeCommand, ToolError

TEMPLATE = "infrastructure.yaml"
DEFINITION = "statemachine.asl.json"
LIMIT = 51_200
"""Bytes of a template that is sent along and not put into S3 first."""
_FUNCTIONS = (
    *("And", "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue"),
    *("Join", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
)
"""Intrinsic functions: `!Sub x` is short for `{"Fn::Sub": x}`."""

Json = dict[str, Any]


def template_body(project: Path) -> str:
    """Return the template of a project's folder, as JSON.

    Raises ToolError if one of the two files is missing or malformed, or both together are too long.
    """
    template = load_template(project / TEMPLATE)
    definition = _load_definition(project / DEFINITION)
    template["Resources"]["StateMachine"]["Properties"]["DefinitionString"] = json.dumps(definition)
    body = json.dumps(template, separators=(",", ":"))
    if len(body) > LIMIT:
        raise ToolError(
            f"{TEMPLATE} and {DEFINITION} have {len(body)} bytes of {LIMIT} together, the most "
            "that CloudFormation takes without S3: shorten one of them"
        )
    return body


def load_template(path: Path) -> Json:
    """Return a template, its short-form functions written out: `!Ref x` is `{"Ref": "x"}`.

    Raises ToolError, with the line, for anything that is no such YAML, an unknown tag included.
    """
    try:
        found = _Loader(_text(path)).get_single_data()
    except yaml.MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 1
        raise ToolError(f"{path}, line {line}: {e.problem}") from e
    except yaml.YAMLError as e:
        raise ToolError(f"{path} is no YAML: {e}") from e
    if not isinstance(found, dict):
        raise ToolError(f"{path} is no template: it holds no mapping")
    return found


def _load_definition(path: Path) -> Json:
    try:
        found: Json = json.loads(_text(path))
    except ValueError as e:
        raise ToolError(f"{path} is no JSON: {e}") from e
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as e:
        raise ToolError(f"{path} can't be read: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise ToolError(f"{path} isn't UTF-8: {e}") from e


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """YAML with the tags of CloudFormation, and without YAML's surprises.

    Unquoted, `2012-10-17` would be a date, `on` and `yes` booleans, `012` and `1:30` numbers. Here
    only what JSON has is other than text.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own attribute)


for _kind, _pattern, _first in (
    ("null", r"null|", ["n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)\.[0-9]+", list("-0123456789")),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(f"(?:{_pattern})$"), _first
    )


def _value(loader: _Loader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


def _written_out(loader: _Loader, node: yaml.Node) -> Json:
    name, value = node.tag.removeprefix("!"), _value(loader, node)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


for _name in ("Ref", "Condition", *_FUNCTIONS):
    _Loader.add_constructor(f"!{_name}", _written_out)


@click.command(cls=MakeCommand)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, writable=True))
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    default=".",
    hidden=True,
)
def main(file: Path, project: Path) -> None:
    """Write the template of Assent, with its state machine, into FILE."""
    body = template_body(project)
    try:
        file.write_text(body, "utf-8")
    except OSError as e:
        raise ToolError(f"bad FILE=: {file} can't be written: {e.strerror}") from e
    click.echo(f"{file}: {len(body)} bytes of {LIMIT}")


if __name__ == "__main__":
    main()
