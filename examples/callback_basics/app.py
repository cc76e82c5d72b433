"""The callback pattern at its smallest: a state hands a task token to a function, and waits.

`GET /start` starts an execution, `split_document` cuts its text, `process_document` gets the token
and answers the task. Here it answers at once; whoever it hands the token to could, days later.
"""

import json
import os
import random
import textwrap
from functools import cache
from typing import Any

import boto3
from chalice.app import BadRequestError, Chalice, IAMAuthorizer, Response

app = Chalice(app_name="callback-basics")

ANSWERS = ("success", "failure", "surprise")
OUTCOMES = (*ANSWERS, "silence")
"""How processing may end. The last one answers nothing, as a worker that was lost."""
DOCUMENT = "A state hands a task token out, and waits for whoever has it."


@cache
def stepfunctions() -> Any:
    """Return the client, made when it is first needed."""
    return boto3.client("stepfunctions")


@app.route("/start", authorizer=IAMAuthorizer())
def start() -> Response:
    """Start an execution: `?document=` is its text, `?outcome=` how it will end."""
    request = app.current_request
    query = dict(request.query_params or {}) if request else {}
    given = {"document": query.get("document", DOCUMENT)}
    if "outcome" in query:
        if query["outcome"] not in OUTCOMES:
            raise BadRequestError(f"outcome: must be one of {', '.join(OUTCOMES)}")
        given["outcome"] = query["outcome"]
    started = stepfunctions().start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"], input=json.dumps(given)
    )
    return Response({"executionArn": started["executionArn"]}, status_code=202)


@app.lambda_function()
def split_document(event: dict[str, Any], _context: object) -> list[str]:
    """Return the document in chunks of at most 40 characters."""
    return textwrap.wrap(event["document"], 40)


@app.lambda_function()
def process_document(event: dict[str, Any], _context: object) -> None:
    """Process the chunks and answer the task. The token is a credential: log it nowhere."""
    work = event["work"]
    outcome, chunks = outcome_of(work), work["split"]["chunks"]
    said = "nothing" if outcome == "silence" else answer(event["taskToken"], outcome, chunks)
    print(json.dumps({"event": "processed", "outcome": outcome, "said": said}))


def outcome_of(work: dict[str, Any]) -> str:
    """Return how this work ends: as its input wants it, or else as chance does."""
    return work.get("outcome") or random.choice(ANSWERS)  # noqa: S311  # no secret


def answer(token: str, outcome: str, chunks: list[str]) -> str:
    """Answer the task and return what came of that."""
    client = stepfunctions()
    try:
        if outcome == "success":
            done = {"chunks": len(chunks), "characters": sum(map(len, chunks))}
            client.send_task_success(taskToken=token, output=json.dumps(done))
        elif outcome == "failure":
            cause = f"chunk 1 of {len(chunks)} can't be read"
            client.send_task_failure(taskToken=token, error="ProcessingFailed", cause=cause)
        else:
            cause = f"nobody has heard of the outcome {outcome!r}"
            client.send_task_failure(taskToken=token, error="Surprise", cause=cause)
    except (
        client.exceptions.TaskTimedOut,
        client.exceptions.TaskDoesNotExist,
        client.exceptions.InvalidToken,
    ):
        return "too late"  # answered before, or given up: nothing is waiting, nothing is to be done
    return "answered"
