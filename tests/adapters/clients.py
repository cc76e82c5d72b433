"""Clients for tests: one session makes them all, so that botocore reads its models once."""

from functools import cache

import boto3


@cache
def session() -> boto3.Session:
    """Return a session whose credentials open nothing."""
    return boto3.Session("testing", "testing", "testing", "us-east-1")
