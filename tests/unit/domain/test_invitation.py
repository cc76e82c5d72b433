"""Invitations: since when one has waited, however often it was sent again."""

from datetime import timedelta

from chalicelib.domain.invitation import VALID_FOR, Invitation, invited_again
from tests.fakes import START


def test_an_invitation_that_is_sent_again_has_waited_since_the_first() -> None:
    """Each request invites at once whom SNS hasn't confirmed."""
    first = invited_again(None, START)
    assert (first.since, first.waits_since) == (None, START)
    again = first
    for hours in range(12, 72, 12):
        again = invited_again(again, START + timedelta(hours=hours))
    assert (again.at, again.waits_since) == (START + timedelta(hours=60), START)


def test_one_whose_link_is_over_begins_anew() -> None:
    """It was confirmed meanwhile, or nobody needed them for days."""
    assert invited_again(Invitation(START), START + VALID_FOR).since is None
