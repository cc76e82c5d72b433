"""An example by its name: its folder, its app, its story.

On the map: the leaf of the harness. A folder with a `story.py` is an example.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.scene import Scene
from tools.errors import ToolError
from tools.stage import Stage

HERE = Path(__file__).parent
Say = Callable[[str], None]


@dataclass(frozen=True)
class Example:
    """One example; raises ToolError, with the names there are, if there is none of that name."""

    name: str

    def __post_init__(self) -> None:
        names = sorted(story.parent.name for story in HERE.glob("*/story.py"))
        if self.name not in names:
            raise ToolError(f"there is no example {self.name!r}, but {', '.join(names)}")

    @property
    def folder(self) -> Path:
        """Return where it stands: a Chalice project with its stack."""
        return HERE / self.name

    def stage(self, name: str) -> Stage:
        """Return a stage of its app, which is named as the folder, with hyphens."""
        return Stage(name, app=self.name.replace("_", "-"))

    @property
    def tell(self) -> Callable[[Scene, Say], None]:
        """Return what its one command does once it is deployed: a story that `say` tells."""
        found: Callable[[Scene, Say], None] = self._story().tell
        return found

    @property
    def asks_assent(self) -> bool:
        """Return whether it needs the whole of Assent beside it, and not the emulator alone."""
        return bool(self._story().ASKS_ASSENT)

    def _story(self) -> Any:  # a module, with the two names above
        return importlib.import_module(f"examples.{self.name}.story")
