"""The fake: a client whose calls are answered in memory, as the API answers them."""

import copy
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import unquote

import requests

from ..client import Assent
from ..errors import refusal
from ..types import Approval
from .approvals import FakeApproval, Json, iso
from .policies import FakePolicies, people_of, problems_of
from .validation import YEAR, check_address, check_request, invalid, within

ARN = "arn:aws:states:us-east-1:111122223333:execution:assent-fake:"
KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")


class FakeAssent(Assent):
    """A client without an API: every method of `Assent` works, and nothing is sent.

    People decide by `decide`, time passes by `later`. An approver is confirmed unless a test says
    otherwise in `subscriptions`. What a deployed stage does within a minute happens at once here:
    an execution is resumed as soon as the outcome is there.
    """

    def __init__(self, now: datetime | None = None) -> None:
        super().__init__("https://assent.example.com/api")
        self.now = (now or datetime.now(UTC)).replace(microsecond=0)
        self.subscriptions: dict[str, str] = {}
        """Address in lower case -> `none`, `pending` or `confirmed`."""
        self._requests: dict[str, Json] = {}
        self._approvals: dict[str, FakeApproval] = {}
        self._invited: dict[str, datetime] = {}
        self._absences: dict[str, Json] = {}
        self._policies = FakePolicies()
        self._sessions = 0

    def decide(
        self,
        approval_id: str,
        approver: str,
        decision: Literal["approve", "reject"],
        reason: str = "",
        *,
        break_glass: bool = False,
    ) -> Approval:
        """Decide as that approver, by the page; return the approval.

        `break_glass` approves alone, if the policy allows that person to.
        Raises what the page answers: AlreadyDecided, Expired, InvalidRequest, NotFound.
        """
        approval = self._found(approval_id)
        approval.decide(approver, decision, reason, self.now, break_glass=break_glass)
        view: Approval = copy.deepcopy(approval.view)  # type: ignore[assignment]
        return view

    def later(self, **passed: float) -> None:
        """Let time pass: `later(hours=2)`; what is over then expires."""
        self.now += timedelta(**passed)
        for approval in self._approvals.values():
            if approval.view["outcome"] == "pending" and approval.expires_at <= self.now:
                approval.happened(self.now, "expired", "assent", "tick")
                approval.close("expired", self.now)

    def _send(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """Answer a call; nothing is lost here, so nothing is sent again."""
        sent = json.loads(json.dumps(body))  # as JSON carries it
        given = {**more.get("query", {}), **more.get("headers", {})}
        for route, answer in self._routes.items():
            verb, _, pattern = route.partition(" ")
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                parts = [unquote(part) for part in found.groups()]
                return _response(answer(*parts, sent, given))
        raise refusal(403, {"message": "Missing Authentication Token"})

    @property
    def _routes(self) -> dict[str, Callable[..., Any]]:
        one = "([^/]+)"
        return {
            "POST /executions": self._start,
            f"GET /executions/{one}": self._execution,
            "GET /approvals": self._list,
            f"GET /approvals/{one}": self._approval,
            f"DELETE /approvals/{one}": self._erase,
            f"POST /approvals/{one}/(cancel|remind|extend|reassign)": self._change,
            "GET /approvers": self._approvers,
            f"GET /approvers/{one}": self._approver,
            f"PUT /approvers/{one}": self._put_approver,
            f"DELETE /approvers/{one}": self._remove,
            f"DELETE /approvers/{one}/delegation": self._end_delegation,
            f"POST /approvers/{one}/confirmation": self._confirm,
            "GET /policies": self._list_policies,
            f"GET /policies/{one}": self._policy,
            f"PUT /policies/{one}": self._put_policy,
            f"DELETE /policies/{one}": self._delete_policy,
            "POST /console/(?:sessions|read-only-sessions)": self._offer_session,
            "GET /health": lambda *_: {"status": "ok", "stage": "fake"},
        }

    def _offer_session(self, *_: object) -> Json:
        """Return a link that leads nowhere: the fake has no pages."""
        self._sessions += 1
        until = iso(self.now + timedelta(minutes=2))
        return {"url": f"{self.url}/console/sessions/fake-{self._sessions}", "expiresAt": until}

    def _start(self, body: Json, sent: Json) -> Json:
        name = sent["Idempotency-Key"]
        if not KEY.fullmatch(name):
            raise invalid("Idempotency-Key", "must be 1 to 80 letters, digits, hyphens")
        if self._requests.get(name) == body:  # Policies may have changed since.
            return self._run(name) | {"links": {"self": f"{self.url}/executions/{name}"}}
        request, rule = self._policies.apply(body)
        check_request(request)
        if self._requests.setdefault(name, body) != body:
            message = f"Idempotency-Key: {name} was used with another request"
            body = {"code": "IdempotencyConflict", "message": message, "field": "Idempotency-Key"}
            raise refusal(409, body)
        if name not in self._approvals:
            number = len(self._approvals) + 1
            self._approvals[name] = FakeApproval(number, request, ARN + name, self.now, rule)
            for person in self._approvals[name].waits_for:
                if self._subscription(person) != "confirmed":
                    self._invite(person)
        return self._run(name) | {"links": {"self": f"{self.url}/executions/{name}"}}

    def _run(self, name: str) -> Json:
        """Return an execution as Step Functions shows it."""
        approval = self._approvals[name]
        view = approval.view
        run = {"execution": name, "executionArn": ARN + name, "startedAt": view["createdAt"]}
        result = approval.result
        returned = approval.request.get("onReject") == "return" and view["outcome"] == "rejected"
        if view["outcome"] == "pending":
            return run | {"status": "RUNNING"}
        if view["outcome"] == "approved" or returned:
            return run | {"status": "SUCCEEDED", "output": result}
        error = view["outcome"].title()
        return run | {"status": "FAILED", "error": error, "cause": json.dumps(result)}

    def _execution(self, name: str, *_: Any) -> Json:
        if name not in self._approvals:
            raise refusal(404, {"code": "NotFound", "message": f"There is no execution {name}."})
        approval = self._approvals[name]
        view = approval.view
        asked = {"outcome": view["outcome"], "approval": view, "approvals": [approval.summary()]}
        return self._run(name) | asked

    def _list(self, _: Any, query: Json) -> Json:
        known = ("outcome", "approver", "requestedBy", "policy", "due")
        which = [name for name in known if name in query]
        if len(which) > 1:
            raise invalid(sorted(which)[1], f"is not combined with {sorted(which)[0]}")
        soon = iso(self.now + timedelta(days=1))

        def listed(approval: FakeApproval) -> bool:
            view = approval.view
            if "approver" in query:
                waits = [one.lower() for one in approval.waits_for]
                return str(query["approver"]).lower() in waits
            if "requestedBy" in query:
                asker = str(view["requestedBy"] or "").lower()
                return asker == str(query["requestedBy"]).lower()
            if "policy" in query:
                return self._waits_under(query["policy"], approval)
            if query.get("due") == "soon":
                return bool(view["outcome"] == "pending" and view["expiresAt"] <= soon)
            if "due" in query:
                return False  # The fake's tick is never late.
            return bool(view["outcome"] == query.get("outcome", "pending"))

        by_deadline = bool({"approver", "policy", "due"} & query.keys())
        found = [approval for approval in self._approvals.values() if listed(approval)]
        key = "expiresAt" if by_deadline else "createdAt"
        found.sort(key=lambda one: (one.view[key], one.view["id"]), reverse=not by_deadline)
        rows, after = _page(found, query, 50)
        return {"approvals": [one.summary() for one in rows], "next": after}

    def _waiting(self, policy: str) -> int:
        return sum(self._waits_under(policy, each) for each in self._approvals.values())

    def _waits_under(self, policy: str, approval: FakeApproval) -> bool:
        under = approval.view.get("policy", {}).get("name")
        return bool(approval.view["outcome"] == "pending" and under == policy)

    def _list_policies(self, _: Any, query: Json) -> Json:
        found, after = _page(self._policies.all(), query, 25)
        rows = [one | {"waiting": self._waiting(one["name"])} for one in found]
        return {"policies": rows, "next": after}

    def _policy(self, name: str, _: Any, query: Json) -> Json:
        found = self._policies.get(name, int(query["version"]) if "version" in query else None)
        if "version" not in query:
            found = found | {"waiting": self._waiting(name)}
        if query.get("check") != "yes":
            return found
        people = [
            {"approver": one, "subscription": self._subscription(one)}
            for one in people_of(found["policy"])
        ]
        refused = {one["approver"].lower() for one in people if one["subscription"] == "refused"}
        return found | {"people": people, "problems": problems_of(found["policy"], refused)}

    def _put_policy(self, name: str, body: Json, query: Json) -> Json:
        return self._policies.put(name, body, query, iso(self.now))

    def _delete_policy(self, name: str, _: Any, query: Json) -> None:
        self._policies.delete(name, query, iso(self.now))

    def _found(self, approval_id: str) -> FakeApproval:
        for approval in self._approvals.values():
            if approval.view["id"] == approval_id:
                return approval
        raise refusal(404, {"code": "NotFound", "message": f"There is no approval {approval_id}."})

    def _approval(self, approval_id: str, _: Any, query: Json) -> Json | str:
        view = self._found(approval_id).view
        if query.get("format") != "text":
            return view
        lines = [f"{one['at']}  {one['what']} {one['who']} {one['note']}" for one in view["events"]]
        return "\n".join([view["subject"], f"Outcome: {view['outcome']}", *lines])

    def _erase(self, approval_id: str, *_: Any) -> Json:
        approval = self._found(approval_id)
        approval.erase(self.now)
        return approval.view

    def _change(self, approval_id: str, name: str, body: Json, _: Any) -> Json:
        approval, by = self._found(approval_id), str(body.get("by", ""))
        if by:
            check_address(by, "by")
        why = {"why": body["reason"]} if body.get("reason") else {}
        if name == "cancel" and approval.view["outcome"] == "cancelled":
            return approval.view
        approval.check_open()
        if name == "cancel":
            note = body.get("reason", "")
            approval.happened(self.now, "cancelled", by, "api", note=note)
            approval.close("cancelled", self.now)
        elif name == "remind":
            approval.happened(self.now, "reminded", by, "api", **why)
        elif name == "extend":
            within("expiresIn", body["expiresIn"], 60, YEAR)
            until = self.now + timedelta(seconds=body["expiresIn"])
            approval.extend(until)
            approval.happened(self.now, "extended", by, "api", note=f"until {iso(until)}", **why)
        else:
            check_address(body["from"], "from")
            check_address(body["to"], "to")
            approval.reassign(body, self.now)
        return approval.view

    def _subscription(self, email: str) -> str:
        return self.subscriptions.get(email.lower(), "confirmed")

    def _invite(self, email: str) -> None:
        self._invited[email.lower()] = self.now
        if self._subscription(email) != "confirmed":
            self.subscriptions[email.lower()] = "pending"

    def _status(self, email: str) -> Json:
        absence = self._absences.get(email.lower())
        status = {"approver": email, "subscription": self._subscription(email)}
        return status | ({"absence": absence} if absence else {})

    def _approvers(self, _: Any, query: Json) -> Json:
        people = sorted(self._invited, key=lambda one: (self._invited[one], one), reverse=True)
        listed, after = _page(people, query, 25)
        approvals = self._approvals.values()
        rows = [
            self._status(one)
            | {"waiting": sum(one in map(str.lower, approval.waits_for) for approval in approvals)}
            for one in listed
        ]
        return {"approvers": rows, "next": after}

    def _approver(self, email: str, *_: Any) -> Json:
        return self._status(check_address(email, "approver"))

    def _put_approver(self, email: str, body: Json | None, _: Any) -> Json:
        email = check_address(email, "approver")
        if body:
            check_address(body.get("delegate"), "delegate")
            if datetime.fromisoformat(body["until"]) <= self.now:
                raise invalid("until", "is over")
            by = {"by": body["by"]} if "by" in body else {}
            self._absences[email.lower()] = body | by | {"at": iso(self.now)}
        self._invite(email)
        return self._status(email)

    def _remove(self, email: str, *_: Any) -> None:
        self._invited.pop(email.lower(), None)
        self.subscriptions[check_address(email, "approver").lower()] = "none"

    def _end_delegation(self, email: str, *_: Any) -> None:
        self._absences.pop(check_address(email, "approver").lower(), None)

    def _confirm(self, email: str, body: Json, _: Any) -> Json:
        if not str(body.get("url", "")).startswith("https://sns."):
            raise invalid("url", "is not the address of a confirmation link of SNS")
        self.subscriptions[email.lower()] = "confirmed"
        return self._status(email)


def _page(found: list[Any], query: Json, usual: int) -> tuple[list[Any], str | None]:
    """Return a page of a list, and the place where the next one begins."""
    limit, begin = int(query.get("limit", usual)), int(query.get("next", 0))
    rest = found[begin + limit :]
    return found[begin : begin + limit], str(begin + limit) if rest else None


def _response(body: Any) -> requests.Response:
    answer = requests.Response()
    answer.status_code = 200
    text = body if isinstance(body, str) else json.dumps(body)
    answer._content = text.encode()
    answer.encoding = "utf-8"
    return answer
