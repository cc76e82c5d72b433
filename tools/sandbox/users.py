"""The sandbox's IAM users and their signed calls of the API.

The operator has the operator policy and nothing else, which shows that it suffices; the stranger
has keys and no permissions.
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


@dataclass(frozen=True)
class IamUser:
    """An IAM user with an access key."""

    name: str
    key: str
    secret: str
    region: str

    @classmethod
    def create(cls, account: Account, name: str, policy_arn: str | None = None) -> "IamUser":
        """Create the IAM user with an access key, and attach the policy if one is given."""
        account.iam.create_user(UserName=name)
        if policy_arn is not None:
            account.iam.attach_user_policy(UserName=name, PolicyArn=policy_arn)
        made = account.iam.create_access_key(UserName=name)["AccessKey"]
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
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  # as above
                answer: dict[str, Any] = json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as e:
            text = e.read().decode(errors="replace")
            raise ToolError(f"{method} {url} answered {e.code}: {text}") from e
        return answer

    def curl(self, url: str, body: object = None) -> str:
        """Return a shell command that gets the URL or, with a body, POSTs it; signed."""
        posted = f"-H 'Content-Type: application/json' \\\n  -d {shlex.quote(json.dumps(body))} "
        return (
            f"curl -sS -w '\\n' --aws-sigv4 'aws:amz:{self.region}:execute-api' \\\n"
            f"  --user '{self.key}:{self.secret}' {'' if body is None else posted}\\\n"
            f"  {url}"
        )
