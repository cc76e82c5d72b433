"""The sandbox's inbox, as an approver uses it: reads mails, presses the button behind a link."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def mails(assent: Mapping[str, Any] | None, to: str, about: str) -> list[Json]:
    """Return the mails that ask this person about this subject, oldest first.

    `assent` is what `state.json` says of the Assent that sends them.
    """
    query = urllib.parse.urlencode({"to": to})
    url = f"{(assent or {})['inbox']}/messages?{query}"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  # our own, on loopback
        messages: list[Json] = json.load(answer)["messages"]
    return [one for one in messages if f"Approval needed: {about}" in one["subject"]]


def press(mail: Json, choice: str, reason: str = "") -> None:
    """Press the button of the page that the mail's link for this choice opens."""
    (link,) = re.findall(rf"^http\S+/{choice}/\S+$", mail["text"], re.MULTILINE)
    form = urllib.parse.urlencode({"reason": reason}).encode()
    urllib.request.urlopen(link, form, timeout=30).close()  # noqa: S310  # our own, on loopback
