"""What `make example NAME=sqs_callback` shows: six jobs at once, and what becomes of each."""

from collections.abc import Callable

from examples.scene import Scene

ASKS_ASSENT = False
JOBS = [
    {"name": "plain", "pages": 3},
    {"name": "slow", "pages": 8},
    {"name": "no paper", "pages": 3, "fate": "no paper"},
    {"name": "dies once", "pages": 3, "fate": "dies once"},
    {"name": "answers, then dies", "pages": 3, "fate": "answers, then dies"},
    {"name": "dies each time", "pages": 3, "fate": "dies each time"},
]


def tell(scene: Scene, say: Callable[[str], None]) -> None:
    """Start an execution for each job; say where it ended, and what its worker had to say."""
    say("Six jobs go into the queue at once. The last of them takes a minute.")
    started = [(str(job["name"]), scene.start(job)) for job in JOBS]
    ended = [(name, arn, scene.ended(arn, within=90)) for name, arn in started]
    dead = scene.wait(lambda: dead_letters(scene), bool, "a dead letter")
    for name, execution, end in ended:
        way = " > ".join(scene.states(execution))
        came = end["output"] if end["status"] == "SUCCEEDED" else end["cause"]
        say(f"  {name:18}  {way:19}  {came}")
        say(f"{'':22}the worker's log: {', '.join(worked(scene, name))}")
    say(f"In the dead-letter queue: {dead}")


def worked(scene: Scene, job: str) -> list[str]:
    """Return what the worker said of a job: that it was delivered, and what came of that."""
    lines = [line for line in scene.log("work") if line["job"] == job]
    return [str(line.get("said", line["event"])) for line in lines]


def dead_letters(scene: Scene) -> int:
    """Return how many messages are in the dead-letter queue."""
    counted = scene.client("sqs").get_queue_attributes(
        QueueUrl=scene.outputs["DeadLettersUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(counted["Attributes"]["ApproximateNumberOfMessages"])
