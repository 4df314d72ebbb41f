"""The outbox as pages: every mail as its reader sees it, for nobody who should not."""

import os
import shutil
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Envelope
from paperround.delivery.outbox import OutboxMailer
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.render.composer import MailRenderer
from paperround.editions.model import DeliveryId
from paperround.web.app import create_app
from tests.delivery.envelopes import Marks
from tests.digests import messages as mails
from tests.web.admin import key_for
from tests.web.conftest import HandClock

HERE = "http://127.0.0.1:8000"
SCRIPT = "<script>alert(1)</script>"


@contextmanager
def visiting(
    settings: Settings, *, demo: bool = True, at: str = "127.0.0.1"
) -> Iterator[tuple[TestClient, AppContext]]:
    """Somebody at the address `at` on the site of a demo, or of an installation."""
    home = AppContext(settings, HandClock(), demo=demo)
    client = TestClient(
        create_app(home), base_url=HERE, client=(at, 4711), raise_server_exceptions=False
    )
    with client:
        yield client, home
    assert isinstance(home.database, SqlDatabase)
    home.database.close()


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    shutil.copy(sqlite_template, tmp_path / "paperround.db")
    return Settings(data_dir=tmp_path, public_url=HERE)


@pytest.fixture
def demo(settings: Settings) -> Iterator[TestClient]:
    with visiting(settings) as (client, _):
        yield client


def keep(folder: Path, number: int = 1, **changes: object) -> bytes:
    """Put a digest into the outbox; returns its bytes."""
    shown = mails.view([mails.paper(1, **changes)])
    message_id = f"<{number}@papers.example>"
    content = MailRenderer(mails.sender_identity()).compose(
        mails.mail(shown, message_id=message_id)
    )
    put(folder, str(number), content)
    return content


def put(folder: Path, number: str, content: bytes) -> None:
    """Put a mail into the outbox."""
    envelope = Envelope(
        id=DeliveryId(int(number)),
        sender="digest@papers.example",
        recipient="ada@example.org",
        message_id=f"<{number}@papers.example>",
        content=content,
    )
    list(OutboxMailer(folder / "outbox").send([envelope], before_dot=Marks()))


def mail_address(number: str) -> str:
    """Where a mail stands."""
    return f"/outbox/{number}%40papers.example"


MAIL = mail_address("1")


def test_an_empty_outbox_says_so_and_looks_again_without_scripts(demo: TestClient) -> None:
    page = demo.get("/outbox").text
    assert "No emails yet" in page
    assert '<meta http-equiv="refresh"' in page


@pytest.mark.accept("F22", part="page")
def test_a_mail_is_listed_with_its_reader_its_kind_and_its_subject(
    demo: TestClient, tmp_path: Path
) -> None:
    keep(tmp_path, title="A study of kites")
    page = demo.get("/outbox").text
    assert "A study of kites" in page
    assert "Digest · to " in page
    assert f'href="{MAIL}"' in page
    assert "http-equiv" not in page


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Digest", "Confirm your subscription", "Alert for the operator")),
        ("de", ("Digest", "Abonnement bestätigen", "Warnung an den Betreiber")),
    ],
)
def test_what_kind_a_mail_is_stands_in_words_of_the_reader(
    demo: TestClient, tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    keep(tmp_path)
    put(tmp_path, "2", MailRenderer(mails.sender_identity()).compose_notice(mails.notice()))
    alert = mails.notice(mails.notice_view(SystemMailKind.ALERT))
    put(tmp_path, "3", MailRenderer(mails.sender_identity()).compose_notice(alert))
    for address, said in zip((MAIL, *map(mail_address, "23")), words, strict=True):
        page = demo.get("/outbox", params={"lang": language}).text
        assert f">{said} · " in page
        assert f">{said} · " in demo.get(address, params={"lang": language}).text


def test_a_mail_that_does_not_say_what_it_is_is_a_mail(demo: TestClient, tmp_path: Path) -> None:
    put(tmp_path, "4", b"Subject: Hello\r\nFeedback-ID: <script>:x\r\n\r\nHi.\r\n")
    assert ">Email · " in demo.get("/outbox").text


def test_the_newest_mail_comes_first(demo: TestClient, tmp_path: Path) -> None:
    for age, number in enumerate((3, 1, 2)):
        keep(tmp_path, number)
        os.utime(tmp_path / "outbox" / f"{number}@papers.example.eml", (9000 - age, 9000 - age))
    page = demo.get("/outbox").text
    places = [page.index(f"/outbox/{number}%40") for number in (3, 1, 2)]
    assert places == sorted(places)


@pytest.mark.accept("F22", part="page")
def test_links_in_the_text_part_can_be_followed(demo: TestClient, tmp_path: Path) -> None:
    keep(tmp_path)
    page = demo.get(MAIL, params={"show": "text"}).text
    leave = mails.view().links.unsubscribe
    assert f'<a href="{leave}" rel="noopener" target="_blank">' in page


@pytest.mark.accept("F22", part="page")
def test_links_in_the_html_part_open_beside_the_outbox(demo: TestClient, tmp_path: Path) -> None:
    keep(tmp_path)
    page = demo.get(MAIL).text
    assert f'<iframe class="mail" src="{MAIL}/html"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    framed = demo.get(f"{MAIL}/html").text
    assert '<head><base target="_blank">' in framed
    assert mails.view().links.unsubscribe in framed


@pytest.mark.accept("F21", part="eml download")
def test_the_download_is_the_bytes_that_were_sent(demo: TestClient, tmp_path: Path) -> None:
    content = keep(tmp_path)
    answer = demo.get(f"{MAIL}/eml")
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"].startswith("message/rfc822")


def test_source_and_headers_are_shown(demo: TestClient, tmp_path: Path) -> None:
    keep(tmp_path)
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in _shown(demo, "source")
    assert "<dt>List-Unsubscribe-Post</dt>" in _shown(demo, "headers")


def _shown(client: TestClient, how: str) -> str:
    return client.get(MAIL, params={"show": how}).text


@pytest.mark.accept("W7", part="outbox")
@pytest.mark.parametrize("how", ["html", "text", "source", "headers"])
def test_what_a_source_wrote_is_never_markup_of_the_page(
    demo: TestClient, tmp_path: Path, how: str
) -> None:
    keep(tmp_path, title=f"A title with {SCRIPT}", gist=SCRIPT, reason=SCRIPT)
    assert SCRIPT not in _shown(demo, how)
    assert SCRIPT not in demo.get("/outbox").text


@pytest.mark.accept("W5", part="outbox")
def test_a_framed_mail_may_do_nothing_but_open_links(demo: TestClient, tmp_path: Path) -> None:
    keep(tmp_path)
    policy = demo.get(f"{MAIL}/html").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "script" not in policy


@pytest.mark.parametrize(
    "name", ["..%2Fsecret_key", "%2e%2e", "..%2F..%2Fetc%2Fpasswd", "nothing", ".1@x.9.1"]
)
def test_only_what_stands_in_the_folder_can_be_named(
    demo: TestClient, tmp_path: Path, name: str
) -> None:
    keep(tmp_path)
    (tmp_path / "outside.eml").write_text("Subject: not yours\n\n")
    (tmp_path / "outbox" / ".1@x.9.1.eml").write_text("Subject: half written\n\n")
    assert demo.get(f"/outbox/{name}/eml").status_code == 404


def test_a_mail_that_is_no_mail_does_not_break_the_page(demo: TestClient, tmp_path: Path) -> None:
    keep(tmp_path)
    (tmp_path / "outbox" / "odd.eml").write_bytes(b"\xff\xfe no header at all \x00")
    assert demo.get("/outbox").status_code == 200
    assert "no HTML part" in demo.get("/outbox/odd").text


def test_with_a_relay_the_page_says_where_mail_goes_and_no_password(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, public_url=HERE, smtp_url="smtp://ada:s3cret@127.0.0.1:2525"
    )
    with visiting(settings) as (client, _):
        page = client.get("/outbox").text
        assert "127.0.0.1:2525" in page
        assert "s3cret" not in page
        assert client.get(MAIL).status_code == 404


# --- who may look ------------------------------------------------------------------------------


def ask(settings: Settings, authorization: str | None, *, demo: bool = False) -> httpx.Response:
    """What a visitor from elsewhere gets."""
    with visiting(settings, demo=demo, at="203.0.113.9") as (client, _):
        headers = {} if authorization is None else {"Authorization": authorization}
        return client.get("/outbox", headers=headers)


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("shown", [None, "Bearer wrong", "Basic ###", "Basic YTpi", "Digest x"])
def test_from_elsewhere_nobody_reads_mail_without_a_key(
    settings: Settings, shown: str | None, demo: bool
) -> None:
    answer = ask(settings, shown, demo=demo)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_an_installation_needs_the_key_on_its_own_machine_too(settings: Settings) -> None:
    with visiting(settings, demo=False) as (client, _):
        assert client.get("/outbox").status_code == 401
        assert client.get(MAIL).status_code == 401
        assert client.get(f"{MAIL}/eml").status_code == 401


@pytest.mark.parametrize(("scope", "status"), [(Scope.OUTBOX_READ, 200), (Scope.FEEDS_WRITE, 403)])
def test_a_key_opens_the_outbox_only_with_its_scope(
    settings: Settings, scope: Scope, status: int
) -> None:
    with visiting(settings, demo=False) as (client, home):
        key = key_for(home, scope)
        as_password = b64encode(f"anybody:{key}".encode()).decode()
        for shown in (f"Bearer {key}", f"Basic {as_password}"):
            answer = client.get("/outbox", headers={"Authorization": shown})
            assert answer.status_code == status


def test_pages_of_an_installation_do_not(settings: Settings) -> None:
    with visiting(settings, demo=False) as (client, _):
        assert "invented" not in client.get("/").text
