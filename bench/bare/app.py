"""The bare handlers that Assent is compared with, and boto3 clients, made when first needed.

`approve` is the least that shows a page and resumes a task: one DynamoDB read, an f-string page,
`SendTaskSuccess`. `vote`, `close`, `request` and `tick` make the same AWS calls as Assent and do
nothing else. They check nothing and escape nothing: don't copy them.
"""

import os
from functools import cache
from typing import Any

import boto3
from chalice.app import Chalice, Response

app = Chalice(app_name="bare")

POST: Any = {"methods": ["POST"], "content_types": ["application/x-www-form-urlencoded"]}
SHARDS = 8


@cache
def dynamodb() -> Any:
    """Return the DynamoDB client."""
    return boto3.client("dynamodb")


@cache
def stepfunctions() -> Any:
    """Return the Step Functions client."""
    return boto3.client("stepfunctions")


@cache
def sns() -> Any:
    """Return the SNS client."""
    return boto3.client("sns")


@app.route(
    "/approve/{key}",
    methods=["GET", "POST"],
    content_types=["application/x-www-form-urlencoded", "application/json"],
)
def approve(key: str) -> Response:
    """Show a page; on POST resume the task first."""
    print('{"event": "approve"}', flush=True)  # so does Assent; without it the sandbox waits 50 ms
    item = _item(key)
    current: Any = app.current_request
    if current.method == "POST":
        stepfunctions().send_task_success(taskToken=item["taskToken"]["S"], output="{}")
    page = f"<h1>{item['subject']['S']}</h1><form method=post><button>Approve</button></form>"
    return Response(page, headers={"Content-Type": "text/html"})


@app.route("/vote/{key}", **POST)
def vote(key: str) -> Response:
    """Read an item and write it back, with another item, in one transaction."""
    print('{"event": "vote"}', flush=True)
    _write_back(_item(key))
    return _recorded()


@app.route("/close/{key}", **POST)
def close(key: str) -> Response:
    """Do what `vote` does, resume the task, and write the item again."""
    print('{"event": "close"}', flush=True)
    item = _item(key)
    _write_back(item)
    stepfunctions().send_task_success(taskToken=item["taskToken"]["S"], output="{}")
    dynamodb().put_item(TableName=os.environ["TABLE"], Item=item)
    return _recorded()


@app.lambda_function(name="request")
def request(event: Any, context: Any) -> None:
    """Look for a delegation, a refused address and older items; write, mail, write that down."""
    print('{"event": "request"}', flush=True)
    item, table = event["item"], os.environ["TABLE"]
    dynamodb().get_item(TableName=table, Key={"pk": {"S": "delegation"}})
    dynamodb().batch_get_item(RequestItems={table: {"Keys": [{"pk": {"S": "approver"}}]}})
    dynamodb().query(TableName=table, **_where("execution", event["execution"]))
    _write_back(item)
    sns().get_topic_attributes(TopicArn=event["topic"])
    sns().list_subscriptions_by_topic(TopicArn=event["topic"])
    sns().publish(TopicArn=event["topic"], Subject="Please decide", Message=event["mail"])
    dynamodb().put_item(TableName=table, Item=item)


@app.lambda_function(name="tick")
def tick(event: Any, context: Any) -> None:
    """Look for what is due."""
    print('{"event": "tick"}', flush=True)
    for shard in range(SHARDS):
        dynamodb().query(TableName=os.environ["TABLE"], **_where("due", str(shard)))


def _item(key: str) -> Any:
    return dynamodb().get_item(TableName=os.environ["TABLE"], Key={"pk": {"S": key}})["Item"]


def _write_back(item: Any) -> None:
    table = os.environ["TABLE"]
    entry = {"pk": {"S": f"{item['pk']['S']}#entry"}}
    puts = [{"Put": {"TableName": table, "Item": one}} for one in (item, entry)]
    dynamodb().transact_write_items(TransactItems=puts)


def _where(index: str, key: str) -> Any:
    values = {":key": {"S": key}}
    return {
        "IndexName": index,
        "KeyConditionExpression": "#key = :key",
        "ExpressionAttributeNames": {"#key": index},
        "ExpressionAttributeValues": values,
    }


def _recorded() -> Response:
    return Response("<h1>Recorded</h1>", headers={"Content-Type": "text/html"})
