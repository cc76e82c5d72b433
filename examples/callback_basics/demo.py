"""What `make example NAME=callback_basics` runs: one execution for each outcome, one at random."""

from examples.deployed import DeployedExample
from tools.echo import Echo

NEEDS_ASSENT = False
PATHS = [
    "/start?outcome=success",
    "/start?outcome=failure",
    "/start?outcome=surprise",
    "/start?outcome=silence",
    "/start",
]


def run(example: DeployedExample, echo: Echo) -> None:
    """Start the executions over the API; print each one's states and result."""
    echo(f"The API is {example.api}; outcome=silence takes ten seconds.")
    executions = {path: example.call_api("GET", path)["executionArn"] for path in PATHS}
    for path, arn in executions.items():
        execution = example.wait_for_end(arn)
        if execution["status"] == "SUCCEEDED":
            result = execution["output"]
        else:
            result = f"{execution['error']}: {execution['cause']}"
        echo(f"\nGET {path}")
        echo(f"  {' > '.join(example.entered_states(arn))}")
        echo(f"  {execution['status']}  {result}")
