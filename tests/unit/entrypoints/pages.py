"""Every page that a mailed link opens, for the tests that concern them all."""

from typing import Any

from tests.builders import request_approval
from tests.unit.entrypoints.client import ADA, AppPorts
from tests.unit.entrypoints.functions import tick

GRACE, MARY = "grace@example.com", "mary@example.com"
PAGES = ["approve", "reject", "reassign", "cancel", "inbox", "delegation"]
"""The routes, which take a link token each."""


def request_by_mary(ports: AppPorts, **fields: Any) -> str:
    """Request an approval of Ada in Mary's name, mail both, and return its id."""
    approval_id = request_approval(ports, **({"requestedBy": MARY} | fields))
    tick()
    return approval_id


def path_of(ports: AppPorts, page: str) -> str:
    """Return the path of that page's link in the newest mail to its reader."""
    if page == "cancel":
        return f"/cancel/{ports.token_mailed_to(MARY, 'cancel')}"
    link = "inbox" if page in ("inbox", "delegation") else "approve"
    return f"/{page}/{ports.token_mailed_to(ADA, link)}"


def fields_of(ports: AppPorts, page: str) -> dict[str, str]:
    """Return what that page's button sends."""
    (approval, *_) = ports.store._all()
    return {
        "approve": {"reason": "because"},
        "reject": {"reason": "because"},
        "reassign": {"to": GRACE, "note": "because"},
        "cancel": {"reason": "because"},
        "delegation": {"delegate": GRACE, "until": "2026-11-30", "reason": "because"},
        "inbox": {
            "chosen": approval.id, "choice": "reject", "reason": "because", "confirmed": "yes",
        },
    }[page]  # fmt: skip
