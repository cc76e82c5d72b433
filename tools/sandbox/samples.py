"""The sandbox's sample approvers and requests."""

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
"""Sent when the sandbox starts."""
NEXT_REQUEST = {
    "subject": "Delete the backups of 2019?",
    "approvers": ["linus@example.com"],
    "requestedBy": "margaret@example.com",
}
"""Printed as a line to paste."""
ASK = (
    "--subject 'Delete the backups of 2019?' --approver linus@example.com \\\n"
    "  --requested-by margaret@example.com"
)
"""The same as arguments of `assent start`."""
