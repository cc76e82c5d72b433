"""What holds for each example: a sound stack, a role and a log for each function, a README."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.deploying import has_code, roles, variables
from examples.example import HERE, Example
from tests.examples.loading import load
from tests.integration.statemachine.engine import definition
from tools.errors import ToolError
from tools.template import load_template, template_body

NAMES = sorted(story.parent.name for story in HERE.glob("*/story.py"))
CFN_LINT = "import sys, cfnlint.runner; sys.exit(cfnlint.runner.main())"


def stack(name: str) -> Any:
    """Return an example's template."""
    return load_template(HERE / name / "infrastructure.yaml")


def functions(name: str) -> set[str]:
    """Return the names of an example's functions; the API's is called api."""
    if not has_code(HERE / name):
        return set()
    app = load(name).app
    named = {function.name for function in (*app.pure_lambda_functions, *app.event_sources)}
    return named | ({"api"} if app.routes else set())


@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    """Of the template, with the state machine in it as it is deployed."""
    whole = tmp_path / "whole.json"
    whole.write_text(template_body(HERE / name))
    done = subprocess.run(
        [sys.executable, "-c", CFN_LINT, str(whole)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_each_function_has_a_role_of_its_own(name: str) -> None:
    """The outputs name one for each function, and no two are the same."""
    found = stack(name)["Outputs"]
    arns = {key: json.dumps(output["Value"]) for key, output in found.items()}
    settings = roles(arns)
    given = {name: its["iam_role_arn"] for name, its in settings["lambda_functions"].items()}
    if "iam_role_arn" in settings:
        given["api"] = settings["iam_role_arn"]
    assert given.keys() == functions(name)
    assert len(set(given.values())) == len(given)


@pytest.mark.parametrize("name", NAMES)
def test_each_function_has_a_log_that_ends_some_day(name: str) -> None:
    """Lambda would make it otherwise, and keep it for ever."""
    groups = {
        resource["Properties"]["LogGroupName"]["Fn::Sub"]
        for resource in stack(name)["Resources"].values()
        if resource["Type"] == "AWS::Logs::LogGroup" and resource["Properties"]["RetentionInDays"]
    }
    app = name.replace("_", "-")
    functions_ = {"" if function == "api" else f"-{function}" for function in functions(name)}
    assert groups >= {f"/aws/lambda/{app}-${{Stage}}{function}" for function in functions_}


@pytest.mark.parametrize("name", NAMES)
def test_a_star_is_a_resource_only_where_there_is_no_other(name: str) -> None:
    """Answers to task tokens match no resource; everything else is named."""
    for resource in stack(name)["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            (policy,) = resource["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                actions = [actions] if isinstance(actions, str) else actions
                assert not any("*" in action for action in actions)
                if statement["Resource"] == "*":
                    assert all(action.startswith("states:SendTask") for action in actions)


@pytest.mark.parametrize("name", NAMES)
def test_whoever_waits_for_an_answer_stops_waiting_some_day(name: str) -> None:
    """A token that was lost would keep its execution for a year.

    A child of Assent's ends by itself, at the request's deadline.
    """
    states = definition(HERE / name / "statemachine.asl.json")["States"].values()
    waiting = [state for state in states if "waitForTaskToken" in state.get("Resource", "")]
    assert waiting or Example(name).asks_assent
    assert all("TimeoutSeconds" in state for state in waiting)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_says_how_to_run_it_and_leads_somewhere(name: str) -> None:
    """The command is its own, and no link is broken; the list of examples has it."""
    text = (HERE / name / "README.md").read_text()
    assert f"make example NAME={name}\n" in text
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (HERE / name / target).exists(), target
    assert f"({name}/README.md)" in (HERE / "README.md").read_text()


def test_the_stacks_outputs_are_roles_and_variables() -> None:
    """By their names alone."""
    outputs = {"ApiRoleArn": "a", "SplitDocumentRoleArn": "b", "StateMachineArn": "c", "Url": "d"}
    ours = {"manage_iam_role": False}
    assert roles(outputs) == {
        **ours,
        "iam_role_arn": "a",
        "lambda_functions": {"split_document": {**ours, "iam_role_arn": "b"}},
    }
    assert variables(outputs) == {"STATE_MACHINE_ARN": "c", "URL": "d"}


def test_an_example_that_is_not_there_is_answered_with_those_that_are() -> None:
    """Whoever mistypes sees what to type."""
    with pytest.raises(
        ToolError, match="no example 'callback-basics', but ask_for_approval, callback_basics"
    ):
        Example("callback-basics")


def test_an_examples_names_start_with_its_own() -> None:
    """So that it is in nobody's way, Assent's least of all."""
    assert Example("callback_basics").stage("dev").prefix == "callback-basics-dev"
