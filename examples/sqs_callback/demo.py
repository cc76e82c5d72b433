"""What `make example NAME=sqs_callback` runs: six jobs at once, with workers that crash."""

from examples.deployed import DeployedExample
from examples.polling import poll
from tools.echo import Echo

NEEDS_ASSENT = False
JOBS = [
    {"name": "plain", "pages": 3},
    {"name": "slow", "pages": 8},
    {"name": "no paper", "pages": 3, "fault": "no paper"},
    {"name": "crashes once", "pages": 3, "fault": "crashes once"},
    {"name": "answers, then crashes", "pages": 3, "fault": "answers, then crashes"},
    {"name": "crashes each time", "pages": 3, "fault": "crashes each time"},
]


def run(example: DeployedExample, echo: Echo) -> None:
    """Start an execution for each job; print its states, its result and its worker's log."""
    echo("Six jobs go into the queue at once. The last one takes a minute.")
    started = [(str(job["name"]), example.start_execution(job)) for job in JOBS]
    ended = [(name, arn, example.wait_for_end(arn, timeout=90)) for name, arn in started]
    dead = poll(lambda: count_dead_letters(example), until=bool, waiting_for="dead letter")
    for name, arn, execution in ended:
        states = " > ".join(example.entered_states(arn))
        succeeded = execution["status"] == "SUCCEEDED"
        result = execution["output"] if succeeded else execution["cause"]
        echo(f"  {name:21}  {states:19}  {result}")
        echo(f"{'':25}the worker's log: {', '.join(worker_log(example, name))}")
    echo(f"Messages in the dead-letter queue: {dead}")


def worker_log(example: DeployedExample, job: str) -> list[str]:
    """Return what the worker logged about a job: each delivery, and each result."""
    lines = [line for line in example.log_lines("work") if line["job"] == job]
    return [str(line.get("result", line["event"])) for line in lines]


def count_dead_letters(example: DeployedExample) -> int:
    """Return the number of messages in the dead-letter queue."""
    counted = example.client("sqs").get_queue_attributes(
        QueueUrl=example.outputs["DeadLettersUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(counted["Attributes"]["ApproximateNumberOfMessages"])
