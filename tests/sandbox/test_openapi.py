"""The deployed API answers as it is described, whatever is sent: schemathesis makes the calls."""

from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.sandbox.client import Sandbox, until
from tools.openapi import ALL, PATHS, Operation

SCHEMA = schemathesis.openapi.from_path(str(PATHS[0]))
CASES = 40
"""For each operation; 1,040 in all."""
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
KEPT = {"eraseApproval", "cancelApproval", "postCancel"}
"""Operations that would end the approval on which the others are tried."""


def test_the_cases_are_a_thousand_at_least() -> None:
    assert CASES * len(ALL) >= 1_000


@pytest.fixture(scope="module")
def known(sandbox: Sandbox, slow: dict[str, str]) -> dict[str, str]:
    """Give the parameters of an approval that waits, and of its people."""
    address = "linus@example.com"
    subject = "Any call at all"
    until(lambda: sandbox.mails("grace@example.com", subject), bool, seconds=150)  # by the tick
    links = {
        page: sandbox.link(address, subject, page).rpartition("/")[2]
        for page in ("approve", "inbox")
    }
    return {
        "approval_id": links["approve"].partition(".")[0],
        "name": slow["called"],
        "email": quote("somebody@example.com"),  # whom no other test asks
        "token": links["approve"],
        "inbox": links["inbox"],
        "cancel": sandbox.link("grace@example.com", subject, "cancel").rpartition("/")[2],
    }


class Signed(requests.auth.AuthBase):
    """Signs a call as that user of the sandbox."""

    def __init__(self, sandbox: Sandbox, who: str) -> None:
        user = sandbox.state[who]
        keys = Credentials(user["accessKeyId"], user["secretAccessKey"])
        self._signer = SigV4Auth(keys, "execute-api", sandbox.state["aws"]["region"])

    def __call__(self, call: requests.PreparedRequest) -> requests.PreparedRequest:
        signed = AWSRequest(call.method, call.url, data=call.body, headers=dict(call.headers))
        self._signer.add_auth(signed)
        call.headers.update(dict(signed.headers.items()))
        return call


AUTHORING = ("putPolicy", "deletePolicy")
"""What an operator may not do, and the author of policies may."""


@pytest.fixture(scope="module")
def users(sandbox: Sandbox) -> Sandbox:
    """Return the sandbox with an author of policies."""
    return sandbox.with_user("openapi-author", "PolicyAuthorPolicyArn")


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.id)
def test_every_answer_is_a_documented_one(
    operation: Operation, known: dict[str, str], users: Sandbox
) -> None:
    """No fault; status, type and body as described, for what is allowed and for what isn't."""
    described = SCHEMA[operation.path][operation.method.upper()]
    parameter = operation.path.partition("{")[2].partition("}")[0]
    modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    answered = set[int]()

    def cases(mode: GenerationMode) -> st.SearchStrategy[Any]:
        made = described.as_strategy(generation_mode=mode)
        if not parameter or operation.id in KEPT:
            return made
        right = known.get(operation.path.split("/")[1], known[parameter])
        return st.one_of(made, described.as_strategy(mode, path_parameters={parameter: right}))

    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(modes.flatmap(cases))
    def each(case: Any) -> None:
        who = "openapi-author" if operation.id in AUTHORING else "operator"
        answer = case.call(base_url=users.state["api"], auth=Signed(users, who))
        answered.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    each()
    if operation.id != "eraseApproval":  # the operator may not erase
        assert answered > {403} or 403 not in answered
