"""A reader saves papers: their page, notes, collections, files and feed, behind a recent link."""

import re
from email.utils import format_datetime
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from paperround.db.schema.tables import feedback
from paperround.self_service.saved import LONGEST_NOTE, MOST_COLLECTIONS
from tests.web.conftest import Site, sql
from tests.web.saving import Papers, papers, save, saved, titles, write

__all__ = ["papers"]


def ratings(site: Site) -> list[dict[str, Any]]:
    """All ratings, the first one first, without their ids."""
    columns = [one for one in feedback.c if one.name != "id"]
    with sql(site.runtime).connect() as connection:
        rows = connection.execute(select(*columns).order_by(feedback.c.created_at))
        return [dict(row) for row in rows.mappings()]


def feed_path(page: str) -> str:
    found = re.search(r'href="(/feeds/me/[\w-]{40}/saved[^"]*)\.atom"', page)
    assert found
    return found[1]


def invalid_fields(page: str) -> list[str]:
    """The names of the fields that are marked."""
    marked = re.findall(r'<(?:input|textarea)[^>]* aria-invalid="true"[^>]*>', page)
    return [one.partition(' name="')[2].partition('"')[0] for one in marked]


@pytest.mark.accept("F54", part="page")
def test_saved_papers_are_on_a_page_the_last_one_first(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    assert titles(saved(site, choices_token)) == []
    save(site, digest_token, 1, 3)
    first, third = papers[0].title, papers[2].title
    assert titles(saved(site, choices_token)) == [third, first]
    assert (
        f"/preferences/{choices_token}/saved"
        in site.client.get(f"/preferences/{choices_token}").text
    )


@pytest.mark.accept("F54", part="page")
def test_a_removed_paper_comes_back_with_its_note_by_one_button(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    write(site, choices_token, papers, 1, note="Two\nlines", collections="Thesis")
    path = f"/preferences/{choices_token}/saved"
    paper = str(papers[0].paper_id)
    page = site.client.post(path, data={"action": "remove", "paper": paper}).text
    assert titles(page) == []
    undo = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.partition("Undo")[0])
    )
    page = site.client.post(path, data=undo).text
    assert titles(page) == [papers[0].title]
    assert "Two\nlines" in page
    assert "?collection=Thesis" in page


@pytest.mark.accept("F54", part="page")
def test_remove_pressed_twice_is_undone_with_the_note_too(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    written = {"note": "Mine", "collections": "Thesis, Group"}
    write(site, choices_token, papers, 1, **written)
    path = f"/preferences/{choices_token}/saved"
    data = {"action": "remove", "paper": str(papers[0].paper_id), **written}
    site.client.post(path, data=data)
    page = site.client.post(path, data=data).text
    undo = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.partition("Undo")[0])
    page = site.client.post(path, data=dict(undo)).text
    assert ">Mine</p>" in page
    assert "?collection=Group" in page


@pytest.mark.accept("F54", part="page")
@pytest.mark.parametrize("page", ["saved", "feedback"])
def test_undo_leaves_a_rating_as_if_it_had_never_been_removed(
    site: Site, digest_token: str, choices_token: str, papers: Papers, page: str
) -> None:
    save(site, digest_token, 1, 2)
    write(site, choices_token, papers, 1, note="Mine", collections="Thesis")
    before = ratings(site)
    path = f"/preferences/{choices_token}/{page}"
    data = {"action": "remove", "verdict": "save", "paper": str(papers[0].paper_id)}
    site.clock.move(hours=1)
    removed = site.client.post(path, data=data).text.partition("Undo")[0]
    site.clock.move(hours=1)
    undo = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', removed))
    site.client.post(path, data=undo)
    assert ratings(site) == before
    site.client.post(path, data=data)
    site.client.post(path, data={**undo, "delivery": "999", "at": "9999-12-31T23:59:59+00:00"})
    (first, _), (_, second) = before, ratings(site)
    assert second == {**first, "delivery_id": None, "created_at": site.clock.now()}
    for at in ("never", "9999-12-31T23:59:59-12:00", "0001-01-01"):
        assert site.client.post(path, data={**undo, "at": at}).status_code == 200


@pytest.mark.accept("F54", part="page")
def test_undo_stays_in_the_collection_that_the_page_showed(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1, 2)
    write(site, choices_token, papers, 1, collections="Thesis")
    path = f"/preferences/{choices_token}/saved"
    data = {"action": "remove", "paper": str(papers[0].paper_id), "collection": "Thesis"}
    page = site.client.post(path, data=data).text
    undo = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.partition("Undo")[0])
    assert titles(site.client.post(path, data=dict(undo)).text) == [papers[0].title]


@pytest.mark.accept("F54", part="notes")
def test_a_note_on_a_paper_that_was_removed_elsewhere_saves_it_again(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    data = {"action": "remove", "paper": str(papers[0].paper_id)}
    site.client.post(f"/preferences/{choices_token}/saved", data=data)
    page = write(site, choices_token, papers, 1, note="Typed in another window")
    assert "Saved." in page
    assert ">Typed in another window</p>" in page


@pytest.mark.accept("F54", part="collections")
def test_a_paper_is_added_to_the_collection_that_the_page_shows(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    write(site, choices_token, papers, 1, collections="Thesis")
    path = f"/preferences/{choices_token}/saved"
    data = {"action": "add", "named": papers[5].title, "collection": "Thesis"}
    page = unescape(site.client.post(path, data=data).text)
    assert titles(page) == [papers[5].title, papers[0].title]
    page = unescape(site.client.post(path, data={**data, "collection": "Gone"}).text)
    assert "?collection=Gone" not in page


@pytest.mark.accept("F54", part="page")
@pytest.mark.parametrize("named", ["id", "address", "title"])
def test_a_paper_is_added_by_what_a_reader_has_at_hand(
    site: Site, choices_token: str, papers: Papers, named: str
) -> None:
    paper = papers[5]
    words = {
        "id": ":".join(next(iter(paper.identifiers.items()))),
        "address": f"https://papers.example/papers/{paper.name}",
        "title": paper.title.upper(),
    }
    data = {"action": "add", "named": words[named]}
    answer = site.client.post(f"/preferences/{choices_token}/saved", data=data)
    assert titles(unescape(answer.text)) == [paper.title]


@pytest.mark.accept("F54", part="page")
def test_a_paper_that_is_not_here_is_said_and_stays_typed(site: Site, choices_token: str) -> None:
    data = {"action": "add", "named": "An unheard of title"}
    answer = site.client.post(f"/preferences/{choices_token}/saved", data=data)
    assert answer.status_code == 422
    assert "This paper is not in our database" in answer.text
    assert 'value="An unheard of title"' in answer.text
    assert '<a href="#named">Add a paper</a>' in answer.text
    assert invalid_fields(answer.text) == ["named"]


@pytest.mark.accept("F54", part="notes")
def test_a_note_is_kept_line_by_line(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    page = write(
        site, choices_token, papers, 1, note="  Read <b>section 3</b>\r\nby Thursday 👩‍🔬 "
    )
    assert "Read <b>section 3</b>\nby Thursday 👩‍🔬</p>" in page
    assert "<b>section" not in site.client.get(f"/preferences/{choices_token}/saved").text


@pytest.mark.accept("F54", part="notes")
def test_a_note_that_is_too_long_is_refused_and_stays_typed(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    write(site, choices_token, papers, 1, note="n" * LONGEST_NOTE)
    before = site.dump()
    page = write(site, choices_token, papers, 1, note="m" * (LONGEST_NOTE + 1))
    assert "a note can have at most 2,000 characters" in page
    assert "m" * (LONGEST_NOTE + 1) in page
    assert invalid_fields(page) == ["note"]
    assert site.dump() == before


@pytest.mark.accept("F54", part="collections")
def test_papers_are_collected_by_name_whatever_its_case(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1, 2, 3)
    write(site, choices_token, papers, 1, collections="Thesis,  Reading   group, thesis")
    page = write(site, choices_token, papers, 2, collections="THESIS")
    assert re.findall(r'dir="auto">([^<]+) <span class="dim">(\d+)</span></a>', page) == [
        ("Reading group", "1"),
        ("Thesis", "2"),
    ]
    of_thesis = saved(site, choices_token, collection="Thesis")
    assert titles(of_thesis) == [papers[1].title, papers[0].title]
    assert titles(saved(site, choices_token, collection="Nothing")) == []


@pytest.mark.accept("F54", part="collections")
def test_a_collection_is_renamed_or_ends_and_its_papers_stay(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1, 2)
    write(site, choices_token, papers, 1, collections="Thesis, Group", note="Mine")
    write(site, choices_token, papers, 2, collections="Thesis")
    path = f"/preferences/{choices_token}/saved"
    data = {"action": "rename", "collection": "Thesis", "name": " Chapter, 2 "}
    page = site.client.post(path, data=data).text
    assert len(titles(page)) == 2
    assert 'value="Chapter 2"' in page
    data = {"action": "rename", "collection": "Chapter 2", "name": "x" * 1000}
    assert invalid_fields(site.client.post(path, data=data).text) == ["name"]
    data = {"action": "rename", "collection": "Chapter 2", "name": ""}
    page = site.client.post(path, data=data).text
    assert len(titles(page)) == 2
    assert "Chapter" not in page
    assert "?collection=Group" in page
    assert ">Mine</p>" in page


@pytest.mark.accept("F54", part="collections")
def test_two_hundred_collections_are_enough(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1, 2)
    names = ",".join(f"c{number}" for number in range(MOST_COLLECTIONS))
    assert "?collection=c199" in write(site, choices_token, papers, 1, collections=names)
    page = write(site, choices_token, papers, 2, collections="one more")
    assert "at most 200 collections" in page
    assert 'value="one more"' in page
    assert invalid_fields(page) == ["collections"]
    assert "?collection=c7" in write(site, choices_token, papers, 2, collections="c7")


@pytest.mark.accept("F54", part="BibTeX")
@pytest.mark.parametrize(("ending", "mark"), [("bib", "annote = {"), ("ris", "N1  - ")])
def test_saved_papers_are_a_file_with_their_notes(
    site: Site, digest_token: str, choices_token: str, papers: Papers, ending: str, mark: str
) -> None:
    save(site, digest_token, 1, 2)
    write(site, choices_token, papers, 1, note="Read section 3", collections="Thesis")
    path = f"/preferences/{choices_token}/saved.{ending}"
    answer = site.client.get(path)
    assert answer.headers["content-disposition"] == f'attachment; filename="saved-papers.{ending}"'
    assert answer.headers["cache-control"] == "no-store"
    entries = {"bib": r"(?m)^@misc\{", "ris": r"(?m)^TY  - "}[ending]
    assert len(re.findall(entries, answer.text)) == 2
    assert f"{mark}Read section 3" in answer.text
    of_thesis = site.client.get(path, params={"collection": "Thesis"})
    assert len(re.findall(entries, of_thesis.text)) == 1


@pytest.mark.accept("F54", part="feed")
@pytest.mark.parametrize("ending", ["atom", "rss", "json"])
def test_saved_papers_are_a_feed_without_their_notes(
    site: Site, digest_token: str, choices_token: str, papers: Papers, ending: str
) -> None:
    save(site, digest_token, 1, 2)
    page = write(site, choices_token, papers, 1, note="Mine alone", collections="Thesis/1")
    answer = site.client.get(f"{feed_path(page)}.{ending}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, max-age=300"
    found = unescape(answer.text)
    assert all(one.title in found for one in papers[:2])
    assert "Mine alone" not in found
    of_one = feed_path(saved(site, choices_token, collection="Thesis/1"))
    found = unescape(site.client.get(f"{of_one}.{ending}").text)
    assert papers[0].title in found
    assert papers[1].title not in found


@pytest.mark.accept("F54", part="feed")
def test_the_feed_dates_a_paper_by_when_it_was_saved(
    site: Site, digest_token: str, choices_token: str
) -> None:
    site.clock.move(hours=2)
    saved_at = site.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    save(site, digest_token, 1)
    feed = site.client.get(f"{feed_path(saved(site, choices_token))}.atom").text
    assert re.findall(r"<(?:published|updated)>([^<]*)<", feed) == [saved_at] * 3


@pytest.mark.accept("F54", part="feed")
def test_a_feed_of_a_collection_that_ended_is_an_error_and_not_empty(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    write(site, choices_token, papers, 1, collections="Thesis")
    feed = feed_path(saved(site, choices_token, collection="Thesis"))
    assert site.client.get(f"{feed}.atom").status_code == 200
    write(site, choices_token, papers, 1, collections="Chapter 2")
    assert site.client.get(f"{feed}.atom").status_code == 404


@pytest.mark.accept("F54", part="feed")
def test_a_feed_reader_that_asks_by_date_hears_of_a_paper_collected_later(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1, 2)
    write(site, choices_token, papers, 2, collections="Thesis")
    feed = feed_path(saved(site, choices_token, collection="Thesis"))
    before = site.client.get(f"{feed}.atom")
    since = before.headers.get("last-modified", format_datetime(site.clock.now(), usegmt=True))
    write(site, choices_token, papers, 1, collections="Thesis")
    after = site.client.get(f"{feed}.atom", headers={"if-modified-since": since})
    assert after.status_code == 200
    assert papers[0].title in unescape(after.text)


@pytest.mark.accept("F54", part="feed")
def test_a_new_address_ends_the_feed_of_saved_papers_too(
    site: Site, digest_token: str, choices_token: str
) -> None:
    save(site, digest_token, 1)
    old = feed_path(saved(site, choices_token))
    site.client.post(f"/preferences/{choices_token}", data={"action": "new-feed"})
    assert site.client.get(f"{old}.atom").status_code == 404
    assert site.client.get(f"{feed_path(saved(site, choices_token))}.atom").status_code == 200


@pytest.mark.accept("S14", part="saved papers")
def test_the_link_of_a_digest_saves_and_neither_lists_nor_exports(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    write(site, choices_token, papers, 1, note="Mine alone")
    before = site.dump()
    for page in ("saved", "saved.bib", "saved.ris", "feedback"):
        path = f"/preferences/{digest_token}/{page}"
        answer = site.client.get(path)
        assert "Email me a new link" in answer.text
        assert "Mine alone" not in answer.text
        data = {"action": "remove", "paper": str(papers[0].paper_id), "verdict": "save"}
        site.client.post(path, data=data)
    assert site.dump() == before


@pytest.mark.accept("S14", part="saved papers")
def test_the_link_of_a_digest_takes_no_note_away(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1, 2)
    write(site, choices_token, papers, 1, note="Mine alone")
    for place in (1, 2):
        path = f"/feedback/{digest_token}/save/p{place}"
        site.client.post(path, data={"undo": "save"})
        data = {"undo": "save", "paper": str(papers[place - 1].paper_id)}
        site.client.post(f"/feedback/{digest_token}", data=data)
    assert titles(saved(site, choices_token)) == [papers[0].title]


@pytest.mark.accept("F30", part="export")
def test_notes_and_collections_are_in_what_a_reader_takes_away_and_are_erased(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    write(site, choices_token, papers, 1, note="Mine alone", collections="Thesis")
    path = f"/preferences/{choices_token}"
    [row] = site.client.post(path, data={"action": "export"}).json()["feedback"]
    assert (row["note"], row["collections"]) == ("Mine alone", ["Thesis"])
    site.client.post(path, data={"action": "erase-now"})
    assert site.dump()["feedback"] == []
