"""A worker on a queue: it gets a job and a task token, shows that it lives, and answers.

The state machine's `Print` puts a message into the queue. What a message may meet here: it is done
at once or slowly, or refused; its worker dies; it comes twice, for SQS promises only at least once.
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
"""Chalice imports this file with the stage's variables when it deploys, and so does Lambda."""
MOST_PAGES = 20
SECONDS_A_PAGE = 0.05


@cache
def stepfunctions() -> Any:
    """Return the client, made when it is first needed."""
    return boto3.client("stepfunctions")


@app.on_sqs_message(queue=QUEUE, batch_size=1)
def work(event: SQSEvent) -> None:
    """Do the one job that came. To return is to delete its message, to die is to see it again."""
    for record in event:
        message = json.loads(record.body)
        delivery = int(record.to_dict()["attributes"]["ApproximateReceiveCount"])
        job = message["job"]
        log("delivered", job, delivery=delivery)
        log("worked", job, said=do(message["taskToken"], job, delivery))


def do(token: str, job: dict[str, Any], delivery: int) -> str:
    """Do a job and answer its task; return whether the answer was heard.

    A job that can never be done is answered as well: delivering it again wouldn't mend it.
    """
    pages, fate = job.get("pages"), job.get("fate")  # `fate` is this example's own: what goes wrong
    if not isinstance(pages, int) or not 1 <= pages <= MOST_PAGES:
        return fail(token, f"pages: must be 1 to {MOST_PAGES}")
    if fate == "no paper":
        return fail(token, "there is no paper")
    for page in range(1, pages + 1):
        # A heartbeat also asks: if the task is closed it is refused, and nobody wants the pages.
        if not heard(stepfunctions().send_task_heartbeat, taskToken=token):
            return "nobody waits"
        if page == 2 and (fate == "dies each time" or (fate == "dies once" and delivery == 1)):
            sys.exit("died on page 2")
        time.sleep(SECONDS_A_PAGE)
    output = json.dumps({"pages": pages, "delivery": delivery})
    answered = heard(stepfunctions().send_task_success, taskToken=token, output=output)
    if fate == "answers, then dies" and delivery == 1:
        sys.exit("died before the message was deleted")
    return "done" if answered else "nobody waits"


def log(event: str, job: dict[str, Any], **facts: object) -> None:
    """Print a line for the log. The token is a credential: it is never among the facts."""
    print(json.dumps({"event": event, "job": job.get("name"), **facts}))


def fail(token: str, cause: str) -> str:
    """Answer that the job can't be done; return whether that was heard."""
    send = stepfunctions().send_task_failure
    failed = heard(send, taskToken=token, error="CannotPrint", cause=cause)
    return "refused" if failed else "nobody waits"


def heard(send: Callable[..., object], **what: str) -> bool:
    """Return whether Step Functions took it. It doesn't if the task is closed: no error here."""
    errors = stepfunctions().exceptions
    try:
        send(**what)
    except (errors.TaskTimedOut, errors.TaskDoesNotExist, errors.InvalidToken):
        return False
    return True
