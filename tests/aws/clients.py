"""Clients for tests, made by one session, so that botocore reads its models once; and their AWS."""

from functools import cache
from typing import Any

import boto3
from moto import mock_aws


@cache
def session() -> boto3.Session:
    """Return a session whose credentials open nothing."""
    return boto3.Session("testing", "testing", "testing", "us-east-1")


def an_account() -> Any:
    """Return moto's AWS, empty; its state machines run, and nothing leaves the process."""
    return mock_aws(
        config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    )
