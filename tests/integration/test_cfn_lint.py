"""cfn-lint on the templates as they are deployed: with the state machines' definitions in them."""

import shutil
import subprocess
import sys
from pathlib import Path

from examples.example import HERE
from tests.unit.tools.conftest import CHECKOUT
from tools.template import template_body

COMMAND = "import sys, cfnlint.runner; sys.exit(cfnlint.runner.main())"
EXAMPLES = [template.parent for template in HERE.glob("*/infrastructure.yaml")]


def cfn_lint(*templates: Path) -> tuple[int, str]:
    """Return exit code and output of cfn-lint on these templates."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, templates)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_cfn_lint_reports_nothing(tmp_path: Path) -> None:
    """About Assent's template and those of all examples."""
    templates = []
    for folder in (CHECKOUT, *EXAMPLES):
        templates.append(tmp_path / f"{folder.name}.json")
        templates[-1].write_text(template_body(folder))
    assert len(templates) > 4
    assert cfn_lint(*templates) == (0, "")


def test_cfn_lint_reports_a_state_that_is_not_there(tmp_path: Path) -> None:
    """It reads the definition inside the template too, so the test above can fail."""
    for name in ("infrastructure.yaml", "statemachine.asl.json"):
        shutil.copyfile(CHECKOUT / name, tmp_path / name)
    definition = tmp_path / "statemachine.asl.json"
    text = definition.read_text()
    definition.write_text(text.replace('"StartAt": "RequestApproval"', '"StartAt": "Nowhere"'))
    template = tmp_path / "template.json"
    template.write_text(template_body(tmp_path))
    code, output = cfn_lint(template)
    assert code != 0
    assert "Nowhere" in output
