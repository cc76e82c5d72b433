"""What `make example NAME=callback_basics` shows: each outcome, and one left to chance."""

from collections.abc import Callable

from examples.scene import Scene

ASKS_ASSENT = False


def tell(scene: Scene, say: Callable[[str], None]) -> None:
    """Start one execution for each outcome, over the API, and say where each one ended."""
    say(f"GET {scene.api}/start")
    started = [
        (outcome, scene.call("GET", f"/start{query}")["executionArn"])
        for outcome, query in [
            ("success", "?outcome=success"),
            ("failure", "?outcome=failure"),
            ("surprise", "?outcome=surprise"),
            ("at random", ""),
            ("silence", "?outcome=silence"),
        ]
    ]
    for outcome, execution in started:
        ended = scene.ended(execution)
        way = " > ".join(scene.states(execution))
        succeeded = ended["status"] == "SUCCEEDED"
        came = ended["output"] if succeeded else f"{ended['error']}: {ended['cause']}"
        say(f"  {outcome:9}  {way}\n{'':13}{ended['status']}  {came}")
