"""A stage's settings from its environment; all missing variables are named at once."""

import pytest

from chalicelib.domain.errors import Misconfigured
from chalicelib.settings import Settings, stage_name

ENV = {
    "ASSENT_STAGE": "dev",
    "ASSENT_TABLE": "assent-dev",
    "ASSENT_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:assent-dev",
    "ASSENT_TOPIC_ARN_PREFIX": "arn:aws:sns:us-east-1:000000000000:assent-dev-approver-",
    "ASSENT_DEAD_LETTERS_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/assent-dev-dead-letters",
    "ASSENT_PUBLIC_URL": "https://abc.example.com/api",
    "ASSENT_APPROVER_DOMAINS": "example.com,example.org",
}


def test_each_variable_fills_the_field_of_its_name() -> None:
    settings = Settings.from_env(ENV | {"PATH": "/bin"})
    assert settings._asdict() == {
        name.removeprefix("ASSENT_").lower(): value for name, value in ENV.items()
    } | {
        "approver_domains": ("example.com", "example.org"),
        "retention_days": None,
        "details_days": 30,
        "require_policy": False,
    }


@pytest.mark.parametrize(
    ("written", "shown"),
    [("", ""), ("  Example  Ltd\n", "Example Ltd"), ("x" * 50, "x" * 40), ("a\u202eb", "ab")],
)
def test_the_name_of_a_stage_can_be_shown_whatever_is_written(written: str, shown: str) -> None:
    """It stands on the page about faulty settings, too."""
    assert stage_name({"ASSENT_NAME": written}) == shown
    assert stage_name({}) == ""


@pytest.mark.parametrize(
    ("written", "required"), [("", False), ("no", False), ("yes", True), (" YES ", True)]
)
def test_a_stage_may_require_a_policy(written: str, *, required: bool) -> None:
    """By yes; anything but yes and no is refused, so that a slip opens nothing."""
    env = ENV | {"ASSENT_REQUIRE_POLICY": written}
    assert Settings.from_env(env).require_policy is required
    with pytest.raises(Misconfigured, match="ASSENT_REQUIRE_POLICY is 'true': yes or no"):
        Settings.from_env(ENV | {"ASSENT_REQUIRE_POLICY": "true"})


def test_all_missing_and_empty_variables_are_named_at_once() -> None:
    """Nobody has to fix them one by one."""
    with pytest.raises(LookupError) as missing:
        Settings.from_env({})
    assert all(name in str(missing.value) for name in ENV)
    for name in ENV:
        for env in ({k: v for k, v in ENV.items() if k != name}, ENV | {name: ""}):
            with pytest.raises(LookupError) as missing:
                Settings.from_env(env)
            assert [other for other in ENV if other in str(missing.value)] == [name]


@pytest.mark.parametrize(
    ("written", "days"), [("1", 1), (" 365 ", 365), ("36500", 36_500), ("keep", None), ("", None)]
)
def test_the_retention_is_a_number_of_days_or_keep(written: str, days: int | None) -> None:
    """A stage that was deployed before lacks the variable and keeps everything."""
    assert Settings.from_env(ENV | {"ASSENT_RETENTION_DAYS": written}).retention_days == days


@pytest.mark.parametrize(("written", "days"), [("1", 1), ("365", 365), ("keep", None), ("", 30)])
def test_links_show_details_for_a_number_of_days(written: str, days: int | None) -> None:
    """A stage that was deployed before lacks the variable: thirty days."""
    assert Settings.from_env(ENV | {"ASSENT_DETAILS_DAYS": written}).details_days == days
    with pytest.raises(Misconfigured, match=r"ASSENT_DETAILS_DAYS is '0': 1 to 36500 days"):
        Settings.from_env(ENV | {"ASSENT_DETAILS_DAYS": "0"})


@pytest.mark.parametrize("written", ["0", "-1", "36501", "1.5", "a year", "\u0663", "9" * 50])
def test_another_retention_is_misconfigured(written: str) -> None:
    """No approval may vanish because of a typing error."""
    with pytest.raises(Misconfigured, match=r"ASSENT_RETENTION_DAYS is .*: 1 to 36500 days"):
        Settings.from_env(ENV | {"ASSENT_RETENTION_DAYS": written})


def test_a_slash_at_the_end_of_the_public_url_is_dropped() -> None:
    with_slash = ENV | {"ASSENT_PUBLIC_URL": "https://abc.example.com/api/"}
    assert Settings.from_env(with_slash) == Settings.from_env(ENV)


@pytest.mark.parametrize("written", ["Example.COM, example.org", " example.com ,,example.org, "])
def test_the_list_of_domains_may_be_written_freely(written: str) -> None:
    """With blanks, in any case, and with empty places."""
    settings = Settings.from_env(ENV | {"ASSENT_APPROVER_DOMAINS": written})
    assert settings.approver_domains == ("example.com", "example.org")


@pytest.mark.parametrize("written", [",", " , ", "  "])
def test_a_list_without_any_domain_counts_as_missing(written: str) -> None:
    """A stage at which nobody may be asked is misconfigured."""
    with pytest.raises(LookupError, match="ASSENT_APPROVER_DOMAINS"):
        Settings.from_env(ENV | {"ASSENT_APPROVER_DOMAINS": written})
