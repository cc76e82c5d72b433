"""Link tokens: made for one approver and one approval, read back, stored as hashes alone.

A link token is `<approval id>.<secret>`. Only the secret's SHA-256 is stored, so a copy of the
table opens no page (it holds task tokens, though: SECURITY.md). Tokens have lower-case letters and
digits only, which no mail program breaks.
"""

import base64
import hashlib
import hmac
import re
import unicodedata
from typing import Literal, NamedTuple

from .approval import Approval, Approver
from .errors import InvalidRequest, NotFound, Reassigned

LinkedPage = Literal["approve", "reject", "cancel", "inbox"]
SECRET_BYTES = 20
"""160 random bits, 32 characters of base32."""

_ID = re.compile(r"[a-z2-7]{26}")
_TOKEN = re.compile(rf"({_ID.pattern})(?:\.|%2e)([a-z2-7]{{32}})", re.IGNORECASE | re.ASCII)
_COPIED = re.compile(rf"{_TOKEN.pattern}(?:%[0-9a-f]{{2}}|[^a-z0-9])*", re.IGNORECASE | re.ASCII)
"""A token as people copy it: in any case, with the full stop or bracket that followed the link."""
_COPIED_ID = re.compile(rf"({_ID.pattern})(?![a-z0-9])", re.IGNORECASE | re.ASCII)
_CODE = re.compile(r"[0-9]{6}")


class SecretHashes(NamedTuple):
    """The stored half of one mail's secrets."""

    link: str
    code: str


class MailSecrets(NamedTuple):
    """The secrets of one mail, known to its reader alone."""

    inbox: str
    """Opens the reader's inbox. The decision link's secret is derived from it, and not the other
    way round: a decision link that somebody forwards opens no inbox."""
    code: str

    def __repr__(self) -> str:
        """Show no secret: a representation may be printed."""
        return "<MailSecrets>"

    @property
    def decision(self) -> str:
        """The secret of the decision link."""
        return decision_secret(self.inbox)

    def hashes(self, task_token: str) -> SecretHashes:
        """Return the hashes to store with the approval of that task token."""
        return SecretHashes(digest(self.decision), code_digest(task_token, self.code))


def decision_secret(inbox_secret: str) -> str:
    """Return the secret of the decision link in the same mail as this inbox link."""
    return derived("decide", inbox_secret)


def derived(purpose: str, secret: str) -> str:
    """Return a secret for that purpose, from which the other one can't be found."""
    return _base32(hashlib.sha256(f"{purpose}:{secret}".encode()).digest()[:SECRET_BYTES])


def approval_id(task_token: str) -> str:
    """Return the approval's id, 26 characters: the same task token gives the same id.

    A request delivered twice therefore finds the approval that the first delivery made.
    """
    return id_from(task_token)


def id_from(secret: str) -> str:
    """Return an id of 26 characters that belongs to a secret and doesn't tell it."""
    return _base32(hashlib.sha256(secret.encode()).digest())[:26]


def is_id(text: str) -> bool:
    """Return whether the text has the form of an approval's id."""
    return _ID.fullmatch(text) is not None


def secret(random: bytes) -> str:
    """Return `SECRET_BYTES` random bytes as the secret half of a link token."""
    return _base32(random)


def code(random: str) -> str:
    """Return a code of six digits, made from a random secret that is used for nothing else."""
    number = int.from_bytes(hashlib.sha256(random.encode()).digest(), "big")
    return f"{number % 10**6:06}"


def code_digest(task_token: str, six_digits: str) -> str:
    """Return the stored hash of a code, which the approval's task token makes unlike any other."""
    return digest(f"{task_token}:{six_digits}")


def wrong_codes(approver: Approver, link_hash: str) -> int:
    """Return how many wrong codes were tried with that link."""
    return approver.wrong_codes_by_link.get(link_hash, approver.wrong_codes)


def is_code_of(approval: Approval, approver: Approver, link_secret: str, six_digits: str) -> bool:
    """Return whether that code was mailed to this approver, with this link or another live one.

    Earlier versions bound a code to its mail's own link (docs/decisions/0029).
    """
    keys = (approval.task_token, link_secret)
    return any(_is_among(approver.code_hashes, code_digest(key, six_digits)) for key in keys)


def read_code(typed: str) -> str:
    """Return the six digits of a typed code; raise InvalidRequest if it has more or fewer.

    Digits of any script and width count; blanks, hyphens and invisible characters don't matter.
    """
    digits = "".join(
        str(unicodedata.decimal(character))
        for character in unicodedata.normalize("NFKC", typed)
        if character.isdecimal()
    )
    if not digits:
        raise InvalidRequest("code: please type the code from your mail", field="code")
    if not _CODE.fullmatch(digits):
        raise InvalidRequest(
            "code: has six digits; please type it as it is in your mail", field="code"
        )
    return digits


def digest(link_secret: str) -> str:
    """Return the stored hash of a secret: its SHA-256, in 43 characters of base64."""
    hashed = hashlib.sha256(link_secret.encode()).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")


def link(public_url: str, page: LinkedPage, approval: str, link_secret: str) -> str:
    """Return the URL mailed to one person; mail programs mangle query strings, so it has none."""
    return f"{public_url}/{page}/{approval}.{link_secret}"


def read_token(copied: str) -> tuple[str, str]:
    """Return approval id and secret of a link token; raise NotFound if it is malformed.

    Upper case doesn't matter, nor do characters behind the token that no token has, such as the
    bracket or full stop after a link in a sentence.
    """
    match = _COPIED.fullmatch(copied)
    if match is None:
        raise unknown_link()
    return match[1].lower(), match[2].lower()


def as_mailed(copied: str) -> str:
    """Return a copied link token as it was mailed; raise NotFound if it is malformed."""
    return ".".join(read_token(copied))


def id_in(copied: str) -> str:
    """Return the approval's id at the beginning of a link token; empty if there is none."""
    match = _COPIED_ID.match(copied)
    return match[1].lower() if match else ""


def hide_tokens(text: str) -> str:
    """Return the text with every link token in it cut to the approval's id."""
    return _TOKEN.sub(r"\1.…", text)


def approver_of(approval: Approval, link_secret: str) -> Approver:
    """Return the approver this secret was mailed to; raise NotFound if there is none.

    Raises Reassigned for a link from before its approver was replaced and then asked again.
    Every stored hash is compared, each in constant time, so timing reveals nothing.
    """
    presented, found, dead = digest(link_secret), None, False
    for approver in approval.approvers:
        if _is_among(approver.link_hashes, presented):
            found = approver
        dead |= _is_among(approver.dead_hashes, presented)
    if dead:
        raise Reassigned("You were asked again since: please use the links in your newest mail.")
    if found is None:
        raise unknown_link()
    return found


def requester_of(approval: Approval, link_secret: str) -> Approver:
    """Return the requester if this secret was mailed to them; raise NotFound if not."""
    requester = approval.requester
    if requester is None or not _is_among(requester.link_hashes, digest(link_secret)):
        raise unknown_link()
    return requester


def unknown_link() -> NotFound:
    """Return the one error for every bad link: a stranger learns nothing from it."""
    return NotFound(
        "This link leads nowhere: it may be cut short, or its request has been deleted. Please "
        "open it again from the mail."
    )


def _is_among(stored: tuple[str, ...], presented: str) -> bool:
    matches = [hmac.compare_digest(one, presented) for one in stored]  # all, whatever matches
    return any(matches)


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()
