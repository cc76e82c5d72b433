"""Answering: what every entrypoint does around its use case: errors become answers, one log event.

A bug's message or traceback text may hold anything, a token included. So neither is answered nor
logged, only the error's type and where it was raised.
"""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, Protocol, TypeVar

from ..domain.errors import AssentError
from ..presentation.pages.parts import Page
from . import web
from .web import Call, Reply, Sent

Response_co = TypeVar("Response_co", covariant=True)


class Log(Protocol):
    """Writes one structured log event."""

    def __call__(self, event: str, **facts: object) -> None: ...


class Framework(Protocol):
    """The web framework's app: the request that is being answered."""

    @property
    def current_request(self) -> Sent | None: ...


class Respond(Protocol[Response_co]):
    """Makes the framework's response."""

    def __call__(self, *, body: Any, status_code: int, headers: Any) -> Response_co: ...


@dataclass
class Answering(Generic[Response_co]):
    """A decorator that makes an HTTP route of a function from `Call` to `Reply`.

    An AssentError is answered with its status, any other error with 500. Each request is logged
    once, under the function's name.
    """

    app: Framework
    respond: Respond[Response_co]
    log: Log
    name: Callable[[], str] = str
    """Gives the name of organisation and stage that stands on each page; "" for none."""

    def __call__(self, handler: Callable[..., Reply]) -> Callable[..., Response_co]:
        """Return the route of this function."""

        @wraps(handler)
        def route(**parameters: str) -> Response_co:
            return self._answer(handler, parameters)

        return route

    def _answer(self, handler: Callable[..., Reply], parameters: dict[str, str]) -> Response_co:
        started = time.perf_counter()
        if self.app.current_request is None:
            raise LookupError("a route is called by a request")
        call, facts = Call(self.app.current_request), dict[str, Any]()
        try:
            call.check_type()
            reply = handler(call, **parameters)
            facts = dict(reply.facts)
        except AssentError as e:
            facts = dict[str, Any](e.as_facts())
            reply = web.error(call, e, handler.__name__)
        except Exception as e:  # The last place to catch: a bug must not show its insides.
            facts = _bug(e)
            reply = web.error(call, AssentError(""), handler.__name__)
        self.log(
            handler.__name__,
            method=call.method,
            status=reply.status,
            ms=_milliseconds_since(started),
            requestId=call.reference,
            **call.ids,
            **{**call.signature, **facts},
        )
        shown = reply.body.html(self.name()) if isinstance(reply.body, Page) else reply.body
        body = "" if call.method == "HEAD" else shown
        return self.respond(body=body, status_code=reply.status, headers=reply.headers)


@contextmanager
def logged(log: Log, name: str, context: Any) -> Iterator[dict[str, Any]]:
    """Log one event for a function that isn't a route; yield the event's facts, to add to.

    An AssentError is raised again. Any other error is raised as a bare AssentError.
    """
    started = time.perf_counter()
    facts: dict[str, Any] = {"status": 200}
    try:
        yield facts
    except AssentError as e:
        facts |= error_facts(e)
        raise
    except Exception as e:  # As above.
        facts |= {"status": 500} | _bug(e)
        raise AssentError("This went wrong on our side; please try again.") from None
    finally:
        request_id = str(getattr(context, "aws_request_id", "-"))
        log(name, **facts, ms=_milliseconds_since(started), requestId=request_id)


def error_facts(e: AssentError) -> dict[str, Any]:
    """Return what a log event says of an error: its status, and its facts."""
    return {"status": e.status, **e.as_facts()}


def _milliseconds_since(started: float) -> float:
    """Return the time since `started`, a reading of `time.perf_counter`."""
    return round((time.perf_counter() - started) * 1000, 1)


def _bug(e: Exception) -> dict[str, Any]:
    return {"error": type(e).__name__, "trace": traceback.format_tb(e.__traceback__)}
