"""Requests: the people of a story, and what they are asked."""

from typing import Any

from hypothesis import strategies as st

REQUESTER = "mary@example.com"
APPROVERS = ["ada@example.com", "grace@example.com", "linus@example.com", "Alan@example.com"]
PEOPLE = [*APPROVERS, "barbara@example.com", "donald@example.com", REQUESTER]


def draw_request(data: st.DataObject, subject: str) -> dict[str, Any]:
    """Return a random request with this subject, as a caller sends it."""
    approvers = data.draw(
        st.lists(st.sampled_from(APPROVERS), min_size=1, max_size=4, unique=True), "approvers"
    )
    quorum = st.integers(1, len(approvers))
    fields: dict[str, Any] = {
        "subject": subject,
        "approvers": approvers,
        "approvalsNeeded": data.draw(st.one_of(quorum, st.just("all")), "approvalsNeeded"),
        "rejectionsNeeded": data.draw(quorum, "rejectionsNeeded"),
        "expiresIn": data.draw(st.sampled_from([60, 3_600, 604_800]), "expiresIn"),
        "allowSelfApproval": True,
    }
    optional = {
        "remindEvery": st.sampled_from([300, 3_600]),
        "requestedBy": st.sampled_from([REQUESTER, APPROVERS[0], "mary@elsewhere.example"]),
        "escalation": st.fixed_dictionaries(
            {
                "after": st.sampled_from([60, 600]),
                "approvers": st.lists(
                    st.sampled_from(PEOPLE[2:6]), min_size=1, max_size=2, unique=True
                ),
            }
        ),
    }
    for name, values in optional.items():
        found = data.draw(st.none() | values, name)
        fields |= {} if found is None else {name: found}
    return fields if _may_escalate(fields) else fields | {"escalation": None}


def draw_policy(data: st.DataObject) -> dict[str, Any]:
    """Return a random policy, as its author sends it; its groups may share people."""
    names = data.draw(st.sampled_from([2, 1, 3]), "groups")
    groups = []
    for name in "abc"[:names]:
        people = data.draw(
            st.lists(st.sampled_from(PEOPLE[:6]), min_size=2, max_size=4, unique=True), "people"
        )
        needed = data.draw(st.integers(1, min(2, len(people))), "needed")
        groups.append({"name": name, "approvers": people, "approvalsNeeded": needed})
    alone = data.draw(st.lists(st.sampled_from(PEOPLE[3:6]), max_size=1), "breakGlass")
    rejections = data.draw(st.sampled_from([2, 1]), "rejectionsNeeded")
    return {"groups": groups, "rejectionsNeeded": rejections, "breakGlass": alone}


def draw_request_under(data: st.DataObject, subject: str, policy: str) -> dict[str, Any]:
    """Return a random request under that policy."""
    fields: dict[str, Any] = {
        "subject": subject,
        "policy": policy,
        "expiresIn": data.draw(st.sampled_from([60, 3_600, 604_800]), "expiresIn"),
    }
    asker = data.draw(st.none() | st.sampled_from([REQUESTER, APPROVERS[0]]), "requestedBy")
    return fields if asker is None else fields | {"requestedBy": asker}


def _may_escalate(fields: dict[str, Any]) -> bool:
    """Return whether an escalation, if there is one, comes in time and to somebody new."""
    escalation = fields.get("escalation")
    return escalation is None or (
        escalation["after"] < fields["expiresIn"]
        and not set(escalation["approvers"]) <= set(fields["approvers"])
    )
