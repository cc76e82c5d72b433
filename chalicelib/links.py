"""CORE: make and read link tokens and decision links.

A link token is `<approval id>.<secret>`. Only the secret's SHA-256 is stored, so a copy of the
table opens no page. Lower-case letters and digits only: nothing for a mail program to break.
"""

import base64
import hashlib
import hmac
import re
from typing import Literal, NamedTuple

from .approval import Approval, Approver
from .errors import NotFound

Page = Literal["approve", "reject", "pass", "cancel", "mine"]
SECRET_BYTES = 20
"""160 random bits, 32 characters of base32."""

_ID = re.compile(r"[a-z2-7]{26}")
_TOKEN = re.compile(rf"({_ID.pattern})\.([a-z2-7]{{32}})")


class Secret(NamedTuple):
    """What one mail holds and only its reader has, beside what is stored of it."""

    root: str
    """Opens the list of all that waits for its reader; the decision link's secret is made of it,
    and not the other way round: a decision link that somebody passes on opens no list."""
    code: str

    def __repr__(self) -> str:
        """Say nothing of it, for whatever prints it."""
        return "<Secret>"

    @property
    def link(self) -> str:
        """The secret of the decision link."""
        return decision_secret(self.root)

    @property
    def link_hash(self) -> str:
        """What is stored of the link."""
        return digest(self.link)

    @property
    def code_hash(self) -> str:
        """What is stored of the code, bound to the link."""
        return code_digest(self.link, self.code)


def decision_secret(root: str) -> str:
    """Return the decision link's secret that belongs to the list's."""
    return _base32(hashlib.sha256(f"decide:{root}".encode()).digest()[:SECRET_BYTES])


def approval_id(task_token: str) -> str:
    """Return the approval's id: the same task token gives the same 26 characters.

    A request delivered twice therefore finds the approval that the first delivery made.
    """
    return _base32(hashlib.sha256(task_token.encode()).digest())[:26]


def is_id(text: str) -> bool:
    """Return whether that can be an approval's id."""
    return _ID.fullmatch(text) is not None


def secret(random: bytes) -> str:
    """Return `SECRET_BYTES` random bytes as the secret half of a link token."""
    return _base32(random)


def code(random: str) -> str:
    """Return a code of six digits made from a random secret that is used for nothing else."""
    number = int.from_bytes(hashlib.sha256(random.encode()).digest(), "big")
    return f"{number % 10**6:06}"


def code_digest(link_secret: str, six_digits: str) -> str:
    """Return what is stored of a code, bound to the link that it was mailed with."""
    return digest(f"{link_secret}:{six_digits}")


def knows_code(approver: Approver, link_secret: str, typed: str) -> bool:
    """Return whether that is the code mailed with this link; blanks in it don't matter."""
    presented = code_digest(link_secret, "".join(typed.split()))
    theirs = [hmac.compare_digest(stored, presented) for stored in approver.code_hashes]
    return any(theirs)


def digest(link_secret: str) -> str:
    """Return what is stored of a secret: its SHA-256, in 43 characters of base64."""
    hashed = hashlib.sha256(link_secret.encode()).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")


def link(public_url: str, page: Page, approval: str, link_secret: str) -> str:
    """Return the URL mailed to one person; it has no query string, which mail programs mangle."""
    return f"{public_url}/{page}/{approval}.{link_secret}"


def read_token(token: str) -> tuple[str, str]:
    """Return approval id and secret of a link token; raise NotFound if it can't be one."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise unknown_link()
    return match[1], match[2]


def hidden(text: str) -> str:
    """Return the text with every link token in it cut to the approval's id."""
    return _TOKEN.sub(r"\1.…", text)


def holder(approval: Approval, link_secret: str) -> Approver:
    """Return the approver whom this secret was mailed to; raise NotFound if it is nobody's.

    Every stored hash is compared, each in constant time, so timing tells nothing.
    """
    found = None
    for approver in approval.approvers:
        if _is_theirs(approver, link_secret):
            found = approver
    if found is None:
        raise unknown_link()
    return found


def requester(approval: Approval, link_secret: str) -> Approver:
    """Return the requester if this secret was mailed to them; raise NotFound if not."""
    if approval.requester is None or not _is_theirs(approval.requester, link_secret):
        raise unknown_link()
    return approval.requester


def _is_theirs(person: Approver, link_secret: str) -> bool:
    presented = digest(link_secret)
    theirs = [hmac.compare_digest(stored, presented) for stored in person.link_hashes]
    return any(theirs)


def unknown_link() -> NotFound:
    """Return the one error for every bad link: a stranger learns nothing from it."""
    return NotFound(
        "This link leads nowhere; it may be cut short. Please open it again from the mail."
    )


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()
