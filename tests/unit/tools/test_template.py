"""`infrastructure.yaml` is read as CloudFormation reads it, and without YAML's surprises."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tools.errors import ToolError
from tools.template import LIMIT, load_template, main, template_body


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Give the path of a template that is still to be written."""
    return tmp_path / "infrastructure.yaml"


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("!Ref Table", {"Ref": "Table"}),
        ("!Condition TableIsOurs", {"Condition": "TableIsOurs"}),
        ("!Sub assent-${Stage}", {"Fn::Sub": "assent-${Stage}"}),
        ("!Sub ['${A}', {A: !Ref B}]", {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}),
        ("!GetAtt Queue.Arn", {"Fn::GetAtt": ["Queue", "Arn"]}),
        ("!GetAtt Nested.Outputs.Arn", {"Fn::GetAtt": ["Nested", "Outputs.Arn"]}),
        ("!GetAtt [Queue, Arn]", {"Fn::GetAtt": ["Queue", "Arn"]}),
        ("!Not [!Equals [!Ref A, '']]", {"Fn::Not": [{"Fn::Equals": [{"Ref": "A"}, ""]}]}),
        ("!Transform {Name: Include}", {"Fn::Transform": {"Name": "Include"}}),
    ],
)
def test_a_short_form_is_read_as_the_function_it_stands_for(
    template: Path, short: str, long: dict[str, Any]
) -> None:
    """CloudFormation has two spellings of each function; JSON has one."""
    template.write_text(f"Value: {short}\n")
    assert load_template(template) == {"Value": long}


@pytest.mark.parametrize(
    "text", ["2012-10-17", "2012-10-17T00:00:00Z", "on", "yes", "No", "True", "012", "1:30", "0x1f"]
)
def test_text_that_yaml_would_take_for_something_else_stays_text(template: Path, text: str) -> None:
    """A forgotten quote makes no date, boolean or number of what isn't one in JSON."""
    template.write_text(f"Value: {text}\n")
    assert load_template(template) == {"Value": text}


def test_what_json_has_besides_text_is_read_as_in_json(template: Path) -> None:
    """Numbers, booleans and nothing keep their kinds; in quotes they are text."""
    template.write_text("Value: [90, -1, 0.5, true, false, null, '90', 'true', '']\n")
    expected = [90, -1, 0.5, True, False, None, "90", "true", ""]
    found = load_template(template)["Value"]
    assert [(type(value), value) for value in found] == [(type(e), e) for e in expected]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Resources: {}\nValue: !Reff Table\n", "line 2: .*!Reff"),
        ("Value: !!python/object:os.system {}\n", "line 1: .*python/object"),
        ("A: 1\nB: [1, 2\nC: 3\n", "line 3: expected"),
        ("A: 1\n\tB: 2\n", r"line 2: found character '\\t'"),
        ("A: \x07\n", "is no YAML: "),
        ("- A\n", "it holds no mapping"),
        ("", "it holds no mapping"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused_by_file_and_line(
    template: Path, text: str, said: str
) -> None:
    """An unknown tag and a slip of the keyboard are found before AWS is asked for anything."""
    template.write_text(text)
    with pytest.raises(ToolError, match=f"infrastructure.yaml.*{said}"):
        load_template(template)


def test_a_template_that_is_no_text_is_refused_by_its_name(template: Path) -> None:
    """The same for a file in another encoding, and for none."""
    template.write_bytes(b"Value: \xff\n")
    with pytest.raises(ToolError, match=r"infrastructure\.yaml isn't UTF-8"):
        load_template(template)
    template.unlink()
    with pytest.raises(ToolError, match=r"infrastructure\.yaml can't be read"):
        load_template(template)


def test_the_template_is_written_into_one_file(project: Path, tmp_path: Path) -> None:
    """With the state machine in it, and with its size said."""
    file = tmp_path / "assent.json"
    ran = CliRunner().invoke(main, [str(file), "--project", str(project)])
    assert ran.output == f"{file}: {file.stat().st_size} bytes of {LIMIT}\n"
    assert file.read_text() == template_body(project)
    machine = json.loads(file.read_text())["Resources"]["StateMachine"]["Properties"]
    assert "RequestApproval" in json.loads(machine["DefinitionString"])["States"]


def test_a_template_that_cloudformation_would_refuse_is_not_written(
    project: Path, tmp_path: Path
) -> None:
    """The size is known before anything is deployed."""
    (project / "statemachine.asl.json").write_text(json.dumps({"Comment": "x" * LIMIT}))
    file = tmp_path / "assent.json"
    ran = CliRunner().invoke(main, [str(file), "--project", str(project)])
    assert ran.exit_code == 1
    assert f"bytes of {LIMIT}" in ran.output
    assert not file.exists()
