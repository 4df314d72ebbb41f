"""The page of an edition that was cancelled after some of its mails had gone out."""

import pytest

from paperround.delivery.store.ledger import Ledger
from paperround.digests.cancel import cancel, undo
from paperround.editions.model import Edition
from tests.builders import HOUR, NOW, TOKEN, lease
from tests.web.conftest import Site

WITHDRAWN = "This edition was withdrawn."


@pytest.mark.accept("F34", part="cancel")
def test_the_page_says_that_the_edition_was_withdrawn_and_why(
    site: Site, edition: Edition, digest_token: str
) -> None:
    del digest_token  # one digest of it is planned
    database = site.runtime.database
    address = f"/editions/trending/{edition.day}/{edition.cut}"
    with database.writing() as work:
        [row] = work[Ledger].claim(lease(), limit=9, now=NOW)
        work[Ledger].mark_in_data([row.id], TOKEN, until=NOW + HOUR, now=NOW)
    before = site.client.get(address).text
    assert WITHDRAWN not in before
    assert 'class="Z3988"' in before
    cancel(
        database, "trending", day=edition.day, cut=None, now=NOW, reason="Titles were <b>mixed</b>."
    )
    page = site.client.get(address)
    assert page.status_code == 200
    assert WITHDRAWN in page.text
    assert "Titles were &lt;b&gt;mixed&lt;/b&gt;." in page.text
    assert '<meta name="robots" content="noindex">' in page.text
    assert edition.papers[0].title in page.text
    assert 'class="Z3988"' not in page.text, "nobody cites what was withdrawn"
    assert site.client.get(f"/api/v1{address}").status_code == 404
    undo(database, "trending", day=edition.day, cut=None, now=NOW)
    assert WITHDRAWN not in site.client.get(address).text
