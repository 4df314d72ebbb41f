"""Keys for DKIM: their lives, the file they are kept in, their records, and bad ones."""

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from paperround.config import Settings
from paperround.core.errors import Conflict, InvalidInput, Misconfigured
from paperround.delivery.dkim.keys import (
    KEEP,
    SHOW_REVOKED,
    KeyFile,
    KeyRecord,
    KeyState,
    RecordStatus,
    keys_from_settings,
    pem_of,
    public_of,
    record_status,
)
from paperround.delivery.dkim.signer import Algorithm, SigningKey
from paperround.delivery.dkim.signers import (
    Signers,
    read_key_file,
    replace_key_file,
    signing_domain,
    write_key_file,
)
from paperround.digests.render.composer import MailRenderer
from tests.builders import NOW
from tests.delivery.dkim_oracles import DOMAIN, dkimpy_says, key
from tests.digests.messages import mail, sender_identity

DAY = timedelta(days=1)
FIRST, NEXT = NOW + DAY, NOW + 2 * DAY
ED25519 = (Algorithm.ED25519,)
BOTH = tuple(Algorithm)
pytestmark = pytest.mark.accept("F35", part="keys")


def book() -> KeyFile:
    """One key that signs since NOW."""
    return KeyFile().with_first(ED25519, None, now=NOW)


def states(kept: KeyFile, now: datetime) -> list[KeyState]:
    return [one.state(now) for one in kept.keys]


# --- lives ---------------------------------------------------------------------------------------


def test_there_is_one_first_key() -> None:
    with pytest.raises(Conflict, match="dkim rotate"):
        book().with_first(ED25519, None, now=FIRST)


def test_before_the_first_key_there_is_no_next_one() -> None:
    with pytest.raises(Conflict, match="dkim create"):
        KeyFile().with_next((), None, now=NOW)


def test_the_next_key_is_of_the_same_kind_and_waits() -> None:
    both = KeyFile().with_first(BOTH, None, now=NOW).with_next((), None, now=FIRST)
    assert [one.algorithm for one in both.keys] == [*Algorithm, *Algorithm]
    assert states(both, FIRST) == [KeyState.SIGNING] * 2 + [KeyState.WAITING] * 2


def test_two_next_keys_do_not_wait_at_once() -> None:
    waiting = book().with_next((), None, now=FIRST)
    with pytest.raises(Conflict, match="is waiting already"):
        waiting.with_next((), None, now=FIRST)


def test_a_key_that_signs_no_more_is_kept_then_revoked_then_gone() -> None:
    moved = book().with_next((), None, now=FIRST).switched(now=NEXT)
    end = NEXT + KEEP
    second = timedelta(seconds=1)
    for at, state in (
        (NEXT, KeyState.KEPT),
        (end - second, KeyState.KEPT),
        (end, KeyState.REVOKED),
        (end + SHOW_REVOKED - second, KeyState.REVOKED),
        (end + SHOW_REVOKED, KeyState.GONE),
    ):
        assert states(moved, at) == [state, KeyState.SIGNING]
    old, new = moved.due(DOMAIN, NEXT)
    assert (old.until, new.until) == (end, None)
    assert old.public == moved.keys[0].public
    assert moved.due(DOMAIN, end)[0].value == "v=DKIM1; k=ed25519; p="
    assert len(moved.due(DOMAIN, end + SHOW_REVOKED)) == 1


def test_the_private_half_of_a_key_ends_with_its_work() -> None:
    moved = book().with_next((), None, now=FIRST).switched(now=NEXT)
    assert [one.private is None for one in moved.keys] == [True, False]
    assert "PRIVATE" not in repr(moved)


def test_keys_of_one_day_have_names_of_their_own() -> None:
    kept = KeyFile().with_first(BOTH, None, now=NOW)
    for _ in range(2):
        kept = kept.with_next((), None, now=NOW).switched(now=NOW)
    day = f"pr{NOW:%Y%m%d}"
    wanted = [f"{day}{ending}{number}" for number in ("", "-2", "-3") for ending in ("", "e")]
    assert [one.selector for one in kept.keys] == wanted


@pytest.mark.parametrize(
    ("selector", "why"),
    [("ä", "DNS name"), ("a b", "DNS name"), ("-a", "DNS name"), ("S1", "was used before")],
)
def test_a_name_that_cannot_be_taken_is_refused(selector: str, why: str) -> None:
    kept = KeyFile().with_first([Algorithm.RSA], "s1", now=NOW)
    with pytest.raises(InvalidInput, match=why):
        kept.with_next([Algorithm.RSA], selector, now=FIRST)


# --- the file ------------------------------------------------------------------------------------


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    kept = book().with_next((), "two", now=FIRST).switched(now=NEXT)
    write_key_file(tmp_path / "data" / "dkim.json", kept)
    assert read_key_file(tmp_path / "data" / "dkim.json") == kept
    assert read_key_file(tmp_path / "none.json") == KeyFile()


def test_the_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_key_file(tmp_path / "data" / "dkim.json", book())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data" / "dkim.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert [one.name for one in (tmp_path / "data").iterdir()] == ["dkim.json"]


def test_a_book_that_somebody_else_changed_is_not_written_over(tmp_path: Path) -> None:
    place = tmp_path / "dkim.json"
    mine, theirs = book(), book()
    replace_key_file(place, KeyFile(), theirs)
    with pytest.raises(Conflict, match="changed in the meantime"):
        replace_key_file(place, KeyFile(), mine)
    assert read_key_file(place) == theirs
    replace_key_file(place, theirs, theirs.with_next((), None, now=FIRST))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": [{"selector": "a"}]}', "\xff"])
def test_a_file_of_something_else_is_named(tmp_path: Path, content: str) -> None:
    place = tmp_path / "dkim.json"
    place.write_text(content, encoding="latin-1")
    with pytest.raises(Misconfigured, match=r"dkim\.json does not contain DKIM keys"):
        read_key_file(place)


# --- who signs -----------------------------------------------------------------------------------


def test_mails_are_signed_with_the_keys_as_they_are_in_the_file(tmp_path: Path) -> None:
    place = tmp_path / "dkim.json"
    signers = Signers(DOMAIN, place)
    renderer = MailRenderer(sender_identity(), signer=signers)
    first = book()
    waiting = first.with_next((), None, now=FIRST)
    old, new = waiting.due(DOMAIN, NOW)
    assert b"DKIM-Signature" not in renderer.compose(mail())
    for kept, good in ((first, [True, False]), (waiting, [True, False])):
        write_key_file(place, kept)
        content = renderer.compose(mail())
        assert [*dkimpy_says(content, [old]), *dkimpy_says(content, [new])] == good
    write_key_file(place, waiting.switched(now=NEXT))
    content = renderer.compose(mail())
    assert [*dkimpy_says(content, [old]), *dkimpy_says(content, [new])] == [False, True]


def test_keys_that_are_gone_or_back_are_seen(tmp_path: Path) -> None:
    place = tmp_path / "dkim.json"
    signers = Signers(DOMAIN, place)
    assert signers() is None
    write_key_file(place, book())
    assert signers() is not None
    place.rename(tmp_path / "elsewhere")
    assert signers() is None
    (tmp_path / "elsewhere").rename(place)
    assert signers() is not None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"private": None}, "cannot be read as a private key"),
        ({"public": "AAAA"}, "the public key of another key"),
        ({"private": pem_of(key(Algorithm.RSA))}, "the public key of another key"),
    ],
)
def test_half_a_key_does_not_sign_and_says_so(
    tmp_path: Path, changes: dict[str, str | None], why: str
) -> None:
    half = replace(book().keys[0], **changes)  # type: ignore[arg-type]
    write_key_file(tmp_path / "dkim.json", KeyFile((half,)))
    with pytest.raises(Misconfigured, match=why):
        Signers(DOMAIN, tmp_path / "dkim.json")()


def test_keys_of_the_settings_sign_alone(tmp_path: Path) -> None:
    write_key_file(tmp_path / "dkim.json", book())
    given = Signers(DOMAIN, tmp_path / "dkim.json", (key(Algorithm.ED25519),))
    assert [one.selector for one in given.due(NOW)] == ["of-ed25519"]
    assert given() is not None


# --- keys of the settings ------------------------------------------------------------------------


def test_two_keys_stand_behind_one_another() -> None:
    keys = [key(one) for one in Algorithm]
    pem = "Made by hand\n" + "\n".join(map(pem_of, keys))
    found = keys_from_settings(pem, ["one", "two"])
    assert [(one.selector, one.algorithm) for one in found] == [
        ("one", Algorithm.RSA),
        ("two", Algorithm.ED25519),
    ]
    assert [public_of(one) for one in found] == [public_of(one) for one in keys]


def test_settings_do_not_print_their_key() -> None:
    assert "PRIVATE" not in repr(Settings(dkim_key=good()))


def pem(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def locked() -> str:
    private = Ed25519PrivateKey.generate()
    closed = BestAvailableEncryption(b"a password")
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, closed).decode()


def good() -> str:
    return pem_of(key(Algorithm.ED25519))


GIVEN: dict[str, Callable[[], str | None]] = {
    "none": lambda: None,
    "a bare text": lambda: "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
    "one": good,
    "two": lambda: good() + good(),
    "locked": locked,
    "damaged": lambda: good().replace("MC4", "MC5"),
    "no ASCII": lambda: good().replace("MC4", "MÄ4"),
    "a curve": lambda: pem(ec.generate_private_key(ec.SECP256R1())),
    "short": lambda: pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505 - refused
}


@pytest.mark.parametrize(
    ("given", "selectors", "why"),
    [
        ("a bare text", "a", "is not a private key"),
        ("none", "a", "is not a private key"),
        ("one", "", "has 0 names for 1 keys"),
        ("two", "a", "has 1 names for 2 keys"),
        ("one", "a_b", "'a_b' cannot be part of a DNS name"),
        ("locked", "a", "without a password"),
        ("damaged", "a", "cannot be read"),
        ("no ASCII", "a", "cannot be read"),
        ("a curve", "a", "neither an RSA nor an Ed25519"),
        ("short", "a", "1024 bits"),
    ],
)
def test_a_bad_key_is_one_clear_error_without_the_key(given: str, selectors: str, why: str) -> None:
    text = GIVEN[given]()
    with pytest.raises(Misconfigured, match=why) as raised:
        keys_from_settings(text, [one for one in selectors.split(",") if one])
    secrets = [line for line in (text or "").splitlines() if line and "-" not in line]
    assert not any(line in str(raised.value) for line in secrets)


@pytest.mark.parametrize(
    ("wanted", "sender", "signs"),
    [
        (None, "Papers.Example.org", "papers.example.org"),
        ("example.org", "papers.example.org", "example.org"),
        ("Papers.example.org.", "papers.example.org", "papers.example.org"),
        ("mail.papers.example.org", "papers.example.org", "mail.papers.example.org"),
    ],
)
def test_the_domain_of_a_signature_is_that_of_the_sender_or_near_it(
    wanted: str | None, sender: str, signs: str
) -> None:
    assert signing_domain(wanted, sender) == signs


@pytest.mark.parametrize(
    "wanted", ["example.com", "ers.example.org", "org", "ex ample.org", ".", "a..org"]
)
def test_another_domain_is_refused(wanted: str) -> None:
    with pytest.raises(Misconfigured, match="PAPERROUND_DKIM_DOMAIN is"):
        signing_domain(wanted, "papers.example.org")


# --- records -------------------------------------------------------------------------------------


def record(made: SigningKey) -> KeyRecord:
    return KeyRecord(selector="s1", domain=DOMAIN, algorithm=made.algorithm, public=public_of(made))


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_record_is_in_strings_that_the_dns_can_hold(algorithm: Algorithm) -> None:
    made = record(key(algorithm))
    assert made.name == "s1._domainkey.papers.example.org"
    assert max(map(len, made.strings)) <= 255
    assert "".join(made.strings) == made.value
    assert made.value.startswith(f"v=DKIM1; k={algorithm}; p=")
    assert made.line == f"{made.name}. TXT " + " ".join(f'"{one}"' for one in made.strings)
    assert len(made.strings) == (2 if algorithm is Algorithm.RSA else 1)


@pytest.mark.parametrize(
    ("published", "standing"),
    [
        ("v=DKIM1; k=rsa; p={start}{rest}", RecordStatus.GOOD),
        ("p={start}{rest}", RecordStatus.GOOD),
        ("v=DKIM1;k=rsa;s=email;h=sha1:sha256;t=s; p = {start} {rest} ;", RecordStatus.GOOD),
        ("v=DKIM1; k=rsa; t=y:s; p={start}{rest}", RecordStatus.TESTING),
        ("v=DKIM1; k=rsa; p=", RecordStatus.REVOKED),
        ("v=DKIM1; k=ed25519; p={start}{rest}", RecordStatus.OTHER),
        ("v=DKIM2; k=rsa; p={start}{rest}", RecordStatus.OTHER),
        ("v=DKIM1; k=rsa; h=sha1; p={start}{rest}", RecordStatus.OTHER),
        ("v=DKIM1; k=rsa; s=tlsrpt; p={start}{rest}", RecordStatus.OTHER),
        ("v=DKIM1; k=rsa; p={start}", RecordStatus.OTHER),
        ("something else", RecordStatus.OTHER),
    ],
)
def test_what_a_published_record_is_worth(published: str, standing: RecordStatus) -> None:
    made = record(key(Algorithm.RSA))
    text = published.format(start=made.public[:80], rest=made.public[80:])
    assert record_status(made, text) is standing
