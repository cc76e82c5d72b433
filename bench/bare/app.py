"""The bare handler that Assent is compared with: the least that shows a page and resumes a task.

One DynamoDB read, an f-string page, `SendTaskSuccess`, and boto3 clients that are made when first
needed. It checks nothing, records nothing and escapes nothing: don't copy it.
"""

import os
from functools import cache
from typing import Any

import boto3
from chalice.app import Chalice, Response

app = Chalice(app_name="bare")


@cache
def dynamodb() -> Any:
    """Return the DynamoDB client."""
    return boto3.client("dynamodb")


@cache
def stepfunctions() -> Any:
    """Return the Step Functions client."""
    return boto3.client("stepfunctions")


@app.route(
    "/approve/{key}",
    methods=["GET", "POST"],
    content_types=["application/x-www-form-urlencoded", "application/json"],
)
def approve(key: str) -> Response:
    """Show a page; on POST resume the task first."""
    item = dynamodb().get_item(TableName=os.environ["TABLE"], Key={"pk": {"S": key}})["Item"]
    request: Any = app.current_request
    if request.method == "POST":
        stepfunctions().send_task_success(taskToken=item["taskToken"]["S"], output="{}")
    page = f"<h1>{item['subject']['S']}</h1><form method=post><button>Approve</button></form>"
    return Response(page, headers={"Content-Type": "text/html"})
