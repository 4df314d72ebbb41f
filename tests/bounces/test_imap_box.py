"""A mailbox that is read over the wire, and emptied a mail at a time."""

from contextlib import closing
from pathlib import Path

import pytest

from paperround.bounces.imap import MOST_SEARCHED, parse_imap_url, read_mailbox
from paperround.bounces.reports import LONGEST
from paperround.core.errors import FetchFailed, Misconfigured
from tests.bounces.imap_server import ImapServer, Stored
from tests.certificates import certificate

MAILS = (b"From: one\r\n\r\nOne.\r\n", b"From: two\r\n\r\nTwo (with {17} braces).\r\n")


def letters(server: ImapServer, options: str = "", *, limit: int = 9) -> list[bytes]:
    """Takes the oldest mails of the mailbox."""
    return list(read_mailbox(parse_imap_url(server.url(options)), limit=limit))


@pytest.mark.accept("F36", part="mailbox")
def test_mails_are_read_and_go_once_they_were_taken() -> None:
    with ImapServer(*MAILS) as server:
        assert letters(server, limit=1) == [MAILS[0]]
        assert server.raws() == [MAILS[1]]
        assert letters(server) == [MAILS[1]]
        assert server.raws() == []
        assert letters(server) == []


@pytest.mark.accept("F36", part="mailbox")
def test_what_is_not_taken_stays_unread() -> None:
    with ImapServer(*MAILS) as server:
        with closing(read_mailbox(parse_imap_url(server.url()), limit=9)) as mails:
            assert next(mails) == MAILS[0]
        assert [one.flags for one in server.folders["INBOX"]] == [set(), set()]


@pytest.mark.accept("F36", part="mailbox")
def test_mails_are_moved_where_a_folder_is_named_which_is_made() -> None:
    with ImapServer(*MAILS) as server:
        letters(server, "?done=Paperround-done", limit=1)
        letters(server, "?done=Paperround-done")
        assert server.raws() == []
        assert server.raws("Paperround-done") == list(MAILS)


def test_of_a_huge_mail_only_the_start_is_fetched() -> None:
    with ImapServer(b"x" * (LONGEST + 7)) as server:
        (only,) = letters(server)
        assert len(only) == LONGEST


def test_a_mailbox_of_very_many_mails_is_looked_into_from_its_start() -> None:
    count = 200_000  # the numbers of all of them are more than a line that is read at all
    with ImapServer() as server:
        mails = server.folders["INBOX"]
        mails += [Stored(uid, b"%d" % uid) for uid in range(1, count + 1)]
        assert letters(server, limit=2) == [b"1", b"2"]
        assert f"SEARCH 1:{MOST_SEARCHED} UNDELETED" in server.commands


def test_an_empty_mailbox_is_not_searched() -> None:
    with ImapServer() as server:
        assert letters(server) == []
        assert not any(one.startswith("SEARCH") for one in server.commands)


@pytest.mark.accept("F36", part="mailbox")
def test_a_mail_that_the_server_cannot_read_keeps_no_other_back() -> None:
    with ImapServer(*MAILS) as server:
        server.unreadable.add(1)
        assert letters(server) == [MAILS[1]]
        assert server.raws() == [MAILS[0]]


def test_a_mail_without_an_end_is_not_read() -> None:
    with ImapServer(*MAILS) as server:
        server.announces = 10**15
        with pytest.raises(FetchFailed, match="bytes where"):
            letters(server)


@pytest.mark.accept("F36", part="mailbox")
@pytest.mark.parametrize("after", ["SEARCH", "FETCH", "STORE", "EXPUNGE"])
def test_a_connection_that_breaks_loses_no_mail(after: str) -> None:
    with ImapServer(*MAILS, breaks_after=after) as server:
        with pytest.raises(FetchFailed, match="mailbox at"):
            letters(server, "?done=kept")
        assert {*server.raws(), *server.raws("kept")} == set(MAILS)


def test_a_wrong_password_is_told_without_it() -> None:
    with ImapServer() as server:
        place = parse_imap_url(server.url(login="bounces:secret"))
        with pytest.raises(FetchFailed, match="user or the password") as told:
            list(read_mailbox(place, limit=0))
    assert "secret" not in f"{told.value!r} {place!r} {place}"


def test_a_folder_that_is_not_there_is_told() -> None:
    with ImapServer() as server:
        place = parse_imap_url(server.url().replace("INBOX", "Nowhere"))
        with pytest.raises(FetchFailed, match="Nowhere"):
            list(read_mailbox(place, limit=0))


def test_a_server_that_is_away_is_told() -> None:
    with ImapServer() as server:
        place = parse_imap_url(server.url())
    with pytest.raises(FetchFailed, match="cannot be reached"):
        list(read_mailbox(place, limit=0))


@pytest.mark.accept("F36", part="mailbox")
def test_a_certificate_is_verified(tmp_path: Path) -> None:
    pair = certificate(tmp_path)
    with ImapServer(*MAILS, certificate=pair) as server:
        with pytest.raises(FetchFailed, match="cannot be trusted"):
            letters(server)
        assert server.commands == []
        assert len(letters(server, f"?ca={pair[0]}")) == 2


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("imap://u:p@mail.example.org/INBOX", "use imaps://"),
        ("pop3s://u:p@mail.example.org", "imaps://"),
        ("imaps://mail.example.org/INBOX", "a login needs both"),
        ("imaps://u:p@/INBOX", "no host"),
        ("imaps://u:p@mail.example.org:99999/INBOX", "port"),
        ("imaps://u:p#w@mail.example.org/INBOX", "port"),
        ("imaps://u:p@mail.example.org/INBOX?move=x", "done and ca"),
        ("imaps://u:p@mail.example.org/Eing%C3%A4nge", "ASCII"),
        ("imaps://[u:p@mail.example.org/INBOX", "cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_without_its_secrets(url: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as told:
        parse_imap_url(url)
    assert "u:p" not in str(told.value)


def test_a_place_has_its_usual_port_and_folder() -> None:
    place = parse_imap_url("imaps://a%40b.example:p%2Fw@mail.example")
    assert (place.port, place.folder, place.user, place.password) == (
        993,
        "INBOX",
        "a@b.example",
        "p/w",
    )
