"""A mail is in the language its reader had when it was planned or asked for, and stays in it."""

from dataclasses import replace

import pytest

from paperround.db.transactions import Database
from paperround.delivery.ledger_model import Claimed
from paperround.delivery.system_mail import notice_mail
from paperround.delivery.system_mail_model import ClaimedNotice
from paperround.digests.compose import digest_mail, edition_content
from paperround.digests.render.composer import MailRenderer
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.ops.cleanup import clean_up
from paperround.self_service.preferences import leave, save_choices
from paperround.subscribers.model import Preferences
from tests.builders import NOW, address, seed_edition, seed_papers
from tests.fakes import SENDER_IDENTITY
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    HOURS,
    digest_link,
    digests,
    joined,
    post,
    request,
    request_link,
    signup_context,
    visitor,
)
from tests.self_service.readers import (
    subscribe as sign_up,
)

GERMAN = Preferences(language="de-AT")


def _edition(database: Database) -> None:
    with database.reading() as work:
        trending = work[ListStore].get("trending")
    seed_edition(database, trending, seed_papers(database, 2))


def _bytes(database: Database, row: Claimed) -> bytes:
    with database.reading() as work:
        edition = work[EditionStore].get(row.edition_id)
    sheet = edition_content(edition, "Trending papers", SENDER_IDENTITY)
    return MailRenderer(SENDER_IDENTITY).compose(digest_mail(sheet, row, IDENTITY.keys))


def _language(notice: ClaimedNotice) -> str:
    return notice_mail(notice, SENDER_IDENTITY, "Trending papers", IDENTITY.keys).view.language


@pytest.mark.postgres
@pytest.mark.accept("F26", part="kept")
@pytest.mark.accept("R13", part="languages")
def test_a_planned_digest_stays_in_the_language_it_was_planned_in(database: Database) -> None:
    _edition(database)
    here = signup_context(database)
    confirmed = joined(here, wish=GERMAN)
    (row,) = digests(database)
    before = _bytes(database, row)
    assert b"Content-Language: de\r\n" in before
    french = replace(confirmed.preferences, language="fr")
    save_choices(here, confirmed.preferences_token, french, now=NOW)
    (again,) = digests(database, now=NOW + HOURS)
    assert (row.language, again.language) == ("de", "de")
    assert _bytes(database, again) == before


@pytest.mark.accept("F26", part="kept")
def test_every_notice_to_a_reader_is_in_their_language(database: Database) -> None:
    _edition(database)
    here = signup_context(database)
    sign_up(here, request("slow", wish=GERMAN), now=NOW)
    (confirmation,) = post(database)
    clean_up(database=database, identity=IDENTITY, now=NOW + 25 * HOURS)
    (reminder,) = post(database, now=NOW + 25 * HOURS)
    joined(here, wish=GERMAN)
    request_link(here, address(), visitor(2), now=NOW)
    (choices,) = post(database)
    (row,) = digests(database)
    leave(here, digest_link(row), now=NOW)
    (undo,) = post(database)
    kinds = [one.kind.value for one in (confirmation, reminder, choices, undo)]
    assert kinds == ["confirm", "reminder", "preferences", "undo"]
    assert {_language(one) for one in (confirmation, reminder, choices, undo)} == {"de"}


def test_asking_again_in_another_language_gets_a_mail_in_it(database: Database) -> None:
    here = signup_context(database)
    sign_up(here, request(wish=GERMAN), now=NOW)
    sign_up(here, request(wish=Preferences(language="es")), now=NOW)
    assert [_language(one) for one in post(database)] == ["de", "es"]
