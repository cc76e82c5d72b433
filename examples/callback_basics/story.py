"""What `make example NAME=callback_basics` shows: each outcome, and one left to chance."""

from collections.abc import Callable

from examples.scene import Scene

ASKS_ASSENT = False
STARTS = [
    "/start?outcome=success",
    "/start?outcome=failure",
    "/start?outcome=surprise",
    "/start?outcome=silence",
    "/start",
]


def tell(scene: Scene, say: Callable[[str], None]) -> None:
    """Start an execution for each outcome, over the API, and say where it ended."""
    say(f"The API is {scene.api}; silence takes ten seconds.")
    for path, started in [(path, scene.call("GET", path)) for path in STARTS]:
        ended = scene.ended(started["executionArn"])
        succeeded = ended["status"] == "SUCCEEDED"
        came = ended["output"] if succeeded else f"{ended['error']}: {ended['cause']}"
        say(f"\nGET {path}")
        say(f"  {' > '.join(scene.states(started['executionArn']))}")
        say(f"  {ended['status']}  {came}")
