"""Settings: from the environment, from files, and refused with the setting's name."""

import stat
from datetime import date
from pathlib import Path

import pytest

from paperround.config import Settings, load_settings
from paperround.core.errors import Misconfigured
from paperround.delivery.rate_state import Pacing, WarmUp, parse_domain_pace, parse_pace

STRONG = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_everything_stays_in_the_data_folder() -> None:
    settings = load_settings({})
    assert settings.database == "sqlite:///paperround-data/paperround.db"
    assert settings.relay == "outbox:paperround-data/outbox"
    assert not settings.leaves_this_machine
    assert load_settings({"PAPERROUND_SMTP_URL": "outbox"}).relay == settings.relay


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(STRONG + "\n")
    settings = load_settings({"PAPERROUND_SECRET_KEY_FILE": str(tmp_path / "secret")})
    assert settings.secret_key == STRONG


def test_a_secret_file_that_is_not_there_is_named() -> None:
    with pytest.raises(Misconfigured, match="PAPERROUND_SECRET_KEY_FILE"):
        load_settings({"PAPERROUND_SECRET_KEY_FILE": "nowhere"})


def test_a_secret_and_its_file_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(STRONG)
    both = {"PAPERROUND_SECRET_KEY": STRONG, "PAPERROUND_SECRET_KEY_FILE": "secret"}
    with pytest.raises(Misconfigured, match="not both"):
        load_settings(both)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIMEZONE", "Mars/Olympus"),
        ("TIMEZONE", "localtime"),
        ("TIMEZONE", "posix/Europe/Berlin"),
        ("LEASE_SECONDS", "1"),
        ("PUBLIC_URL", "papers.example.org"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("COLOR", "#ffee00"),
        ("LOGO_URL", "http://papers.example.org/logo.png"),
        ("LOGO_URL", "https://papers.example.org/a b.png"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"PAPERROUND_{name}"):
        load_settings({f"PAPERROUND_{name}": value})


@pytest.mark.accept("O6", part="bad settings", mutant="the-first-fault-hides-the-others")
def test_all_that_is_wrong_with_the_settings_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "PAPERROUND_TIMEZONE=Mars/Olympus\nPAPERROUND_DEFAULT_HOUR=25\n"
        "PAPERROUND_PUBLIK_URL=https://papers.example.org\nPAPERROUND_SMTP_URL_FILE=nowhere\n"
        f"PAPERROUND_SECRET_KEY={STRONG}\nPAPERROUND_SECRET_KEY_FILE=secret\n"
    )
    with pytest.raises(Misconfigured) as refused:
        load_settings({})
    head, *lines = str(refused.value).splitlines()
    assert head == "5 settings are wrong:"
    assert [line.strip() for line in lines] == list(refused.value.faults)
    for name in ("TIMEZONE", "DEFAULT_HOUR", "PUBLIK_URL", "SMTP_URL_FILE", "SECRET_KEY_FILE"):
        assert f"PAPERROUND_{name}" in str(refused.value)


@pytest.mark.accept("O6", part="bad settings", mutant="what-is-read-later-is-told-later")
def test_a_secret_and_a_relay_that_cannot_be_used_are_told_with_the_others() -> None:
    wrong = {
        "PAPERROUND_TIMEZONE": "Mars/Olympus",
        "PAPERROUND_SECRET_KEY": f"{STRONG},short",
        "PAPERROUND_SMTP_URL": "ftp://ada:sesame@mail.example.org",
    }
    with pytest.raises(Misconfigured) as refused:
        load_settings(wrong)
    assert len(refused.value.faults) == len(wrong)
    assert all(name in str(refused.value) for name in wrong)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SMTP_RATE", "fast", ": 'fast' is not a rate: write it like 3/24h, or off"),
        ("SMTP_WARMUP", "soon", " is 'soon': write the first day like 2026-12-01, or off"),
        (
            "SMTP_WARMUP",
            "20261201x",
            " is '20261201x': write the first day like 2026-12-01, or off",
        ),
        ("SMTP_PIPELINING", "maybe", " is 'maybe': write 1 or 0"),
        ("SMTP_CONNECTIONS", "ten", " is 'ten': write a whole number"),
        ("DEFAULT_HOUR", "24", " is '24': write 23 or less"),
        ("TIMEZONE", "Mars/Olympus", ": 'Mars/Olympus' "),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_once_in_plain_words(
    name: str, value: str, says: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        load_settings({f"PAPERROUND_{name}": value})
    assert str(refused.value).startswith(f"PAPERROUND_{name}{says}")
    assert "Value error" not in str(refused.value)


@pytest.mark.accept("F36", part="return address")
@pytest.mark.parametrize(
    "address",
    [
        "bounces",
        "@example.org",
        "bounces@",
        "bounces+x@example.org",
        "Bounces <b@example.org>",
        "b\u00f6unces@example.org",
        f"{'b' * 32}@example.org",
    ],
)
def test_a_return_address_that_cannot_take_a_tag_is_refused(address: str) -> None:
    with pytest.raises(Misconfigured, match="BOUNCE_ADDRESS"):
        load_settings({"PAPERROUND_BOUNCE_ADDRESS": address})
    longest = f"{'b' * 31}@example.org"
    assert load_settings({"PAPERROUND_BOUNCE_ADDRESS": longest}).bounce_address == longest


def test_an_embedded_installation_makes_one_secret_and_keeps_it(tmp_path: Path) -> None:
    first = load_settings({}).keys.current.id
    assert load_settings({}).keys.current.id == first
    folder = tmp_path / "paperround-data"
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_secret_that_cannot_be_kept_names_the_setting_that_helps(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="PAPERROUND_DATA_DIR"):
        _ = Settings(data_dir=tmp_path / "file" / "data").keys


@pytest.mark.accept("C5", part="weak secrets")
def test_a_weak_secret_is_refused() -> None:
    with pytest.raises(Misconfigured, match="32 characters"):
        _ = Settings(secret_key="hunter2").keys


def test_the_first_key_of_the_ring_signs_and_the_others_verify() -> None:
    ring = Settings(secret_key=f"{STRONG},{STRONG[::-1]}").keys
    alone = Settings(secret_key=STRONG).keys
    assert ring.current.id == alone.current.id
    assert len(ring.key_ids) == 2


@pytest.mark.accept("F52", part="refusal")
@pytest.mark.parametrize(
    "settings",
    [
        Settings(smtp_url="smtps://user:pass@mail.example.org:465"),
        Settings(smtp_url="smtp://127.0.0.1:25,smtp://mail.example.org:587?starttls=required"),
        Settings(database_url="postgresql://db/paperround", secret_key=STRONG),
    ],
)
def test_a_real_relay_or_postgresql_needs_a_named_sender(settings: Settings) -> None:
    with pytest.raises(Misconfigured, match="PAPERROUND_POSTAL_ADDRESS"):
        settings.require_sender()


@pytest.mark.accept("F52", part="refusal")
def test_one_s_own_group_needs_no_postal_address() -> None:
    named = Settings(
        smtp_url="smtps://mail.example.org:465",
        secret_key=STRONG,
        operator="The Reading Group",
        contact="people@example.org",
    )
    with pytest.raises(Misconfigured, match="PAPERROUND_POSTAL_ADDRESS"):
        named.require_sender()
    named.model_copy(update={"private": True}).require_sender()


def test_a_relay_on_this_machine_needs_no_name() -> None:
    Settings(smtp_url="smtp://127.0.0.1:2525").require_sender()


def test_no_secret_shows_in_a_repr() -> None:
    settings = Settings(
        secret_key=STRONG,
        smtp_url="smtps://user:hunter2@mail.example.org:465",
        database_url="postgresql://user:hunter2@db/paperround",
        semantic_scholar_key="hunter2",
    )
    assert STRONG not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_a_dotenv_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "PAPERROUND_OPERATOR=From file\nPAPERROUND_CONTACT=a@b.example\n"
    )
    settings = load_settings({"PAPERROUND_OPERATOR": "From environment"})
    assert (settings.operator, settings.contact) == ("From environment", "a@b.example")


def test_a_line_of_a_dotenv_file_that_is_no_setting_is_refused_by_its_number(
    tmp_path: Path,
) -> None:
    lines = ("# The lab", 'PAPERROUND_SMTP_URL="smtp://127.0.0.1', "PAPERROUND_CONTACT a@b.example")
    (tmp_path / ".env").write_text("\n".join([*lines, "PAPERROUND_OPERATOR=The lab", ""]))
    with pytest.raises(Misconfigured) as refused:
        load_settings({})
    assert refused.value.faults == (
        "line 2 of .env is not NAME=VALUE, or a quote in it is not closed",
        "line 3 of .env is not NAME=VALUE, or a quote in it is not closed",
    )


def test_a_wrong_line_below_an_empty_one_is_refused_by_its_own_number(tmp_path: Path) -> None:
    lines = ("# The lab", "", "  ", 'PAPERROUND_OPERATOR="The lab')
    (tmp_path / ".env").write_text("\n".join(lines))
    with pytest.raises(Misconfigured, match=r"^line 4 of"):
        load_settings({})


def test_a_setting_in_small_letters_is_recognised() -> None:
    for name in ("HOST", "PASSWORD"):
        with pytest.raises(Misconfigured, match="did you mean PAPERROUND_SMTP_URL"):
            load_settings({f"PAPERROUND_SMTP_{name}": "mail"}, file=None)
    with pytest.raises(Misconfigured, match="did you mean PAPERROUND_TIMEZONE"):
        load_settings({"PAPERROUND_timezone": "UTC"})


def test_a_name_that_is_like_no_setting_gets_no_suggestion() -> None:
    with pytest.raises(Misconfigured) as refused:
        load_settings({"PAPERROUND_X": "1"})
    assert str(refused.value) == "there is no setting PAPERROUND_X"


def test_a_key_that_was_made_before_stays_in_the_ring() -> None:
    made = load_settings({}).keys.current.id
    assert load_settings({"PAPERROUND_SECRET_KEY": STRONG}).keys.key_ids[1:] == (made,)


@pytest.mark.parametrize("name", [".env", "paperround-data/secret_key"])
def test_a_file_that_is_no_text_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "paperround-data").mkdir()
    (tmp_path / name).write_bytes(b"PAPERROUND_OPERATOR=\xff\n")
    with pytest.raises(Misconfigured, match=name):
        _ = load_settings({}).keys


def test_a_relay_that_cannot_be_read_is_left_to_whoever_opens_it() -> None:
    assert Settings(smtp_url="smtp://[::1").leaves_this_machine


@pytest.mark.accept("F33", part="rates as settings")
def test_mail_to_a_real_relay_is_paced_by_domain_and_mail_to_this_machine_is_not() -> None:
    real = load_settings({"PAPERROUND_SMTP_URL": "smtps://mail.example.org"}).pacing
    assert real == Pacing(domains=parse_domain_pace("20/s"), connections=5)
    near = load_settings({"PAPERROUND_SMTP_URL": "smtp://127.0.0.1:25"}).pacing
    assert near == Pacing()
    assert load_settings({}).pacing == Pacing()


def test_a_pace_that_was_set_holds_everywhere() -> None:
    near = {"PAPERROUND_SMTP_URL": "smtp://127.0.0.1:25", "PAPERROUND_SMTP_RATE": "14/s"}
    assert load_settings(near).pacing == Pacing(relay=parse_pace("14/s"))
    folder = load_settings({"PAPERROUND_SMTP_RATE": "14/s"})
    assert folder.pacing == Pacing(relay=parse_pace("14/s"))


def test_a_real_relay_may_be_told_to_hold_nothing_back() -> None:
    pacing = load_settings(
        {
            "PAPERROUND_SMTP_URL": "smtps://mail.example.org",
            "PAPERROUND_SMTP_RATE_DOMAIN": "off",
            "PAPERROUND_SMTP_DOMAIN_CONNECTIONS": "off",
        }
    ).pacing
    assert pacing == Pacing()


def test_the_first_day_of_a_new_domain_is_a_date_or_off() -> None:
    pacing = load_settings({"PAPERROUND_SMTP_WARMUP": "2026-12-01"}).pacing
    assert pacing.warm_up == WarmUp(start=date(2026, 12, 1), zone="UTC")
    assert load_settings({"PAPERROUND_SMTP_WARMUP": "off"}).pacing == Pacing()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_RATE", "fast"),
        ("SMTP_RATE_DOMAIN", "gmail=5/s"),
        ("SMTP_DOMAIN_CONNECTIONS", "5-2"),
        ("SMTP_WARMUP", "soon"),
    ],
)
def test_a_pace_that_cannot_be_read_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"PAPERROUND_{name}"):
        load_settings({f"PAPERROUND_{name}": value})
