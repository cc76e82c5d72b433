"""One contract for sessions of the console: the tests' fake, and the adapter on the real table."""

import threading
from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb_sessions import DynamoDbSessions
from chalicelib.application.ports import Sessions
from chalicelib.domain import console_session
from chalicelib.domain.console_session import OPEN_FOR, ConsoleSession
from tests.aws.clients import session as aws
from tests.aws.table import TABLE, make_table, table_client
from tests.fakes import START, FakeSessions

HOUR = timedelta(hours=1)


@pytest.fixture(params=["fake", "dynamodb"])
def sessions(request: pytest.FixtureRequest) -> Sessions:
    """Return a store without sessions."""
    if request.param == "fake":
        return FakeSessions()
    request.getfixturevalue("account")
    return DynamoDbSessions(table_client(), TABLE)


def offered(of: str = "one") -> ConsoleSession:
    return console_session.offer(of, "arn:aws:iam::1:user/olga", may_operate=True, now=START)


def opened(sessions: Sessions, secret: str, hours: int) -> ConsoleSession:
    """Return a stored session that was opened so many hours after START."""
    new = offered(secret)
    session = console_session.opened(new, f"cookie of {secret}", START + hours * HOUR)
    sessions.create(new)
    assert sessions.replace(new, session)
    return session


def test_a_session_is_read_back(sessions: Sessions) -> None:
    assert sessions.get(offered().id) is None
    sessions.create(offered())
    assert sessions.get(offered().id) == offered()
    session = console_session.opened(offered(), "cookie", START)
    assert sessions.replace(offered(), session)
    assert sessions.get(offered().id) == session


def test_a_changed_session_is_not_written_over(sessions: Sessions) -> None:
    sessions.create(offered())
    first = console_session.opened(offered(), "first", START)
    assert sessions.replace(offered(), first)
    assert not sessions.replace(offered(), console_session.opened(offered(), "second", START))
    assert sessions.get(offered().id) == first


def test_of_many_openings_at_once_one_is_written(sessions: Sessions) -> None:
    sessions.create(offered())
    won: list[int] = []

    def press(number: int) -> None:
        changed = console_session.opened(offered(), f"cookie {number}", START)
        if sessions.replace(offered(), changed):
            won.append(number)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_open_sessions_are_listed_last_opened_first(sessions: Sessions) -> None:
    """None that only has a link, has ended, or was opened too long ago."""
    sessions.create(offered("a link alone"))
    old, one, two, three = (opened(sessions, str(n), n) for n in range(4))
    ended = console_session.ended(two, START)
    assert sessions.replace(two, ended)
    assert sessions.opened_since(START, 10) == ([three, one], "")
    assert sessions.opened_since(START - HOUR, 10) == ([three, one, old], "")
    assert sessions.opened_since(START + 9 * HOUR, 10, "2026-11-22T09:00:00Z_x") == ([], "")


def test_a_long_list_has_pages(sessions: Sessions) -> None:
    """Each session is on one of them, also those of one second."""
    made = {opened(sessions, str(number), number // 4).id for number in range(13)}
    found, after = list[str](), ""
    for _ in range(10):
        page, after = sessions.opened_since(START - HOUR, 3, after)
        found += [session.id for session in page]
        if not after:
            break
    assert sorted(found) == sorted(made)


def test_the_time_to_live_deletes_a_session_that_is_over(
    account: None,  # noqa: ARG001 (moto's)
) -> None:
    """A link after two minutes, a session after eight hours."""
    client = aws().client("dynamodb")
    make_table(client)
    sessions = DynamoDbSessions(client, TABLE)
    opened(sessions, "one", 0)
    sessions.create(offered("two"))
    items = client.scan(TableName=TABLE)["Items"]
    ends = sorted(int(item["goneAt"]["N"]) for item in items)
    assert ends == [
        int((START + timedelta(minutes=2)).timestamp()),
        int((START + OPEN_FOR).timestamp()),
    ]
