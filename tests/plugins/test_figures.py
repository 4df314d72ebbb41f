"""Figures of papers: fetched once where they are on, checked, shown from here, and forgotten."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from paperround.config import Settings
from paperround.digests.render.composer import MailRenderer
from paperround.feeds.enrich import enrich
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.enrichment import FIGURES, feed_name
from paperround.papers.figures import KEPT
from paperround.papers.model import Paper, PaperId, Show
from paperround.papers.store.papers import PaperStore
from paperround.plugins.figures.png import LARGEST_FILE, NotAPicture, reencoded
from tests.builders import NOW, paper, write
from tests.digests.messages import mail, sender_identity, view
from tests.digests.messages import paper as digest_paper
from tests.fakes import FakeClient
from tests.web.conftest import Site, running, settings, site, sqlite_template
from tests.web.papers import keep

__all__ = ["settings", "site", "sqlite_template"]

THUMBNAIL = "https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/2603.00001.png"
UPLOAD = "https://cdn-uploads.huggingface.co/production/uploads/7/x.png"
DAY = timedelta(days=1)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int = 3,
    height: int = 2,
    *,
    colours: tuple[int, int] = (8, 2),
    interlaced: int = 0,
    rows: bytes | None = None,
    extra: bytes = b"",
) -> bytes:
    """A picture of grey pixels, with chunks of anything else before them."""
    header = struct.pack(">IIBBBBB", width, height, *colours, 0, 0, interlaced)
    pixels = (b"\0" + b"\x77" * 3 * width) * height if rows is None else rows
    body = extra + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


SECRET = chunk(b"tEXt", b"Comment\0<script>somebody's own words</script>")
PICTURE = png(extra=SECRET)


@pytest.fixture
def showing(settings: Settings) -> Iterator[Site]:
    """A site whose operator has turned figures on."""
    with running(settings.model_copy(update={"figures": True})) as one:
        yield one


def with_picture(**links: str) -> Paper:
    return paper(1, links=links or {"thumbnail": THUMBNAIL})


def fetch(site: Site, **pages: bytes) -> FakeClient:
    """Let the site enrich papers with figures; the answers are by the host's first word."""
    known = {"thumbnails": THUMBNAIL, "uploads": UPLOAD}
    client = FakeClient(now=NOW, pages={known[name]: body for name, body in pages.items()})
    context = replace(site.runtime.feed_context, client=client)
    enrich(context, [one for one in site.runtime.enrichers if one.name == FIGURES], now=NOW)
    return client


def page_of(site: Site, number: PaperId) -> str:
    return site.client.get(f"/papers/{number}").text


@pytest.mark.accept("F53", part="off by default", mutant="figures-are-on-by-themselves")
def test_without_the_setting_nothing_is_fetched_or_shown(site: Site) -> None:
    [id_] = keep(site, with_picture())
    assert fetch(site, thumbnails=PICTURE).asked == []
    assert 'class="figure"' not in page_of(site, id_)
    assert site.client.get(f"/figures/{id_}/3x2.png").status_code == 404


@pytest.mark.accept("F53", part="shown", mutant="a-figure-is-fetched-by-every-visitor")
def test_a_figure_is_shown_from_here_with_its_size_and_without_what_it_carried(
    showing: Site,
) -> None:
    [id_] = keep(showing, with_picture())
    assert fetch(showing, thumbnails=PICTURE).asked == [THUMBNAIL]
    page = page_of(showing, id_)
    assert f'<img src="/figures/{id_}/3x2.png" width="3" height="2" alt="' in page
    assert page.index('class="abstract"') < page.index('class="figure"'), "words come first"
    assert "huggingface.co" not in page.partition("<article")[2].partition("</article>")[0]
    shown = showing.client.get(f"/figures/{id_}/3x2.png")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert b"script" not in shown.content
    assert reencoded(shown.content) == (3, 2, shown.content)
    assert showing.client.get(f"/figures/{id_}/9x9.png").status_code == 404
    assert fetch(showing, thumbnails=PICTURE).asked == [], "once is enough"


def test_what_its_people_uploaded_comes_before_what_was_made_for_links(showing: Site) -> None:
    keep(showing, with_picture(thumbnail=THUMBNAIL, media=UPLOAD))
    assert fetch(showing, uploads=PICTURE).asked == [UPLOAD]


@pytest.mark.accept("F53", part="checked", mutant="a-figure-comes-from-anywhere")
@pytest.mark.parametrize(
    "changed",
    [
        {"links": {"thumbnail": "https://arxiv.org/html/2603.00001/x1.png"}},
        {"links": {"thumbnail": "http://cdn-thumbnails.huggingface.co/a.png"}},
        {"links": {"thumbnail": "https://cdn-thumbnails.huggingface.co@evil.example/a.png"}},
        {"links": {"media": "https://cdn-uploads.huggingface.co/a.mp4"}},
        {"show": Show.GIST},
        {"show": Show.LINK},
    ],
)
def test_only_pictures_whose_terms_allow_it_are_fetched(
    showing: Site, changed: dict[str, object]
) -> None:
    keep(showing, replace(with_picture(), **changed))  # type: ignore[arg-type]
    assert fetch(showing).asked == []


BAD = {
    "no PNG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "JPEG": b"\xff\xd8\xff\xe0" + b"\0" * 100,
    "no end": PICTURE[:-12],
    "damaged": PICTURE.replace(b"somebody", b"somebodx"),
    "no header": b"\x89PNG\r\n\x1a\n" + SECRET + chunk(b"IEND", b""),
    "too few pixels": png(rows=b"\0" * 10),
    "too many pixels": png(rows=b"\0" * 10_000),
    "a filter that is none": png(rows=b"\7" * 20),
    "no pixels": png(0, 2),
    "too wide": png(5000, 1, rows=b"\0"),
    "a bomb": png(4096, 4096, colours=(16, 6), rows=b"\0"),
    "interlaced": png(interlaced=1),
    "an unknown colour": png(colours=(8, 5)),
    "no palette": png(colours=(8, 3), rows=b"\0" * 8),
    "too large": PICTURE + b"\0" * LARGEST_FILE,
}


@pytest.mark.accept("F53", part="checked", mutant="a-figure-may-hide-bytes")
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_whole_picture_is_refused(name: str) -> None:
    with pytest.raises(NotAPicture):
        reencoded(BAD[name])


@pytest.mark.parametrize(
    ("colours", "row", "extra"),
    [((8, 0), 3, b""), ((1, 0), 1, b""), ((8, 6), 12, b""), ((8, 3), 3, chunk(b"PLTE", b"abc"))],
)
def test_pictures_in_grey_with_alpha_and_with_a_palette_stay_what_they_are(
    colours: tuple[int, int], row: int, extra: bytes
) -> None:
    rows = (b"\1" + b"\0" * row) * 2
    width, height, content = reencoded(png(colours=colours, rows=rows, extra=extra))
    assert (width, height) == (3, 2)
    assert content == png(colours=colours, rows=rows, extra=extra)


@pytest.mark.accept("F53", part="checked")
def test_a_refused_picture_is_a_reject_and_no_failure_of_the_service(showing: Site) -> None:
    [id_] = keep(showing, with_picture())
    fetch(showing, thumbnails=BAD["damaged"])
    assert 'class="figure"' not in page_of(showing, id_)
    with showing.runtime.database.reading() as work:
        feed = work[FeedStore].find(feed_name(FIGURES))
        assert feed is not None
        [reject] = work[FeedStore].rejects(feed.id, before=None, limit=5)
    assert (reject.reason, feed.failures) == ("no-picture", 0)


@pytest.mark.accept("F53", part="retention", mutant="a-withdrawn-paper-keeps-its-figure")
@pytest.mark.parametrize("change", [{"withdrawn": True}, {"show": Show.GIST}])
def test_a_paper_that_was_withdrawn_or_may_not_be_shown_any_more_has_no_figure(
    showing: Site, change: dict[str, Any]
) -> None:
    [id_] = keep(showing, with_picture())
    fetch(showing, thumbnails=PICTURE)
    with showing.runtime.database.writing() as work:
        stored = work[PaperStore].load([id_])[id_]
        work[PaperStore].save([write(replace(stored, **change))], now=NOW)
    assert 'class="figure"' not in page_of(showing, id_)
    assert showing.client.get(f"/figures/{id_}/3x2.png").status_code == 404


@pytest.mark.accept("F53", part="retention", mutant="figures-are-kept-for-ever")
def test_figures_are_deleted_after_a_year_or_when_they_are_turned_off(
    showing: Site, settings: Settings
) -> None:
    [id_] = keep(showing, with_picture())
    fetch(showing, thumbnails=PICTURE)
    folder = settings.data_dir / "figures"
    showing.clock.moment = NOW + KEPT - DAY
    showing.runtime.enrich()
    assert (folder / str(id_) / "3x2.png").is_file()
    showing.clock.moment = NOW + KEPT + DAY
    showing.runtime.enrich()
    assert [*folder.iterdir()] == []
    with running(settings) as off:
        off.runtime.enrich()
        assert not folder.exists()


@pytest.mark.accept("F53", part="never in mail", mutant="a-mail-shows-a-figure")
def test_no_email_has_a_figure_or_leads_to_one() -> None:
    links = {"abstract": "https://arxiv.org/abs/2603.00001", "thumbnail": THUMBNAIL}
    shown = view([digest_paper(1, links={**links, "media": UPLOAD})])
    made = MailRenderer(sender_identity()).render(mail(shown).view)
    for part in (made.html, made.text):
        assert "cdn-" not in part
        assert "/figures/" not in part
