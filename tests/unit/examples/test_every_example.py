"""Properties of every example: a valid stack, a role and a log for each function, a README."""

import json
import re
from typing import Any

import pytest

from examples.deployment import code_names, has_code, role_settings, variables
from examples.example import HERE, Example
from tests.definitions import definition
from tests.unit.examples.loading import load
from tools.errors import ToolError
from tools.stage import Code
from tools.template import load_template

NAMES = sorted(demo.parent.name for demo in HERE.glob("*/demo.py"))


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
def test_each_function_has_a_role_of_its_own(name: str) -> None:
    """The stack has an output for each function's role, and no two roles are the same."""
    found = stack(name)["Outputs"]
    arns = {key: json.dumps(output["Value"]) for key, output in found.items()}
    settings = role_settings(arns)
    given = {name: its["iam_role_arn"] for name, its in settings["lambda_functions"].items()}
    if "ApiRoleArn" in arns:
        given["api"] = settings["iam_role_arn"]
    assert given.keys() == functions(name)
    assert len(set(given.values())) == len(given)


@pytest.mark.parametrize("name", NAMES)
def test_each_function_has_a_log_that_expires(name: str) -> None:
    """Lambda would otherwise create the log group, and keep it for ever."""
    groups = {
        resource["Properties"]["LogGroupName"]["Fn::Sub"]
        for resource in stack(name)["Resources"].values()
        if resource["Type"] == "AWS::Logs::LogGroup" and resource["Properties"]["RetentionInDays"]
    }
    app = name.replace("_", "-")
    functions_ = {"" if function == "api" else f"-{function}" for function in functions(name)}
    assert groups >= {f"/aws/lambda/{app}-${{Stage}}{function}" for function in functions_}


@pytest.mark.parametrize("name", NAMES)
def test_only_task_answers_are_allowed_on_every_resource(name: str) -> None:
    """`states:SendTask*` match no resource; every other action names its resource."""
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
def test_every_task_that_waits_has_a_time_out(name: str) -> None:
    """Otherwise a lost task token keeps its execution running for a year.

    A child execution of Assent ends at the request's deadline.
    """
    states = definition(HERE / name)["States"].values()
    waiting = [state for state in states if "waitForTaskToken" in state.get("Resource", "")]
    assert waiting or Example(name).demo.NEEDS_ASSENT
    assert all("TimeoutSeconds" in state for state in waiting)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_has_the_command_and_no_broken_link(name: str) -> None:
    """And the list of examples links to it."""
    text = (HERE / name / "README.md").read_text()
    assert f"make example NAME={name}\n" in text
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (HERE / name / target).exists(), target
    assert f"({name}/README.md)" in (HERE / "README.md").read_text()


def test_the_stacks_outputs_are_roles_and_variables() -> None:
    """Which is which follows from the output's name."""
    outputs = {"ApiRoleArn": "a", "SplitDocumentRoleArn": "b", "StateMachineArn": "c", "Url": "d"}
    ours = {"manage_iam_role": False}
    assert role_settings(outputs) == {
        **ours,
        "iam_role_arn": "a",
        "lambda_functions": {"split_document": {**ours, "iam_role_arn": "b"}},
    }
    assert variables(outputs) == {"STATE_MACHINE_ARN": "c", "URL": "d"}


def test_an_app_without_an_api_has_a_role_of_the_stage_too() -> None:
    """Chalice demands one where it makes no roles; no function uses it."""
    assert role_settings({"WorkRoleArn": "a", "Url": "b"}) == {
        "manage_iam_role": False,
        "iam_role_arn": "a",
        "lambda_functions": {"work": {"manage_iam_role": False, "iam_role_arn": "a"}},
    }


def test_the_functions_are_named_after_their_roles_and_queues_by_outputs() -> None:
    """The API's function has the name of the stack."""
    stage = Example("callback_basics").stage("dev")
    outputs = {"ApiRoleArn": "a", "SplitDocumentRoleArn": "b", "JobsQueueName": "c", "Url": "d"}
    functions = ("callback-basics-dev", "callback-basics-dev-split_document")
    assert code_names(stage, outputs) == Code(functions, queues=("c",))


def test_an_unknown_example_is_refused_with_the_known_ones() -> None:
    """So a typing mistake is easy to correct."""
    with pytest.raises(
        ToolError, match="no example 'callback-basics', but ask_for_approval, callback_basics"
    ):
        Example("callback-basics")


def test_an_examples_names_start_with_its_own() -> None:
    """So that its resources don't collide with Assent's or another example's."""
    assert Example("callback_basics").stage("dev").prefix == "callback-basics-dev"
