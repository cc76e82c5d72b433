"""The callback pattern in its smallest form: a state gives a function a task token, and waits.

`GET /start` starts an execution, `split_document` cuts its text into chunks, `process_document`
gets the task token and answers the task. It answers at once, but could as well hand the token to
something that answers days later.
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
"""How processing may end. `silence` sends no answer, like a worker that crashed."""
DOCUMENT = "A state gives a task token away and waits until it is answered."


@cache
def stepfunctions() -> Any:
    """Return the Step Functions client, made when it is first needed."""
    return boto3.client("stepfunctions")


@app.route("/start", authorizer=IAMAuthorizer())
def start() -> Response:
    """Start an execution for the text `?document=`; `?outcome=` says how it will end."""
    request = app.current_request
    query = dict(request.query_params or {}) if request else {}
    execution_input = {"document": query.get("document", DOCUMENT)}
    if "outcome" in query:
        if query["outcome"] not in OUTCOMES:
            raise BadRequestError(f"outcome: must be one of {', '.join(OUTCOMES)}")
        execution_input["outcome"] = query["outcome"]
    started = stepfunctions().start_execution(
        stateMachineArn=os.environ["STATE_MACHINE_ARN"], input=json.dumps(execution_input)
    )
    return Response({"executionArn": started["executionArn"]}, status_code=202)


@app.lambda_function()
def split_document(event: dict[str, Any], _context: object) -> list[str]:
    """Return the document in chunks of at most 40 characters."""
    return textwrap.wrap(event["document"], 40)


@app.lambda_function()
def process_document(event: dict[str, Any], _context: object) -> None:
    """Process the chunks and answer the task. The token is a credential: never log it."""
    work = event["work"]
    outcome, chunks = outcome_of(work), work["split"]["chunks"]
    result = "no answer" if outcome == "silence" else answer(event["taskToken"], outcome, chunks)
    print(json.dumps({"event": "processed", "outcome": outcome, "result": result}))


def outcome_of(work: dict[str, Any]) -> str:
    """Return the outcome that the execution's input asks for, or else a random answer."""
    return work.get("outcome") or random.choice(ANSWERS)  # noqa: S311  # no secret


def answer(token: str, outcome: str, chunks: list[str]) -> str:
    """Answer the task; return "answered", or "too late" if the task is closed already."""
    client = stepfunctions()
    try:
        if outcome == "success":
            output = {"chunks": len(chunks), "characters": sum(map(len, chunks))}
            client.send_task_success(taskToken=token, output=json.dumps(output))
        elif outcome == "failure":
            cause = f"chunk 1 of {len(chunks)} can't be read"
            client.send_task_failure(taskToken=token, error="ProcessingFailed", cause=cause)
        else:
            cause = f"the outcome {outcome!r} is unknown"
            client.send_task_failure(taskToken=token, error="Surprise", cause=cause)
    except (
        client.exceptions.TaskTimedOut,
        client.exceptions.TaskDoesNotExist,
        client.exceptions.InvalidToken,
    ):
        return "too late"  # answered before, or timed out: the execution no longer waits
    return "answered"
