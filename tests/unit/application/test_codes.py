"""`codeRequired`: six digits in the mail, typed on the page; nobody tries them out."""

import re

import pytest

from chalicelib.application import deciding, operating
from chalicelib.domain import errors
from chalicelib.domain.commands import Remind
from chalicelib.domain.refusals import WRONG_CODES
from tests.builders import asked
from tests.fakes import FakePorts
from tests.unit.application.test_deciding import tick

ADA = "ada@example.com"


@pytest.fixture
def ports() -> FakePorts:
    return FakePorts()


def code(ports: FakePorts) -> str:
    """Return the code in the newest mail."""
    found = re.search(r"^CODE.*\n(\d{6})$", ports.mailer.sent[-1][1].text, re.MULTILINE)
    assert found is not None
    return found[1]


def other(right: str) -> str:
    return f"{(int(right) + 1) % 10**6:06}"


def test_the_code_from_the_mail_decides(ports: FakePorts) -> None:
    """With blanks in it as people type them."""
    asked(ports, codeRequired=True)
    typed = f" {code(ports)[:3]} {code(ports)[3:]} "
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page", code=typed)
    assert len(ports.executions.answers) == 1


def test_without_a_code_nothing_is_written(ports: FakePorts) -> None:
    """A missing one is no wrong one."""
    asked(ports, codeRequired=True)
    before = list(ports.effects.done)
    with pytest.raises(errors.InvalidRequest) as refused:
        deciding.decide(
            ports, ports.token_mailed_to(ADA), "approve", reason="", via="page", code=" "
        )
    assert refused.value.field == "code"
    assert ports.effects.done == before


def test_wrong_codes_lock_the_link_until_the_next_mail(ports: FakePorts) -> None:
    """After five the right one doesn't help any more; a reminder brings a new one."""
    approval_id = asked(ports, codeRequired=True)
    token, right = ports.token_mailed_to(ADA), code(ports)
    for _ in range(WRONG_CODES):
        with pytest.raises(errors.WrongCode, match="not the code"):
            deciding.decide(ports, token, "approve", reason="", via="page", code=other(right))
    before = list(ports.effects.done)
    with pytest.raises(errors.WrongCode, match="Too many"):
        deciding.decide(ports, token, "approve", reason="", via="page", code=right)
    assert ports.effects.done == before
    assert [e.what for e in operating.find_approval(ports, approval_id).events].count(
        "wrongCode"
    ) == 5

    operating.change(ports, approval_id, Remind(), by=ADA, via="api")
    tick(ports)
    with pytest.raises(errors.WrongCode):
        deciding.decide(
            ports,
            ports.token_mailed_to(ADA),
            "approve",
            reason="",
            via="page",
            code=other(code(ports)),
        )
    deciding.decide(
        ports, ports.token_mailed_to(ADA), "approve", reason="", via="page", code=code(ports)
    )
    assert len(ports.executions.answers) == 1


def test_a_code_goes_with_the_link_it_was_mailed_with(ports: FakePorts) -> None:
    """What is stored is bound to the link, so a reader of the table can't try out a million."""
    approval_id = asked(ports, codeRequired=True)
    first_token, first_code = ports.token_mailed_to(ADA), code(ports)
    operating.change(ports, approval_id, Remind(), by=ADA, via="api")
    tick(ports)
    with pytest.raises(errors.WrongCode):
        deciding.decide(
            ports, ports.token_mailed_to(ADA), "approve", reason="", via="page", code=first_code
        )
    deciding.decide(ports, first_token, "approve", reason="", via="page", code=first_code)
    assert first_code.encode() not in ports.store._items[approval_id]


def test_a_second_click_needs_no_code(ports: FakePorts) -> None:
    """It decides nothing, and only tells."""
    asked(ports, codeRequired=True)
    token = ports.token_mailed_to(ADA)
    deciding.decide(ports, token, "approve", reason="", via="page", code=code(ports))
    with pytest.raises(errors.AlreadyDecided):
        deciding.decide(ports, token, "approve", reason="", via="page")


def test_who_needs_no_code_gets_none(ports: FakePorts) -> None:
    """The mail has none, the item keeps none."""
    approval_id = asked(ports)
    assert "CODE" not in ports.mailer.sent[-1][1].text
    assert operating.find_approval(ports, approval_id).approvers[0].code_hashes == ()


def test_a_reminder_that_never_arrives_unlocks_nothing(ports: FakePorts) -> None:
    """Only a mail that went out brings five more tries."""
    approval_id = asked(ports, codeRequired=True)
    token, right = ports.token_mailed_to(ADA), code(ports)
    for _ in range(WRONG_CODES):
        with pytest.raises(errors.WrongCode):
            deciding.decide(ports, token, "approve", reason="", via="page", code=other(right))
    ports.mailer.subscriptions[ADA] = "pending"
    operating.change(ports, approval_id, Remind(), by=ADA, via="api")
    tick(ports)
    with pytest.raises(errors.WrongCode, match="Too many"):
        deciding.decide(ports, token, "approve", reason="", via="page", code=right)
