"""A worker on a queue: it receives a job with a task token, sends heartbeats, and answers the task.

The state machine's state `Print` sends the message. The demo shows what can happen to one: the job
is done, fast or slowly; it can't be done; the worker crashes; SQS delivers the message twice.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from chalice.app import Chalice, SQSEvent

app = Chalice(app_name="sqs-callback")

QUEUE = os.environ.get("JOBS_QUEUE_NAME", "sqs-callback-dev-jobs")
"""From the stage's variables, with which both Chalice (when it deploys) and Lambda import this."""
MAX_PAGES = 20
SECONDS_PER_PAGE = 0.05


@cache
def stepfunctions() -> Any:
    """Return the Step Functions client, made when it is first needed."""
    return boto3.client("stepfunctions")


@app.on_sqs_message(queue=QUEUE, batch_size=1)
def work(event: SQSEvent) -> None:
    """Do the job of a message. If this returns, SQS deletes the message; if not, it redelivers."""
    for record in event:
        message = json.loads(record.body)
        delivery = int(record.to_dict()["attributes"]["ApproximateReceiveCount"])
        job = message["job"]
        log("delivered", job, delivery=delivery)
        log("worked", job, result=print_pages(message["taskToken"], job, delivery))


def print_pages(token: str, job: dict[str, Any], delivery: int) -> str:
    """Do a job and answer its task; return "done", "failed" or "task closed".

    A job that can never be done is answered too, because a redelivery wouldn't help.
    `job["fault"]` is for the demo: it says what goes wrong.
    """
    pages, fault = job.get("pages"), job.get("fault")
    if not isinstance(pages, int) or not 1 <= pages <= MAX_PAGES:
        return fail(token, f"pages: must be 1 to {MAX_PAGES}")
    if fault == "no paper":
        return fail(token, "there is no paper")
    for page in range(1, pages + 1):
        # Step Functions refuses the heartbeat of a closed task; then the pages aren't needed.
        if not accepted(stepfunctions().send_task_heartbeat, taskToken=token):
            return "task closed"
        if page == 2 and (
            fault == "crashes each time" or (fault == "crashes once" and delivery == 1)
        ):
            sys.exit("crashed on page 2")
        time.sleep(SECONDS_PER_PAGE)
    output = json.dumps({"pages": pages, "delivery": delivery})
    answered = accepted(stepfunctions().send_task_success, taskToken=token, output=output)
    if fault == "answers, then crashes" and delivery == 1:
        sys.exit("crashed before the message was deleted")
    return "done" if answered else "task closed"


def log(event: str, job: dict[str, Any], **facts: object) -> None:
    """Print a log line. The token is a credential: never pass it here."""
    print(json.dumps({"event": event, "job": job.get("name"), **facts}))


def fail(token: str, cause: str) -> str:
    """Fail the task as CannotPrint; return "failed" or "task closed"."""
    send = stepfunctions().send_task_failure
    answered = accepted(send, taskToken=token, error="CannotPrint", cause=cause)
    return "failed" if answered else "task closed"


def accepted(send: Callable[..., object], **arguments: str) -> bool:
    """Call Step Functions; return False if the task is closed, which is no error here."""
    errors = stepfunctions().exceptions
    try:
        send(**arguments)
    except (errors.TaskTimedOut, errors.TaskDoesNotExist, errors.InvalidToken):
        return False
    return True
