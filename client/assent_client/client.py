"""The client: one method for each of the operators' routes."""

import os
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import botocore.session
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

from .errors import Refused, Unreachable, refusal
from .types import (
    Approval,
    Approvals,
    Approvers,
    ApproverStatus,
    Execution,
    Health,
    ListedApprover,
    OfferedSession,
    Policies,
    Policy,
    Started,
    Summary,
)

TRIES = 4
"""How often a call is sent at the most."""
PAUSE = 1.0
"""Seconds before the second try if the answer doesn't say; each further pause is twice as long."""
_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")
"""Where the host of an API has its region."""
_BROKEN_OFF = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)
MOST_BYTES = 32_000_000
"""The largest answer that is read; API Gateway's have 10 MB at most."""
LONGEST_PAUSE = 30.0
"""Seconds; an answer that wants a longer pause gets this one."""
_REFUSED_FOR_NOW = (429, 503)
"""Answers after which any call may be sent again: it wasn't taken."""
_LOST = (502, 504)
"""Answers of API Gateway that leave open whether the call was taken."""


class Assent:
    """The API of one stage of Assent, signed with the credentials that every AWS tool finds.

    `url` ends in `/api`. `session` is botocore's. Each
    method raises a subclass of Refused if the API refuses, and Unreachable if it didn't answer
    after TRIES.
    """

    def __init__(
        self,
        url: str,
        *,
        session: botocore.session.Session | None = None,
        timeout: float = 30,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.session = session or botocore.session.get_session()
        self._timeout = timeout
        self._sleep = sleep
        self._http = requests.Session()

    @property
    def shown_url(self) -> str:
        """The URL without a user and password."""
        return re.sub(r"//[^/]*@", "//", self.url)

    @property
    def region(self) -> str | None:
        """The region in the API's URL; if it has none (a domain of your own), the session's."""
        found = _REGION.search(self.url)
        return found[1] if found else region_of(self.session)

    def start(self, request: Mapping[str, Any], key: str | None = None) -> Started:
        """Start an execution, which asks; `request` is as docs/api.md has it.

        The same key finds the same execution. Without one a key is made for this call, so that a
        try whose answer is lost asks nobody twice.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        started: Started = self._call("POST", "/executions", dict(request), headers=headers)
        return started

    def execution(self, name: str) -> Execution:
        """Return an execution and what it asked."""
        found: Execution = self._call("GET", f"/executions/{_part(name)}")
        return found

    def approvals_page(self, *, limit: int = 50, after: str = "", **which: str) -> Approvals:
        """Return one page of approvals.

        `which` is one of `outcome` (pending if nothing is given; newest first), `approver` (what
        waits for them, by deadline), `requestedBy` (newest first), `policy` (what waits under it,
        by deadline) and `due` (`overdue`, `soon`).
        """
        query = {"limit": str(limit), **which} | ({"next": after} if after else {})
        found: Approvals = self._call("GET", "/approvals", query=query)
        return found

    def approvals(self, *, page: int = 50, **which: str) -> Iterator[Summary]:
        """Yield all approvals of `approvals_page`; pages are got as they are needed."""
        after: str | None = ""
        while after is not None:
            found = self.approvals_page(limit=page, after=after, **which)
            yield from found["approvals"]
            after = _following(after, found["next"])

    def approval(self, approval_id: str) -> Approval:
        """Return one approval with all its events."""
        found: Approval = self._call("GET", f"/approvals/{_part(approval_id)}")
        return found

    def report(self, approval_id: str) -> str:
        """Return the audit report of an approval, as text."""
        path = f"/approvals/{_part(approval_id)}"
        return self._send("GET", path, query={"format": "text"}).text

    def erase(self, approval_id: str) -> Approval:
        """Erase the personal data of an approval that is closed and delivered."""
        erased: Approval = self._call("DELETE", f"/approvals/{_part(approval_id)}")
        return erased

    def cancel(self, approval_id: str, reason: str = "", by: str | None = None) -> Approval:
        """Take the request back; its execution fails as `Cancelled`."""
        return self._command(approval_id, "cancel", reason=reason, by=by)

    def remind(self, approval_id: str, reason: str = "", by: str | None = None) -> Approval:
        """Mail each approver who hasn't decided once more."""
        return self._command(approval_id, "remind", again=False, reason=reason, by=by)

    def extend(
        self, approval_id: str, expires_in: int, reason: str = "", by: str | None = None
    ) -> Approval:
        """Move the deadline to so many seconds from now."""
        return self._command(approval_id, "extend", expiresIn=expires_in, reason=reason, by=by)

    def reassign(
        self, approval_id: str, from_: str, to: str, note: str = "", by: str | None = None
    ) -> Approval:
        """Have `to` asked instead of `from_`."""
        fields: dict[str, Any] = {"from": from_, "to": to, "note": note, "by": by}
        return self._command(approval_id, "reassign", **fields)

    def approvers_page(self, *, limit: int = 25, after: str = "") -> Approvers:
        """Return one page of the approvers whom Assent has invited, last invited first."""
        query = {"limit": str(limit)} | ({"next": after} if after else {})
        found: Approvers = self._call("GET", "/approvers", query=query)
        return found

    def approvers(self, *, page: int = 25) -> Iterator[ListedApprover]:
        """Yield the approvers of all pages; pages are got as they are needed."""
        after: str | None = ""
        while after is not None:
            found = self.approvers_page(limit=page, after=after)
            yield from found["approvers"]
            after = _following(after, found["next"])

    def approver(self, email: str) -> ApproverStatus:
        """Return whether mail reaches a person."""
        found: ApproverStatus = self._call("GET", f"/approvers/{_part(email)}")
        return found

    def invite(self, email: str) -> ApproverStatus:
        """Have SNS invite a person, unless they have confirmed already."""
        invited: ApproverStatus = self._call("PUT", f"/approvers/{_part(email)}")
        return invited

    def delegate(
        self,
        email: str,
        delegate: str,
        from_: str,
        until: str,
        reason: str = "",
        by: str | None = None,
    ) -> ApproverStatus:
        """Have `delegate` asked in that person's place; times are ISO 8601 with an offset."""
        body = {"delegate": delegate, "from": from_, "until": until, "reason": reason, "by": by}
        stored: ApproverStatus = self._call("PUT", f"/approvers/{_part(email)}", _given(body))
        return stored

    def end_delegation(self, email: str) -> None:
        """End a person's delegation, if there is one."""
        self._send("DELETE", f"/approvers/{_part(email)}/delegation")

    def remove(self, email: str) -> None:
        """Delete a person's topic and subscription; links mailed before keep working."""
        self._send("DELETE", f"/approvers/{_part(email)}")

    def confirm(self, email: str, url: str) -> ApproverStatus:
        """Confirm a person's subscription with the link of SNS's invitation."""
        path = f"/approvers/{_part(email)}/confirmation"
        confirmed: ApproverStatus = self._call("POST", path, {"url": url})
        return confirmed

    def policies_page(self, *, limit: int = 25, after: str = "") -> Policies:
        """Return one page of the policies, last written first."""
        query = {"limit": str(limit)} | ({"next": after} if after else {})
        found: Policies = self._call("GET", "/policies", query=query)
        return found

    def policies(self, *, page: int = 25) -> Iterator[Policy]:
        """Yield the policies of all pages; pages are got as they are needed."""
        after: str | None = ""
        while after is not None:
            found = self.policies_page(limit=page, after=after)
            yield from found["policies"]
            after = _following(after, found["next"])

    def policy(self, name: str, *, version: int | None = None, check: bool = False) -> Policy:
        """Return a policy, or a version of it; `check` also asks whether mail reaches its people.

        Raises NotFound if there is none.
        """
        query = {"version": str(version)} if version else {}
        query |= {"check": "yes"} if check else {}
        found: Policy = self._call("GET", f"/policies/{_part(name)}", query=query)
        return found

    def put_policy(
        self,
        name: str,
        policy: Mapping[str, Any],
        *,
        replaces: int | None = None,
        dry_run: bool = False,
    ) -> Policy:
        """Write a new version of a policy; the same policy again changes nothing.

        `replaces` is the version that you have read, 0 for none: if another is current by then,
        nothing is written and VersionConflict is raised. A `dry_run` writes nothing.
        """
        query = _replaced(replaces) | ({"dryRun": "yes"} if dry_run else {})
        written: Policy = self._call("PUT", f"/policies/{_part(name)}", dict(policy), query=query)
        return written

    def delete_policy(self, name: str, *, replaces: int | None = None) -> None:
        """Delete a policy; what waits under it goes on."""
        self._send("DELETE", f"/policies/{_part(name)}", query=_replaced(replaces))

    def console_session(self, *, read_only: bool = False) -> OfferedSession:
        """Return a link that opens a session of the console once, within two minutes."""
        path = "/console/read-only-sessions" if read_only else "/console/sessions"
        offered: OfferedSession = self._call("POST", path)
        return offered

    def health(self) -> Health:
        """Return the stage's name, if it runs."""
        found: Health = self._call("GET", "/health")
        return found

    def _command(
        self, approval_id: str, name: str, *, again: bool = True, **fields: Any
    ) -> Approval:
        path = f"/approvals/{_part(approval_id)}/{name}"
        changed: Approval = self._call("POST", path, _given(fields), again=again)
        return changed

    def _call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = self._send(method, path, body, **more)
        try:
            found = answer.json()
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Unreachable(
                f"{self.shown_url}{path} is no API of Assent: it answers no JSON object"
            )
        return found

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = True,
    ) -> requests.Response:
        """Send a call until it is answered; `again` says whether a lost answer allows another try.

        The query is in alphabetical order, as the signature has it.
        """
        url = self.url + path + (f"?{urlencode(sorted(query.items()))}" if query else "")
        pause, why = 0.0, ""
        for number in range(TRIES):
            if pause:
                self._sleep(pause)
            pause = PAUSE * 2**number
            try:
                answer = self._http.request(
                    method,
                    url,
                    json=body,
                    headers=headers,
                    timeout=self._timeout,
                    auth=self._sign,
                    allow_redirects=False,
                    stream=True,
                )
                self._read(answer)
            except _BROKEN_OFF as e:
                why = type(e).__name__
                if not again and not isinstance(e, requests.ConnectTimeout):
                    break  # The call may have been taken; once more would be another one.
                continue
            except BotoCoreError as e:
                raise Unreachable(f"AWS's credentials or settings can't be used: {e}") from None
            except (requests.RequestException, ValueError) as e:
                # The error's own words may quote a header, and so the session token.
                said = f"{self.shown_url} can't be called ({type(e).__name__})"
                raise Unreachable(f"{said}: is the URL right, and no credential broken?") from None
            if answer.status_code < 300:
                return answer
            self._check_is_for_now(answer)
            why = f"it answers {answer.status_code}"
            if not again and answer.status_code in _LOST:
                break
            pause = min(LONGEST_PAUSE, max(pause, _wanted_pause(answer)))
        raise Unreachable(f"{self.shown_url} can't be reached ({why}); please try again")

    def _check_is_for_now(self, answer: requests.Response) -> None:
        """Raise what an answer says, unless the same call may be answered otherwise later."""
        if answer.status_code < 400:  # Followed, it would carry the session token elsewhere.
            said = f"{self.shown_url} is no API of Assent: it leads to another address"
            raise Unreachable(said)
        if answer.status_code not in (*_REFUSED_FOR_NOW, *_LOST):
            raise _refusal(answer)

    def _read(self, answer: requests.Response) -> None:
        """Read an answer's body, within bounds of size and time."""
        until, body = time.monotonic() + 2 * self._timeout, bytearray()
        for chunk in answer.iter_content(65_536):
            body += chunk
            if len(body) > MOST_BYTES:
                said = f"{self.shown_url} is no API of Assent: it answers over {MOST_BYTES} bytes"
                raise Unreachable(said)
            if time.monotonic() > until:
                raise requests.Timeout
        answer._content = bytes(body)

    def _sign(self, call: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a call with AWS Signature Version 4."""
        credentials = self.session.get_credentials()
        region = self.region
        if credentials is None:
            raise Unreachable("there are no AWS credentials: sign in as for the aws command")
        if region is None:
            raise Unreachable("no AWS region is set: AWS_REGION=eu-central-1, for example")
        signed = AWSRequest(call.method, call.url, data=call.body, headers=dict(call.headers))
        SigV4Auth(credentials.get_frozen_credentials(), "execute-api", region).add_auth(signed)
        call.headers.update(dict(signed.headers.items()))
        return call


def region_of(session: botocore.session.Session) -> str | None:
    """Return the region of AWS_REGION, which botocore doesn't read, or the session's."""
    configured: str | None = session.get_config_variable("region")
    return os.environ.get("AWS_REGION") or configured


def _part(name: str) -> str:
    """Return a name as one part of a path; NotFound for one that would lead elsewhere."""
    if name in ("", ".", ".."):
        raise refusal(404, {"code": "NotFound", "message": f"nothing has the name {name!r}"})
    return quote(name, safe="")


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _replaced(version: int | None) -> dict[str, str]:
    return {} if version is None else {"replaces": str(version)}


def _following(place: str, following: str | None) -> str | None:
    """Return where the next page begins; Unreachable if the pages lead in a circle."""
    if following == place:
        raise Unreachable("the API's pages lead in a circle; please report this")
    return following


def _wanted_pause(answer: requests.Response) -> float:
    """Return the seconds of `Retry-After`; 0 if it has none that we read."""
    wanted = answer.headers.get("Retry-After", "")
    return float(wanted) if wanted.isascii() and wanted.isdigit() else 0.0


def _refusal(answer: requests.Response) -> Refused:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    return refusal(answer.status_code, body)
