"""A measured process: takes approvals from the request to the outcome, and meters each step.

`python -m bench.measured_journeys NAME` does one of JOURNEYS through the public entrypoints, and
prints a list of Step as JSON. DynamoDB is the emulator at AWS_ENDPOINT_URL, with
`infrastructure.yaml`'s table; the answers of the other services are prepared.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any, TypedDict
from urllib.parse import urlencode

import app as assent
from bench.approvals import REQUESTER, approver
from bench.measured_app import Context, Json
from bench.measured_wiring import MeasuredWiring
from bench.works import DETAILS, TICK, http
from chalicelib.domain import link_tokens
from tests.builders import task_request
from tests.fakes import EXECUTION, TOKEN

_LINK = re.compile(r"https://assent\.example\.com/api/(\w+)/([a-z0-9.]+)")
DAY = 86_400


class Step(TypedDict):
    """One call of a function, and what it asked of AWS."""

    verb: str
    calls: dict[str, int]
    """Operation -> number of calls."""
    reads: float
    writes: float
    """The units that DynamoDB charges."""
    by_api: bool
    """Whether the call came through API Gateway."""
    log_bytes: int
    cpu: float
    """Processor time in seconds."""


class StillClock:
    """A clock that goes on when it is set."""

    now = 0.0

    def sleep(self, seconds: float) -> None:
        """Return at once."""


class Stage:
    """The functions of a stage, and the mails that they send."""

    def __init__(self, name: str) -> None:
        self.clock = StillClock()
        self.steps: list[Step] = []
        self._name = name.replace(" ", "-").replace(",", "")
        self._execution = ""
        self._wiring = MeasuredWiring(self.clock)
        assent.wiring, assent.answered.log = self._wiring, self._wiring.log
        self._requests = 0

    def call(self, verb: str, handler: Callable[..., Any], event: Json) -> Any:
        """Call a function and meter it; end this process if it refuses."""
        meter, lines = self._wiring.meter, self._wiring.lines
        reads, writes = meter.query_units + meter.get_units, meter.write_units
        before = meter.calls.copy()
        lines.clear()
        began = time.process_time()
        answer = handler(event, Context())
        cpu = time.process_time() - began
        if isinstance(answer, dict) and answer.get("statusCode", 200) >= 400:
            sys.exit(f"{verb} answered {answer['statusCode']}")
        self.steps.append(
            {
                "verb": verb,
                "calls": dict(meter.calls - before),
                "reads": meter.query_units + meter.get_units - reads,
                "writes": meter.write_units - writes,
                "by_api": "httpMethod" in event,
                "log_bytes": sum(len(json.dumps(line)) for line in lines),
                "cpu": cpu,
            }
        )
        return answer

    def request(self, **fields: Any) -> list[dict[str, str]]:
        """Have approvers asked, and return the links of each mail: name -> token."""
        self._requests += 1
        self._execution = f"{EXECUTION}-{self._name}-{self._requests}"
        token = f"{self._name}{self._requests}{TOKEN}"
        event = task_request(token, execution=self._execution, details=DETAILS, **fields)
        mailed = len(self._wiring.mails)
        self.call("request", assent.request_approval, event)
        return [dict(_LINK.findall(mail)) for mail in self._wiring.mails[mailed:]]

    @property
    def execution_name(self) -> str:
        """The name of the newest execution."""
        return self._execution.rpartition(":")[2]

    def get(self, verb: str, resource: str, parameter: str, **query: str) -> None:
        """Get a page or JSON."""
        queried = {name: [value] for name, value in query.items()}
        event = http("GET", resource, parameter, multiValueQueryStringParameters=queried)
        event["headers"] = {}
        self.call(verb, assent.app, event)

    def sign_in(self) -> str:
        """Open a session of the console, and return its cookie."""
        offer = http("POST", "/console/sessions", "", body=None)
        offered = self.call("offer", assent.app, offer | {"headers": {}})
        link = json.loads(offered["body"])["url"].rpartition("/")[2]
        press = http("POST", "/console/sessions/{link}", link, body="")
        press["headers"] |= {"Sec-Fetch-Site": "same-origin"}
        opened = self.call("sign in", assent.app, press)
        return str(opened["headers"]["Set-Cookie"]).partition(";")[0]

    def show(self, verb: str, resource: str, parameter: str, cookie: str, **query: str) -> None:
        """Show a page of the console."""
        queried = {name: [value] for name, value in query.items()}
        event = http("GET", resource, parameter, multiValueQueryStringParameters=queried)
        event["headers"] |= {"Cookie": cookie}
        self.call(verb, assent.app, event)

    def post(self, verb: str, resource: str, parameter: str, *form: tuple[str, str]) -> None:
        """Press a button."""
        self.call(verb, assent.app, http("POST", resource, parameter, body=urlencode(form)))

    def decide(self, links: dict[str, str], verb: str = "decision") -> None:
        """Follow a mail's link, and press the button."""
        self.get("page", "/approve/{token}", links["approve"])
        self.post(verb, "/approve/{token}", links["approve"], ("reason", "fine"))

    def tick(self, after: float = 60) -> None:
        """Let so many seconds pass, and run a tick."""
        self.clock.now += after
        self.call("tick", assent.tick, TICK)

    def end(self) -> None:
        """Deliver what is left, and tell of the execution's end."""
        self.tick()
        ended = {
            "executionArn": self._execution,
            "status": "SUCCEEDED",
            "stopDate": 1_795_000_000_000,
        }
        record = {"messageId": "1", "receiptHandle": "1", "body": json.dumps(ended)}
        self.call("execution ended", assent.execution_ended, {"Records": [record]})


def one_approver(stage: Stage, **fields: Any) -> None:
    """Ask one person, who approves."""
    (links,) = stage.request(approvers=[approver(0)], **fields)
    stage.decide(links, "closing decision")
    stage.end()


def with_requester(stage: Stage) -> None:
    """Ask one person, and mail the requester a receipt and the outcome."""
    one_approver(stage, requestedBy=approver(1))


def three_of_five(stage: Stage) -> None:
    """Ask five people, remind them twice, and close with the third approval."""
    five = [approver(number) for number in range(5)]
    first, second, third, *_ = stage.request(
        approvers=five, approvalsNeeded=3, remindEvery=DAY, expiresIn=7 * DAY
    )
    stage.tick(DAY + 60)
    stage.tick(DAY + 60)
    stage.decide(first)
    stage.decide(second)
    stage.decide(third, "closing decision")
    stage.end()


def fifty_at_once(stage: Stage) -> None:
    """Ask one person fifty times, who approves twenty-five at once in the inbox, twice."""
    inboxes = [stage.request(approvers=[approver(0)])[0]["inbox"] for _ in range(50)]
    for chosen in (inboxes[:25], inboxes[25:]):
        form = [("chosen", token.partition(".")[0]) for token in chosen]
        form.append(("choice", "approve"))
        stage.get("inbox", "/inbox/{token}", chosen[0])
        stage.post("bulk: asks again", "/inbox/{token}", chosen[0], *form)
        stage.post("bulk: decides", "/inbox/{token}", chosen[0], *form, ("confirmed", "yes"))
    stage.end()


def each_verb(stage: Stage) -> None:
    """Do everything once that a person or an operator can do, in a table that holds others."""
    (links,) = stage.request(approvers=[approver(0)])
    approval_id = links["approve"].partition(".")[0]
    stage.get("inbox", "/inbox/{token}", links["inbox"])
    stage.get("list of 50", "/approvals", "", outcome="pending", limit="50")
    stage.get("approval", "/approvals/{approval_id}", approval_id)
    stage.get("execution", "/executions/{name}", stage.execution_name)
    stage.decide(links, "closing decision")
    stage.end()
    first, _ = stage.request(approvers=[approver(0), approver(1)], approvalsNeeded=2)
    stage.decide(first)


def lists(stage: Stage) -> None:
    """Show an operator each list."""
    for number in range(25):
        event = http("PUT", "/approvers/{email}", approver(number))
        stage.call("invite", assent.app, event | {"headers": {}})
    for verb, query in (
        ("by outcome", {"outcome": "pending"}),
        ("by approver", {"approver": approver(0)}),
        ("by requester", {"requestedBy": REQUESTER}),
        ("overdue", {"due": "overdue"}),
        ("due soon", {"due": "soon"}),
    ):
        stage.get(f"50 {verb}", "/approvals", "", limit="50", **query)
    stage.get("25 approvers", "/approvers", "", limit="25")
    approval_id = link_tokens.approval_id(f"1{TOKEN}")  # of bench/approvals.py
    cookie = stage.sign_in()
    for verb, page, parameter, query in (
        ("console: 25 that wait", "/console", "", {}),
        ("console: 25 overdue", "/console", "", {"show": "overdue"}),
        ("console: 25 due soon", "/console", "", {"show": "soon"}),
        ("console: 25 decided", "/console", "", {"show": "decided"}),
        ("console: 25 of an approver", "/console", "", {"by": "approver", "q": approver(0)}),
        ("console: 25 of a requester", "/console", "", {"by": "requester", "q": REQUESTER}),
        ("console: one approval", "/console/approvals/{approval_id}", approval_id, {}),
        ("console: 25 approvers", "/console/approvers", "", {}),
        ("console: figures", "/console/figures", "", {}),
    ):
        stage.show(verb, page, parameter, cookie, **query)


def fifty_approvers(stage: Stage) -> None:
    """Ask fifty people, of whom two have to approve."""
    people = [approver(number) for number in range(50)]
    first, second, *_ = stage.request(approvers=people, approvalsNeeded=2)
    stage.decide(first)
    stage.decide(second, "closing decision")
    stage.end()


JOURNEYS: dict[str, Callable[[Stage], None]] = {
    "one approver": one_approver,
    "one approver, and a requester who is mailed": with_requester,
    "three of five, two reminders": three_of_five,
    "fifty for one approver, in bulk": fifty_at_once,
    "each verb": each_verb,
    "fifty approvers": fifty_approvers,
    "lists": lists,
}


def main(name: str) -> None:
    """Do one journey twice, and print the steps of the second time, when no client is new."""
    stage = Stage(name)
    JOURNEYS[name](stage)
    stage.steps.clear()
    JOURNEYS[name](stage)
    print(json.dumps(stage.steps))


if __name__ == "__main__":
    main(*sys.argv[1:])
