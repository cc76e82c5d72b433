import json
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from app import app
from tools.errors import ToolError
from tools.template import LIMIT, template_body

from .conftest import CHECKOUT

TEMPLATE = json.loads((CHECKOUT / "infrastructure.json").read_text())
CFN_LINT = "import sys, cfnlint.runner; sys.exit(cfnlint.runner.main())"
ROLES = ("StateMachineRole", "ApiRole", "RequestApprovalRole", "TickRole")


def statements(role: str) -> list[dict[str, Any]]:
    """Return what a role may do."""
    (policy,) = TEMPLATE["Resources"][role]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def actions(role: str) -> set[str]:
    """Return the names of all that a role may do."""
    found: set[str] = set()
    for statement in statements(role):
        asked = statement["Action"]
        found |= {asked} if isinstance(asked, str) else set(asked)
    return found


def test_cfn_lint_has_nothing_to_say(project: Path) -> None:
    """The template is right as a file, and with the state machine's definition in it."""
    whole = project / "whole.json"
    whole.write_text(template_body(project))
    for file in (CHECKOUT / "infrastructure.json", whole):
        done = subprocess.run(  # our own Python
            [sys.executable, "-c", CFN_LINT, str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "")


def test_only_task_tokens_are_answered_on_every_resource() -> None:
    """`*` stands where the service knows no resource, and nowhere else."""
    for role in ROLES:
        for statement in statements(role):
            if statement["Resource"] == "*":
                assert statement["Sid"] in ("ResumeTasks", "RefuseTasks")
                assert (
                    all("states:SendTask" in action for action in statement["Action"].split())
                    if (isinstance(statement["Action"], str))
                    else all(action.startswith("states:SendTask") for action in statement["Action"])
                )


def test_every_invitation_is_mail_to_a_permitted_address() -> None:
    """Whoever may subscribe may subscribe e-mail, of the stage's domains, to approvers' topics."""
    for role in ("ApiRole", "RequestApprovalRole", "TickRole"):
        found = [s for s in statements(role) if "sns:Subscribe" in s["Action"]]
        assert len(found) == 1
        assert found[0]["Action"] == "sns:Subscribe"
        assert found[0]["Resource"]["Fn::Sub"].endswith(":assent-${Stage}-approver-*")
        assert found[0]["Condition"] == {
            "StringEquals": {"sns:Protocol": "email"},
            "StringLike": {"sns:Endpoint": {"Ref": "ApproverEndpoints"}},
        }


def test_nobody_may_scan_delete_or_make_log_groups() -> None:
    """No role can lose an approval, read them all at once, or log where nothing expires."""
    for role in ROLES:
        assert not actions(role) & {
            "dynamodb:Scan",
            "dynamodb:*",
            "logs:CreateLogGroup",
        }
        assert not any("*" in action for action in actions(role))
        for statement in statements(role):
            if "dynamodb:DeleteItem" in statement["Action"]:
                assert statement["Action"] == "dynamodb:DeleteItem"
                keys = {"dynamodb:LeadingKeys": "WAITING#*"}
                assert statement["Condition"] == {"ForAllValues:StringLike": keys}


def test_the_operator_policy_opens_the_signed_routes_and_nothing_else() -> None:
    """Every signed route is matched by a pattern, no public one is, and no pattern is idle."""
    policy = TEMPLATE["Resources"]["OperatorPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = policy["Statement"]
    patterns = [r["Fn::Sub"].partition("${ApiId}/api/")[2] for r in statement["Resource"]]
    signed: list[str] = []
    for path, methods in app.routes.items():
        for method, route in methods.items():
            called = method + path
            if route.authorizer is not None:
                signed.append(called)
            opened = any(fnmatchcase(called, pattern) for pattern in patterns)
            assert opened == (route.authorizer is not None), called
    assert signed
    idle = [p for p in patterns if not any(fnmatchcase(called, p) for called in signed)]
    assert idle == []


def test_each_role_may_query_the_indexes_that_its_function_asks() -> None:
    """The API finds an execution's approval and what waits for somebody, the tick what is due."""
    asked = {"ApiRole": ["approver", "execution"], "RequestApprovalRole": [], "TickRole": ["due"]}
    for role, indexes in asked.items():
        found = [s["Resource"]["Fn::Sub"] for s in statements(role) if "Query" in str(s["Action"])]
        assert sorted(arn.rpartition("/")[2] for arn in found) == indexes


def test_the_table_outlives_its_stack() -> None:
    """Audit trails are not deleted along with code."""
    table = TEMPLATE["Resources"]["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True
    }


def test_every_alarm_can_be_heard_and_a_silent_tick_is_one() -> None:
    """The topic that is given gets all of them; a tick that doesn't run has no data to show."""
    alarms = {
        name: resource["Properties"]
        for name, resource in TEMPLATE["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert len(alarms) == 7
    for alarm in alarms.values():
        assert alarm["AlarmActions"]["Fn::If"][:2] == ["AlarmsAreHeard", [{"Ref": "AlarmTopicArn"}]]
    assert alarms["OverdueAlarm"]["TreatMissingData"] == "breaching"
    (overdue,) = TEMPLATE["Resources"]["OverdueFilter"]["Properties"]["MetricTransformations"]
    assert "DefaultValue" not in overdue


def test_a_missing_file_is_named(project: Path) -> None:
    """Half a project is refused before AWS is asked for anything."""
    (project / "statemachine.asl.json").unlink()
    with pytest.raises(ToolError, match=r"statemachine\.asl\.json can't be read"):
        template_body(project)


def test_a_template_that_cloudformation_would_refuse_is_refused_here(project: Path) -> None:
    """The limit of a template that is sent along is named with the size."""
    (project / "statemachine.asl.json").write_text(json.dumps({"Comment": "x" * LIMIT}))
    with pytest.raises(ToolError, match=f"bytes of {LIMIT}"):
        template_body(project)
