"""`callback_basics`, deployed: its story, and what each part of it may and may not do."""

from collections.abc import Callable

import pytest

from examples.callback_basics import story
from examples.scene import Scene


@pytest.fixture
def scene(example: Callable[[str], Scene]) -> Scene:
    """Give the deployed example."""
    return example("callback_basics")


def test_the_story_ends_every_execution_where_it_should(scene: Scene) -> None:
    """What the one command prints."""
    said: list[str] = []
    story.tell(scene, said.append)
    assert any("ContinueProcess" in line for line in said)
