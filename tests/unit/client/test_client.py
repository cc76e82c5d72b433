"""The client: one method a route, an exception a refusal, another try where that is safe."""

from collections.abc import Callable
from contextlib import suppress

import assent_client
import pytest
import requests
from assent_client import Assent, InvalidRequest, NotFound, Unreachable
from assent_client.client import TRIES

from tests.builders import request_approval
from tests.unit.client.conftest import URL, InProcess, answer_of
from tests.unit.entrypoints.client import ADA, AppPorts
from tools import client_types, openapi

GRACE = "grace@example.com"
REQUEST = {"subject": "Release 4.2", "approvers": [ADA]}
ODD = "o'brien+x/y@example.com"
"""An address with characters that mean something in a path."""


def lost(_: requests.PreparedRequest) -> requests.Response:
    """Lose the answer of a call that was taken."""
    raise requests.ReadTimeout("no answer")


def away(request: requests.PreparedRequest) -> requests.Response:
    """Answer that AWS is away."""
    return answer_of(request, 503, b'{"code": "Unavailable"}', {"Retry-After": "5"})


def test_the_types_are_those_that_make_openapi_writes() -> None:
    assert client_types.PATH.read_text("utf-8") == client_types.text(), "run `make openapi`"


def test_there_is_a_method_for_each_operators_route(api: Assent, server: InProcess) -> None:
    """Each is called, and its path and method are those of the description."""
    an_id = "a" * 26
    calls: dict[str, Callable[[], object]] = {
        "startExecution": lambda: api.start(REQUEST),
        "getExecution": lambda: api.execution("x"),
        "listApprovals": lambda: list(api.approvals()),
        "getApproval": lambda: api.report(an_id),
        "eraseApproval": lambda: api.erase(an_id),
        "cancelApproval": lambda: api.cancel(an_id),
        "remindApprovers": lambda: api.remind(an_id),
        "extendApproval": lambda: api.extend(an_id, 60),
        "reassignApproval": lambda: api.reassign(an_id, ADA, GRACE),
        "listApprovers": lambda: list(api.approvers()),
        "getApprover": lambda: api.approver(ODD),
        "putApprover": lambda: api.invite(ODD),
        "deleteApprover": lambda: api.remove(ODD),
        "endDelegation": lambda: api.end_delegation(ODD),
        "confirmApprover": lambda: api.confirm(ODD, "https://example.com"),
        "listPolicies": lambda: next(api.policies(), None),
        "getPolicy": lambda: api.policy("release", version=1, check=True),
        "putPolicy": lambda: api.put_policy("release", {"groups": []}, replaces=0, dry_run=True),
        "deletePolicy": lambda: api.delete_policy("release"),
        "offerConsoleSession": api.console_session,
        "offerReadOnlySession": lambda: api.console_session(read_only=True),
    }
    for operation in openapi.OPERATORS:
        with suppress(assent_client.Refused):
            calls.pop(operation.id)()
        request = server.sent[-1]
        assert (request.method or "").lower() == operation.method
        given = (request.path_url.removeprefix("/api").partition("?")[0]).split("/")
        wanted = operation.path.split("/")
        assert len(given) == len(wanted)
        assert all(a == b or b.startswith("{") for a, b in zip(given, wanted, strict=True))
    assert not calls


def test_an_approval_is_found_changed_and_reported(api: Assent, ports: AppPorts) -> None:
    approval = request_approval(ports)
    assert api.approval(approval)["subject"] == "Release 4.2"
    assert [found["id"] for found in api.approvals()] == [approval]
    assert api.reassign(approval, ADA, GRACE, "Ada is ill")["approvers"][0]["replacedBy"] == GRACE
    assert api.cancel(approval, "too late", by=ADA)["outcome"] == "cancelled"
    assert "too late" in api.report(approval)


def test_pages_are_got_as_they_are_needed(api: Assent, ports: AppPorts, server: InProcess) -> None:
    """A reader who stops after the first page pays for no other."""
    for number in range(5):
        request_approval(ports, f"token-{number}")
    found = api.approvals(page=2)
    next(found)
    assert len(server.sent) == 1
    assert len(list(found)) == 4
    assert len(server.sent) == 3


def test_a_refusal_is_an_exception_with_code_field_and_message(api: Assent) -> None:
    with pytest.raises(InvalidRequest, match="is not an e-mail address") as refused:
        api.start({**REQUEST, "approvers": ["nobody"]})
    assert (refused.value.code, refused.value.status) == ("InvalidRequest", 400)
    assert refused.value.field == "approvers[0]"
    with pytest.raises(NotFound):
        api.approval("a" * 26)


def test_an_answer_of_api_gateway_itself_is_forbidden(api: Assent, server: InProcess) -> None:
    """Its body isn't Assent's."""
    server.faults = [lambda call: answer_of(call, 403, b'{"message": "Forbidden"}', {})]
    with pytest.raises(assent_client.Forbidden, match="Forbidden"):
        api.approvals_page()


def test_a_start_whose_answer_is_lost_asks_nobody_twice(
    api: Assent, server: InProcess, pauses: list[float]
) -> None:
    """Each try has the same key."""
    server.faults = [lost, away]
    api.start(REQUEST)
    assert len({call.headers["Idempotency-Key"] for call in server.sent}) == 1
    assert (len(server.sent), pauses) == (3, [1.0, 5.0])


def test_a_reminder_whose_answer_is_lost_is_not_sent_again(
    api: Assent, server: InProcess, ports: AppPorts
) -> None:
    """It may have been taken, and another one would mail everybody again."""
    approval = request_approval(ports)
    server.faults = [lost]
    with pytest.raises(Unreachable, match="ReadTimeout"):
        api.remind(approval)
    assert len(server.sent) == 1


def test_a_reminder_that_was_refused_for_now_is_sent_again(
    api: Assent, server: InProcess, ports: AppPorts
) -> None:
    approval = request_approval(ports)
    server.faults = [away]
    assert api.remind(approval)["outcome"] == "pending"


def test_an_api_that_stays_away_is_unreachable(api: Assent, server: InProcess) -> None:
    server.faults = [away] * TRIES
    with pytest.raises(Unreachable, match=rf"{URL} can't be reached \(it answers 503\)"):
        api.health()
    assert len(server.sent) == TRIES


def test_temporary_keys_sign_with_their_session_token(api: Assent, server: InProcess) -> None:
    api.health()
    assert server.sent[-1].headers["X-Amz-Security-Token"] == "test"
    assert "us-east-1/execute-api/aws4_request" in server.sent[-1].headers["Authorization"]


def test_no_exception_holds_a_key_or_a_signature(
    api: Assent, server: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception's text ends up in logs."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    server.faults = [away] * TRIES
    with pytest.raises(Unreachable) as raised:
        api.health()
    assert "very-secret" not in repr(raised.value)
    assert "Signature=" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://a1.execute-api.eu-central-1.amazonaws.com/api", "eu-central-1"),
        ("https://a1-vpce.execute-api.cn-north-1.amazonaws.com.cn/api", "cn-north-1"),
        (URL, "ap-south-1"),
    ],
)
def test_the_region_is_the_urls_or_aws_region(
    monkeypatch: pytest.MonkeyPatch, url: str, region: str
) -> None:
    """Which botocore itself doesn't read, and other tools of AWS do."""
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert Assent(url).region == region


@pytest.mark.parametrize(
    "wanted", ["soon", "-1", "1e9", "9999999", "Fri, 27 Nov 2026 09:00:00 GMT"]
)
def test_an_odd_pause_is_bounded(
    api: Assent, server: InProcess, pauses: list[float], wanted: str
) -> None:
    server.faults = [lambda call: answer_of(call, 503, b"", {"Retry-After": wanted})]
    api.health()
    assert pauses in ([1.0], [30.0])


def test_a_redirect_is_not_followed(api: Assent, server: InProcess) -> None:
    """The session token would go along."""
    away_from_here = {"Location": "https://elsewhere.example.com/"}
    server.faults = [lambda call: answer_of(call, 302, b"", away_from_here)]
    with pytest.raises(Unreachable, match="leads to another address"):
        api.health()
    assert len(server.sent) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b"\xff", b""])
def test_an_answer_that_is_no_object_is_no_api_of_assent(
    api: Assent, server: InProcess, body: bytes
) -> None:
    server.faults = [lambda call: answer_of(call, 200, body, {})]
    with pytest.raises(Unreachable, match="answers no JSON object"):
        api.approvals_page()


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://example.com", "http://[", "http://x:y/api"])
def test_a_url_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
        monkeypatch.setenv(f"AWS_{name}", "us-east-1")
    with pytest.raises(Unreachable, match="can't be called"):
        Assent(url, sleep=lambda _: None).health()


def test_a_reminder_that_api_gateway_lost_is_not_sent_again(
    api: Assent, server: InProcess, ports: AppPorts
) -> None:
    """504 says nothing about what the function did."""
    approval = request_approval(ports)
    server.faults = [lambda call: answer_of(call, 504, b"", {})]
    with pytest.raises(Unreachable, match="504"):
        api.remind(approval)
    assert len(server.sent) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_SESSION_TOKEN", "token-secret\n"), ("AWS_REGION", "us\nvery-secret")],
)
def test_a_broken_credential_is_not_quoted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for one in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
        monkeypatch.setenv(f"AWS_{one}", "us-east-1")
    monkeypatch.setenv(name, value)
    with pytest.raises(Unreachable) as raised:
        Assent("http://user:very-secret@127.0.0.1:1/api", sleep=lambda _: None).health()
    assert "secret" not in str(raised.value)
    assert "Signature" not in str(raised.value)


def test_pages_that_lead_in_a_circle_end(api: Assent, server: InProcess) -> None:
    page = b'{"approvals": [], "next": "same"}'
    server.faults = [lambda call: answer_of(call, 200, page, {})] * 3
    with pytest.raises(Unreachable, match="in a circle"):
        list(api.approvals())


def test_an_answer_that_is_too_large_or_too_deep_is_refused(
    api: Assent, server: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent_client.client.MOST_BYTES", 1_000_000)
    for body, said in ((b"x" * 1_000_001, "over 1000000 bytes"), (b"[" * 200_000, "no JSON")):
        server.faults = [lambda call, body=body: answer_of(call, 200, body, {})]  # type: ignore[misc]
        with pytest.raises(Unreachable, match=said):
            api.health()


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_lead_elsewhere_is_not_sent(
    api: Assent, server: InProcess, name: str
) -> None:
    for call in (api.remove, api.erase, api.invite):
        with pytest.raises(NotFound):
            call(name)
    assert not server.sent
