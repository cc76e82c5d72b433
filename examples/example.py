"""An example by its name: its folder, its stages and its demo.

Every folder with a `demo.py` is an example. A `demo.py` has NEEDS_ASSENT, which says whether the
demo needs a running Assent, and `run(example, echo)`, which shows the deployed example at work.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from examples.deployed import DeployedExample
from tools.echo import Echo
from tools.errors import ToolError
from tools.stage import Stage

HERE = Path(__file__).parent


class Demo(Protocol):
    """The module `demo.py` of an example."""

    NEEDS_ASSENT: bool

    def run(self, example: DeployedExample, echo: Echo) -> None:
        """Use the deployed example and print what happens."""


@dataclass(frozen=True)
class Example:
    """An example; raises ToolError with the existing names if there is none of this name."""

    name: str

    def __post_init__(self) -> None:
        names = sorted(demo.parent.name for demo in HERE.glob("*/demo.py"))
        if self.name not in names:
            raise ToolError(f"bad NAME=: there is no example {self.name!r}, but {', '.join(names)}")

    @property
    def folder(self) -> Path:
        """Return the example's folder: a Chalice project and its stack."""
        return HERE / self.name

    def stage(self, name: str) -> Stage:
        """Return a stage of the example's app, which has the folder's name with hyphens."""
        return Stage(name, app=self.name.replace("_", "-"))

    @property
    def demo(self) -> Demo:
        """Return the example's `demo.py`."""
        return cast("Demo", importlib.import_module(f"examples.{self.name}.demo"))
