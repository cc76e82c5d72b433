"""Random stories, fewer and shorter, on the real adapters and moto."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.moto_backend import MotoBackend
from tests.unit.state_machine.actions import NOT_CLOSING
from tests.unit.state_machine.state_machine import PHASES, RandomStories


class RandomStoriesOnMoto(RandomStories):
    """Few stories, so each begins with every kind of action, in any order."""

    backend = MotoBackend
    first_actions = NOT_CLOSING


@pytest.mark.usefixtures("credentials")
def test_random_stories_on_the_real_adapters() -> None:
    """What holds on the fakes holds on DynamoDB, SNS, Step Functions and EventBridge."""
    run_state_machine_as_test(
        RandomStoriesOnMoto,
        settings=settings(
            max_examples=settings().max_examples // 4,
            stateful_step_count=settings().stateful_step_count // 2,
            phases=PHASES,
        ),
    )
