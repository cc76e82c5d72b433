"""`codeRequired`: the code of the mail is needed, and can't be found by trying."""

import pytest
from msgspec.structs import replace

from chalicelib.application import deciding
from chalicelib.domain import link_tokens
from chalicelib.domain.commands import Remind
from chalicelib.domain.errors import InvalidRequest, WrongCode
from chalicelib.domain.refusals import WRONG_CODES
from tests.builders import request_approval
from tests.fakes import FakePorts
from tests.unit.steps import (
    ADA,
    GRACE,
    decide,
    events,
    mailed_code,
    operate,
    other_code,
    pass_minutes,
    run_tick,
    stored,
)


def test_the_code_of_the_mail_decides(ports: FakePorts) -> None:
    """Also with blanks in it, as people type them."""
    request_approval(ports, codeRequired=True)
    code = mailed_code(ports)
    decide(ports, code=f" {code[:3]} {code[3:]} ")
    assert len(ports.executions.answers) == 1


def test_without_a_code_nothing_is_written(ports: FakePorts) -> None:
    """A missing code isn't counted as a wrong one."""
    request_approval(ports, codeRequired=True)
    before = ports.snapshot()
    with pytest.raises(InvalidRequest) as refusal:
        decide(ports, code=" ")
    assert refusal.value.field == "code"
    assert ports.snapshot() == before


def test_five_wrong_codes_lock_a_link_for_good(ports: FakePorts) -> None:
    """Then not even its own code decides; a reminder brings another link with another code."""
    approval_id = request_approval(ports, codeRequired=True)
    leaked, code = ports.token_mailed_to(ADA), mailed_code(ports)
    for _ in range(WRONG_CODES):
        with pytest.raises(WrongCode, match="not the code"):
            decide(ports, code=other_code(code))
    assert len(events(ports, approval_id, "wrongCode")) == WRONG_CODES
    before = ports.snapshot()
    with pytest.raises(WrongCode, match="Too many"):
        decide(ports, code=code)
    assert ports.snapshot() == before
    operate(ports, approval_id, Remind())
    run_tick(ports)
    with pytest.raises(WrongCode, match="Too many"):
        deciding.decide(ports, leaked, "approve", reason="", via="page", code=code)
    with pytest.raises(WrongCode, match="not the code"):
        decide(ports, code=other_code(mailed_code(ports)))
    decide(ports, code=mailed_code(ports))
    assert len(ports.executions.answers) == 1


def test_wrong_codes_on_a_leaked_link_do_not_lock_the_newest_one(ports: FakePorts) -> None:
    """The holder of an old mail can't stop the approver."""
    approval_id = request_approval(ports, codeRequired=True)
    leaked, code = ports.token_mailed_to(ADA), mailed_code(ports)
    operate(ports, approval_id, Remind())
    run_tick(ports)
    for _ in range(WRONG_CODES):
        with pytest.raises(WrongCode, match="not the code"):
            deciding.decide(ports, leaked, "approve", reason="", via="page", code=other_code(code))
    decide(ports, code=mailed_code(ports))
    assert len(ports.executions.answers) == 1


def test_what_earlier_versions_counted_locks_the_links_of_then(ports: FakePorts) -> None:
    """They counted for all links together; another mail doesn't unlock those links."""
    approval_id = request_approval(ports, codeRequired=True)
    old, code = ports.token_mailed_to(ADA), mailed_code(ports)
    before = stored(ports, approval_id)
    counted = replace(before.approvers[0], wrong_codes=WRONG_CODES)
    ports.store.replace(before, replace(before, approvers=(counted,)))
    operate(ports, approval_id, Remind())
    run_tick(ports)
    with pytest.raises(WrongCode, match="Too many"):
        deciding.decide(ports, old, "approve", reason="", via="page", code=code)
    decide(ports, code=mailed_code(ports))
    assert len(ports.executions.answers) == 1


def test_a_mail_that_was_not_sent_takes_back_its_code_with_its_link(ports: FakePorts) -> None:
    """However many mails fail, the code that arrived decides."""
    approval_id = request_approval(ports, codeRequired=True)
    token, code = ports.token_mailed_to(ADA), mailed_code(ports)
    ports.mailer.subscriptions[ADA] = "pending"
    operate(ports, approval_id, Remind())
    pass_minutes(ports, 600)
    approver = stored(ports, approval_id).approvers[0]
    assert len(approver.code_hashes) == len(approver.link_hashes) == 1
    deciding.decide(ports, token, "approve", reason="", via="page", code=code)
    assert len(ports.executions.answers) == 1


def test_a_reminder_that_is_not_sent_unlocks_nothing(ports: FakePorts) -> None:
    approval_id = request_approval(ports, codeRequired=True)
    code = mailed_code(ports)
    for _ in range(WRONG_CODES):
        with pytest.raises(WrongCode):
            decide(ports, code=other_code(code))
    ports.mailer.subscriptions[ADA] = "pending"
    operate(ports, approval_id, Remind())
    run_tick(ports)
    with pytest.raises(WrongCode, match="Too many"):
        decide(ports, code=code)


@pytest.mark.parametrize(("link", "code"), [(0, 1), (1, 0)])
def test_any_live_code_of_an_approver_decides(ports: FakePorts, link: int, code: int) -> None:
    """The newest code with an older mail's link, and an older code with the newest link."""
    approval_id = request_approval(ports, codeRequired=True)
    tokens, codes = [ports.token_mailed_to(ADA)], [mailed_code(ports)]
    operate(ports, approval_id, Remind())
    run_tick(ports)
    tokens, codes = [*tokens, ports.token_mailed_to(ADA)], [*codes, mailed_code(ports)]
    assert len(set(tokens)) == len(set(codes)) == 2
    deciding.decide(ports, tokens[link], "approve", reason="", via="page", code=codes[code])
    assert stored(ports, approval_id).outcome == "approved"
    assert events(ports, approval_id, "wrongCode") == []


def test_a_code_of_an_earlier_version_decides_with_its_own_link(ports: FakePorts) -> None:
    """Its stored hash covers the link's secret in place of the task token."""
    approval_id = request_approval(ports, codeRequired=True)
    token, code = ports.token_mailed_to(ADA), mailed_code(ports)
    before = stored(ports, approval_id)
    old = link_tokens.code_digest(token.split(".")[1], code)
    changed = before.with_approver(replace(before.approvers[0], code_hashes=(old,)))
    ports.store.replace(before, changed)
    with pytest.raises(WrongCode):
        decide(ports, code=other_code(code))
    decide(ports, code=code)
    assert stored(ports, approval_id).outcome == "approved"


def test_nobody_elses_code_decides(ports: FakePorts) -> None:
    """Each approver has codes of their own."""
    request_approval(ports, codeRequired=True, approvers=[ADA, GRACE])
    token, graces = ports.token_mailed_to(ADA), mailed_code(ports)
    with pytest.raises(WrongCode):
        deciding.decide(ports, token, "approve", reason="", via="page", code=graces)


def test_the_stored_item_has_no_code(ports: FakePorts) -> None:
    approval_id = request_approval(ports, codeRequired=True)
    assert mailed_code(ports).encode() not in ports.store._items[approval_id]


def test_a_wrong_code_tells_how_many_tries_are_left(ports: FakePorts) -> None:
    """With this link; the last one says that it is locked now, and what to do."""
    request_approval(ports, codeRequired=True)
    wrong, told = other_code(mailed_code(ports)), []
    for _ in range(WRONG_CODES):
        with pytest.raises(WrongCode) as refusal:
            decide(ports, code=wrong)
        told.append(refusal.value.message)
    left = [f"; {number} tries are left with this link." for number in (4, 3, 2)]
    assert [message.partition("mail")[2] for message in told[:3]] == left
    assert "; 1 try is left" in told[3]
    assert "the last try: this link is locked. Use the link and the code of a newer mail" in told[4]


def test_a_code_can_not_be_computed_from_the_links_of_its_mail(ports: FakePorts) -> None:
    """It is made from a random secret of its own."""
    request_approval(ports, codeRequired=True)
    for page in ("approve", "inbox"):
        secret = ports.token_mailed_to(ADA, page).split(".")[1]
        assert link_tokens.code(secret) != mailed_code(ports)


def test_the_same_decision_again_needs_no_code(ports: FakePorts) -> None:
    """It only shows what was decided."""
    request_approval(ports, codeRequired=True)
    decide(ports, code=mailed_code(ports))
    before = ports.snapshot()
    assert decide(ports).outcome == "approved"
    assert ports.snapshot() == before


def test_without_code_required_there_is_no_code(ports: FakePorts) -> None:
    approval_id = request_approval(ports)
    assert "CODE" not in ports.mailer.sent[-1][1].text
    assert stored(ports, approval_id).approvers[0].code_hashes == ()
