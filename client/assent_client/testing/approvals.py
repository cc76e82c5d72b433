"""One approval of the fake: its rules, and its JSON as the API has it."""

import json
from base64 import b32encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from ..errors import Refused, refusal
from .groups import Rule, seated
from .validation import asked_first, invalid

Json = dict[str, Any]
PRINCIPAL = "arn:aws:iam::111122223333:user/operator"
"""Who signs the fake's calls."""


def iso(moment: datetime) -> str:
    """Return a time as the API has it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def closed_already(outcome: str) -> Refused:
    """Return the refusal of a command for an approval that is over."""
    code, status = ("Expired", 410) if outcome == "expired" else ("AlreadyDecided", 409)
    return refusal(status, {"code": code, "message": f"This was {outcome} already."})


class FakeApproval:
    """An approval; `view` is the API's JSON of it, and follows each change."""

    def __init__(
        self,
        number: int,
        request: Mapping[str, Any],
        arn: str,
        now: datetime,
        rule: Rule | None = None,
    ) -> None:
        people = asked_first(request)
        needed = request.get("approvalsNeeded", 1)
        self.request = dict(request)
        self.rule = rule
        self.expires_at = now + timedelta(seconds=request.get("expiresIn", 604_800))
        self.view: Json = {
            "id": b32encode(sha256(str(number).encode()).digest())[:26].decode().lower(),
            "outcome": "pending",
            "subject": str(request["subject"]).strip(),
            "requestedBy": request.get("requestedBy"),
            "approvalsNeeded": len(people) if needed == "all" else needed,
            "rejectionsNeeded": request.get("rejectionsNeeded", 1),
            "createdAt": iso(now),
            "expiresAt": iso(self.expires_at),
            "closedAt": None,
            "details": request.get("details", ""),
            "approvers": [{"approver": one, "mail": "sent", "decision": None} for one in people],
            "settledAt": None,
            "executionArn": arn,
            "events": [],
        }
        if rule is not None:
            for one in self.view["approvers"]:
                one["groups"] = rule.groups_of(one["approver"])
        self._count_groups()
        self.happened(now, "requested", request.get("requestedBy") or arn, "function")
        for one in people:
            self.happened(now, "mailed", one, "function")

    def happened(self, now: datetime, what: str, who: str, via: str, **more: str) -> None:
        """Add an event; one by `api` is signed, and `who` is a claim unless it is empty."""
        event = {"at": iso(now), "what": what, "who": who, "via": via, "note": ""} | more
        if via == "api":
            event |= {"principal": PRINCIPAL} | ({"by": who} if who else {"who": PRINCIPAL})
        self.view["events"].append(event)

    def check_open(self) -> None:
        """Raise AlreadyDecided or Expired if the approval is over."""
        if self.view["outcome"] != "pending":
            raise closed_already(self.view["outcome"])

    def asked(self, address: str) -> Json | None:
        """Return the entry of a person who is asked, by the address in any case."""
        for one in self.view["approvers"]:
            if one["approver"].lower() == address.lower():
                return one  # type: ignore[no-any-return]
        return None

    @property
    def active(self) -> list[Json]:
        """The entries of people who weren't replaced."""
        return [one for one in self.view["approvers"] if "replacedBy" not in one]

    @property
    def waits_for(self) -> list[str]:
        """The people whose decision is awaited."""
        if self.view["outcome"] != "pending":
            return []
        waiting = [one for one in self.active if one["decision"] is None]
        return [one["approver"] for one in waiting if one.get("groups") != []]

    def count(self, choice: str) -> int:
        """Return the number of such decisions."""
        decisions = [one["decision"] for one in self.view["approvers"] if one["decision"]]
        return sum(decision["decision"] == choice for decision in decisions)

    def decide(
        self, address: str, choice: str, reason: str, now: datetime, *, break_glass: bool = False
    ) -> None:
        """Record a decision as a page does; `break_glass` approves alone."""
        one = self.asked(address)
        if one is None:
            raise refusal(404, {"code": "NotFound", "message": f"{address} is not asked"})
        if one["decision"]:
            if one["decision"]["decision"] == choice:
                return
            raise closed_already("decided")
        if "replacedBy" in one:
            raise refusal(410, {"code": "Reassigned", "message": "Somebody else is asked."})
        if self.view["outcome"] == {"approve": "approved", "reject": "rejected"}[choice]:
            return
        self.check_open()
        self._check_break_glass(one, choice, break_glass=break_glass)
        required = self.request.get("reasonRequired", "onReject")
        wanted = required == "always" or (required, choice) == ("onReject", "reject")
        if not reason and (wanted or break_glass):
            raise invalid("reason", "please say why, it is required")
        one["decision"] = {
            "approver": one["approver"],
            "decision": choice,
            "reason": reason,
            "decidedAt": iso(now),
        }
        if break_glass:
            one["decision"]["breakGlass"] = self.view["breakGlass"] = True
        what = "approved" if choice == "approve" else "rejected"
        note = {"note": "break-glass"} if break_glass else {}
        self.happened(now, what, one["approver"], "page", **note)
        self._tally(now)
        self._count_groups()

    def _check_break_glass(self, one: Json, choice: str, *, break_glass: bool) -> None:
        own = one["approver"].lower()
        alone = self.rule is not None and own in map(str.lower, self.rule.alone)
        if break_glass and (choice != "approve" or not alone):
            raise invalid("breakGlass", "you may not decide this alone; leave it out")
        if not break_glass and one.get("groups") == []:
            raise invalid("breakGlass", "you are in no group, and may only approve this alone")

    def _approved(self) -> list[Json]:
        decided = [one for one in self.view["approvers"] if one["decision"]]
        return [one for one in decided if one["decision"]["decision"] == "approve"]

    def _count_groups(self) -> None:
        """Write into the view how each group stands, and in which one each approval counts."""
        if self.rule is None:
            return
        approved = self._approved()
        counted = self.rule.counted([one["groups"] for one in approved])
        for person, one in enumerate(approved):
            one["decision"].pop("group", None)
            if person in counted:
                one["decision"]["group"] = counted[person]
        self.view |= {"policy": self.rule.reference, "groups": []}
        for group in self.rule.groups:
            have, name = list(counted.values()).count(group["name"]), group["name"]
            row: Json = {"name": name, "approvalsNeeded": group["needed"], "approvals": have}
            if self.view["outcome"] == "pending":
                is_open = have < group["needed"]
                row["waitsFor"] = self._nearer(counted, name) if is_open else []
            self.view["groups"].append(row)

    def _nearer(self, counted: Mapping[int, str], group: str) -> list[str]:
        """Return whose approval would let this group have one more than now."""
        if self.rule is None:
            return []
        have = list(counted.values())
        needs = {g["name"]: have.count(g["name"]) + (g["name"] == group) for g in self.rule.groups}
        own = [one["groups"] for one in self._approved()]
        return [
            one
            for one in self.waits_for
            if len(seated(needs, [*own, self._groups_of(one)])) == len(have) + 1
        ]

    def _groups_of(self, address: str) -> list[str]:
        one = self.asked(address)
        return list(one["groups"]) if one else []

    def _is_filled(self, *, by_all: bool = False) -> bool:
        """Return whether the approvals fill all groups; `by_all`, if all approve who can."""
        if self.rule is None:
            waiting = len(self.waits_for) if by_all else 0
            return bool(self.count("approve") + waiting >= self.view["approvalsNeeded"])
        groups = [one["groups"] for one in self._approved()]
        if by_all:
            groups += [self._groups_of(one) for one in self.waits_for]
        return not self.rule.unfilled(groups)

    def _tally(self, now: datetime) -> None:
        out_of_reach = not self._is_filled(by_all=True)
        if self._is_filled() or "breakGlass" in self.view:
            self.close("approved", now)
        elif self.count("reject") >= self.view["rejectionsNeeded"] or out_of_reach:
            self.close("rejected", now)

    def close(self, outcome: str, now: datetime) -> None:
        """End it: the execution is resumed and the outcome announced at once."""
        self.view |= {"outcome": outcome, "closedAt": iso(now), "settledAt": iso(now)}
        self._count_groups()
        self.happened(now, "resumed", "assent", "tick")

    def reassign(self, body: Mapping[str, Any], now: datetime) -> None:
        """Have somebody else asked; unchanged if that was done already."""
        leaving, to = self.asked(body["from"]), str(body["to"])
        if leaving and leaving.get("replacedBy", "").lower() == to.lower():
            return
        if leaving is None or "replacedBy" in leaving:
            raise invalid("from", f"{body['from']} is not asked to approve this")
        if leaving["decision"]:
            raise invalid("from", f"{body['from']} has decided already; a decision is final")
        if any(one["approver"].lower() == to.lower() for one in self.active):
            raise invalid("to", f"{to} is asked already")
        requester = str(self.request.get("requestedBy") or "").lower()
        if to.lower() == requester and not self.request.get("allowSelfApproval"):
            raise invalid("to", f"{to} asks, and may not approve their own request")
        groups = leaving["groups"] if self.rule is not None else []
        if any(to.lower() not in self.rule.named[group] for group in groups if self.rule):
            raise invalid("to", f"the policy doesn't name {to} for that group")
        leaving["replacedBy"] = to
        note = {"note": body["note"], "noteBy": "operator"} if body.get("note") else {}
        again = self.asked(to)
        if again is None:
            again = {"approver": to, "mail": "sent", "decision": None}
            self.view["approvers"].append(again)
        again.pop("replacedBy", None)
        again.update(note)
        if self.rule is not None:
            again["groups"] = leaving["groups"]
            self._count_groups()
        moved = f"{leaving['approver']} -> {to}"
        said = {"why": body["note"]} if body.get("note") else {}
        self.happened(now, "reassigned", body.get("by", ""), "api", note=moved, **said)

    def extend(self, until: datetime) -> None:
        """Move the deadline; not beyond what the policy allows."""
        if until <= self.expires_at:
            raise invalid("expiresIn", "extending moves the deadline to a later time only")
        longest = self.rule.longest if self.rule is not None else None
        asked_at = datetime.fromisoformat(self.view["createdAt"])
        if longest is not None and until > asked_at + timedelta(seconds=longest):
            raise invalid("expiresIn", f"the policy lets a request wait for {longest} seconds")
        self.expires_at, self.view["expiresAt"] = until, iso(until)

    @property
    def result(self) -> Json:
        """What the execution gets at the end."""
        view = self.view
        made = [one["decision"] for one in view["approvers"] if one["decision"]]
        result = {
            "outcome": view["outcome"],
            "approvalId": view["id"],
            "subject": view["subject"],
            "decisions": made,
            "closedAt": view["closedAt"],
        }
        more = ("policy", "groups", "breakGlass")
        result |= {name: view[name] for name in more if name in view}
        return result | ({"shown": self._shown} if made else {})

    @property
    def _shown(self) -> str:
        """The SHA-256 of what the people were shown."""
        policy = self.rule.reference if self.rule is not None else None
        details = self.request.get("details", "")
        text = {"details": details, "policy": policy, "subject": self.view["subject"]}
        plain = json.dumps(text, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return sha256(plain.encode()).hexdigest()

    def erase(self, now: datetime) -> None:
        """Remove texts and addresses."""
        if "erasedAt" in self.view:
            return
        if self.view["outcome"] == "pending":
            message = "This is pending: have it decided or cancel it, then erase it."
            raise refusal(409, {"code": "NotSettled", "message": message})
        self.view |= {"subject": "(erased)", "details": "", "erasedAt": iso(now)}
        if self.view["requestedBy"]:
            self.view["requestedBy"] = "requester@erased.invalid"
        for number, one in enumerate(self.view["approvers"], 1):
            one["approver"] = f"approver-{number}@erased.invalid"
            one.pop("note", None)
            if one["decision"]:
                one["decision"] |= {"approver": one["approver"], "reason": ""}
        for event in self.view["events"]:
            event.pop("why", None)
            event |= {"who": "operator@erased.invalid", "note": ""}
        self.happened(now, "erased", "", "api")

    def summary(self) -> Json:
        """Return a row of a list."""
        left_out = ("details", "events", "approvers")
        row = {name: value for name, value in self.view.items() if name not in left_out}
        waits = self.waits_for
        return row | {
            "approvals": self.count("approve"),
            "rejections": self.count("reject"),
            "waitsFor": waits,
            "approvers": [
                {
                    "approver": one["approver"],
                    "answer": _answer(one, self.view["outcome"]),
                    "mail": "Mailed." if one["approver"] in waits else "",
                }
                for one in self.active
            ],
        }


def _answer(approver: Json, outcome: str) -> str:
    decision = approver["decision"]
    if decision is None:
        return "has not decided" if outcome == "pending" else "did not decide"
    past = "approved" if decision["decision"] == "approve" else "rejected"
    at = datetime.fromisoformat(decision["decidedAt"])
    return f"{past} on {at.day} {at:%b %Y, %H:%M} UTC"
