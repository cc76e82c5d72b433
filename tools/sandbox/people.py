"""The people of the sandbox: who approves, who may operate the API, who may not.

On the map: used by `__main__`. An operator's signed calls show that the operator policy suffices; a
stranger has keys and no permission at all.
"""

import json
import shlex
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tools.account import Account
from tools.errors import ToolError

APPROVERS = ("ada@example.com", "grace@example.com", "linus@example.com")

FIRST_REQUEST = {
    "subject": "Release 4.2.0 of the shop to production?",
    "details": {
        "Change": "New checkout, 14 commits since 4.1.3",
        "Tests": "1,204 passed on the release candidate",
        "Window": "Today, 14:00 to 15:00 UTC",
        "Way back": "Feature switch checkout-v2, off within a minute",
    },
    "requestedBy": "margaret@example.com",
    "approvers": ["ada@example.com", "grace@example.com"],
    "expiresIn": 86400,
}
NEXT_REQUEST = {
    "subject": "Delete the backups of 2019?",
    "approvers": ["linus@example.com"],
    "requestedBy": "margaret@example.com",
}


@dataclass(frozen=True)
class Person:
    """An IAM user with a key pair."""

    name: str
    key: str
    secret: str
    region: str

    @classmethod
    def new(cls, account: Account, name: str, policy_arn: str | None = None) -> "Person":
        """Make the IAM user and give them the policy, if there is one."""
        iam = account.session.client("iam", endpoint_url=account.endpoint_url)
        iam.create_user(UserName=name)
        if policy_arn is not None:
            iam.attach_user_policy(UserName=name, PolicyArn=policy_arn)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        region = account.session.region_name or ""
        return cls(name, made["AccessKeyId"], made["SecretAccessKey"], region)

    def call(self, method: str, url: str, body: object = None) -> dict[str, Any]:
        """Return the JSON answer to a signed call of the API; raise ToolError if it isn't 2xx."""
        data = b"" if body is None else json.dumps(body).encode()
        signed = AWSRequest(method, url, data=data, headers={"Content-Type": "application/json"})
        SigV4Auth(Credentials(self.key, self.secret), "execute-api", self.region).add_auth(signed)
        headers = dict(signed.headers.items())
        request = urllib.request.Request(url, data or None, headers, method=method)  # noqa: S310  # the API's URL is http
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # as above
                found: dict[str, Any] = json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as e:
            said = e.read().decode(errors="replace")
            raise ToolError(f"{method} {url} answered {e.code}: {said}") from e
        return found

    def curl(self, url: str, body: object) -> str:
        """Return a command that POSTs the body from a shell, signed."""
        return (
            f"curl --aws-sigv4 'aws:amz:{self.region}:execute-api' \\\n"
            f"  --user '{self.key}:{self.secret}' -H 'Content-Type: application/json' \\\n"
            f"  -d {shlex.quote(json.dumps(body))} \\\n"
            f"  {url}"
        )
