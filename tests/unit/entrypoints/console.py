"""A browser that is signed in to the console, for the tests."""

import re
from typing import Any
from urllib.parse import urlencode, urljoin

from tests.unit.entrypoints.client import BROWSER, FORM, AppClient, HttpResponse

OWN: dict[str, Any] = {"Sec_Fetch_Site": "same-origin"}
"""What a browser says of a form on one of our own pages."""
COOKIE = "__Host-assent-test"
LINK = re.compile(r"https://assent\.example\.com/api(/console/sessions/[a-z2-7]{26}\.[a-z2-7]{32})")


def offered(client: AppClient, *, read_only: bool = False) -> str:
    """Return the path of a link that opens a session."""
    kind = "read-only-sessions" if read_only else "sessions"
    answer = client.request("POST", f"/console/{kind}")
    assert answer.status == 201
    found = LINK.fullmatch(answer.json["url"])
    assert found
    return found[1]


class Console:
    """A signed-in browser: its cookie, and the token of its pages' forms."""

    def __init__(self, client: AppClient, *, read_only: bool = False) -> None:
        self.client = client
        self.link = offered(client, read_only=read_only)
        answer = client.request("POST", self.link, accept=BROWSER, **OWN)
        assert (answer.status, answer.text) == (303, "")
        self.set_cookie = answer.headers["set-cookie"]
        self.cookie = self.set_cookie.split(";")[0]

    @property
    def form_token(self) -> str:
        """The token in the form that signs out, which every page has."""
        found = re.search(r'name="csrf" value="([a-z2-7]{32})"', self.get("/console/sessions").text)
        assert found
        return found[1]

    def get(self, path: str, method: str = "GET") -> HttpResponse:
        """Open a page."""
        return self.client.request(method, path, accept=BROWSER, Cookie=self.cookie)

    def post(self, path: str, **fields: Any) -> HttpResponse:
        """Press a button of a page, and follow where the answer leads."""
        answer = self.send(path, OWN, **({"csrf": self.form_token} | fields))
        if answer.status != 303:
            return answer
        where = urljoin(f"https://assent.example.com{path}", answer.headers["location"])
        asked = where.removeprefix("https://assent.example.com")
        return self.client.request("GET", asked, accept=BROWSER, Cookie=self.cookie, **OWN)

    def send(self, path: str, headers: dict[str, Any], **fields: Any) -> HttpResponse:
        """Send a form with these headers beside the cookie."""
        body = urlencode(fields, doseq=True).encode()
        more: dict[str, Any] = {"Cookie": self.cookie, **headers}
        return self.client.request("POST", path, body, FORM, BROWSER, **more)
