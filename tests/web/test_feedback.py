"""One click in an email leads to a page that says what would change; its button changes it."""

import re
from datetime import timedelta
from html import unescape

import pytest

from paperround.digests.sending import deliver
from paperround.ops.retention import compact_digests
from paperround.ops.stats import count_editions
from tests.web.conftest import Site
from tests.web.saving import Papers, papers, save

__all__ = ["papers"]

VERDICTS = ("more", "less", "save")


def ask(site: Site, token: str, asked: str, place: str = "p1", **data: str) -> str:
    """The page behind a link of the email, or what its button answers to `data`."""
    path = f"/feedback/{token}/{asked}/{place}"
    answer = site.client.post(path, data=data) if data else site.client.get(path)
    assert answer.status_code == 200
    return unescape(re.sub(r"<[^>]+>", "", answer.text))


@pytest.mark.accept("F54", part="one click")
def test_the_page_says_what_will_change_and_its_button_what_did(
    site: Site, digest_token: str, papers: Papers
) -> None:
    title = papers[0].title
    will = {
        "more": "will rank higher",
        "less": "will rank lower",
        "save": "will be added to your saved papers",
    }
    did = {
        "more": f"You asked for more like “{title}”",
        "less": f"You asked for less like “{title}”",
        "save": f"You saved “{title}”",
    }
    for verdict in VERDICTS:
        before = site.dump()
        assert will[verdict] in ask(site, digest_token, verdict)
        assert site.dump() == before
        assert did[verdict] in ask(site, digest_token, verdict, verdict=verdict)
        assert will[verdict] in ask(site, digest_token, verdict)
        undone = ask(site, digest_token, verdict, undo=verdict)
        assert "Undone" in undone
        assert will[verdict] not in undone


@pytest.mark.accept("S14", part="feedback")
def test_what_a_digest_does_not_hold_is_not_rated(site: Site, digest_token: str) -> None:
    before = site.dump()
    for place in ("p13", "p0", "r1", "x1", "p1x", "p9999"):
        page = ask(site, digest_token, "more", place, verdict="more")
        assert "Tell us what you want more of." in page
    assert "does not work" in ask(site, "A" * 40, "more", verdict="more")
    assert site.dump() == before


def test_a_digest_whose_row_is_deleted_says_that_it_is_too_old(
    site: Site, digest_token: str
) -> None:
    deliver(site.runtime.post())
    now = site.clock.now() + timedelta(days=100)
    count_editions(site.runtime.database, now=now)
    keys = site.runtime.identity.keys
    assert compact_digests(site.runtime.database, keys, keep=timedelta(days=90), now=now)
    page = ask(site, digest_token, "more", verdict="more")
    assert "This email is too old" in page
    assert "more of" not in page
    assert "The next papers" not in page


@pytest.mark.accept("S20", part="rated")
def test_the_link_of_a_digest_does_not_tell_what_its_reader_said(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    path, paper = f"/feedback/{digest_token}", str(papers[0].paper_id)
    undo = {"paper": paper, "undo": "save"}

    def told() -> list[str]:
        asked = [site.client.get(f"{path}{one}") for one in ("", *(f"/{v}/p1" for v in VERDICTS))]
        undone = [site.client.post(path, data=undo), site.client.post(f"{path}/save/p1", data=undo)]
        return [answer.text for answer in (*asked, *undone)]

    before = told()
    for verdict in VERDICTS:
        save(site, digest_token, 1, verdict=verdict)
        note = {"action": "keep", "paper": paper, "note": "Mine"}
        site.client.post(f"/preferences/{choices_token}/saved", data=note)
        assert told() == before


@pytest.mark.accept("F54", part="one click")
def test_a_rating_is_taken_back_among_the_papers_of_its_digest(
    site: Site, digest_token: str, papers: Papers
) -> None:
    path, paper = f"/feedback/{digest_token}", str(papers[0].paper_id)
    before = site.dump()
    page = site.client.post(path, data={"paper": paper, "verdict": "more"}).text
    assert 'name="undo" value="more" aria-pressed="true"' in page
    page = site.client.post(path, data={"paper": paper, "undo": "more"}).text
    assert 'aria-pressed="true"' not in page
    assert ">Undone.<" in page
    assert site.dump() == before


@pytest.mark.accept("F54", part="plain words")
def test_what_feedback_taught_is_said_in_plain_words_and_removed_line_by_line(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1, verdict="more")
    save(site, digest_token, 2, verdict="less")
    save(site, digest_token, 3, 4)
    save(site, digest_token, 4, verdict="less")
    titles = [one.title for one in papers]
    said = [f"less like “{titles[3]}”", f"You saved “{titles[2]}”", f"less like “{titles[1]}”",
            f"more like “{titles[0]}”"]  # fmt: skip
    for page in ("", "/feedback"):
        shown = site.client.get(f"/preferences/{choices_token}{page}").text
        words = unescape(re.sub(r"<[^>]+>", "", shown))
        assert re.findall(r"(?:You saved|(?:more|less) like) “.*?”(?=: papers)", words) == said
    path = f"/preferences/{choices_token}/feedback"
    before = site.dump()["feedback"]
    data = {"paper": str(papers[0].paper_id), "verdict": "more"}
    page = unescape(site.client.post(path, data=data).text)
    assert f"more like “{titles[0]}”" not in re.sub(r"<[^>]+>", "", page)
    assert len(site.dump()["feedback"]) == len(before) - 1
    site.client.post(path, data={"paper": data["paper"], "undo": "more"})
    assert len(site.dump()["feedback"]) == len(before)


@pytest.mark.accept("F54", part="plain words")
def test_remove_pressed_twice_can_be_undone(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1, verdict="less")
    path = f"/preferences/{choices_token}/feedback"
    data = {"paper": str(papers[0].paper_id), "verdict": "less"}
    site.client.post(path, data=data)
    assert 'name="undo" value="less"' in site.client.post(path, data=data).text
    assert "Undo" not in site.client.post(path, data={**data, "verdict": "none"}).text


@pytest.mark.accept("F54", part="plain words")
def test_a_saved_paper_keeps_its_note_when_another_rating_of_it_is_undone(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    paper = str(papers[0].paper_id)
    data = {"action": "keep", "paper": paper, "note": "Mine"}
    site.client.post(f"/preferences/{choices_token}/saved", data=data)
    path = f"/preferences/{choices_token}/feedback"
    site.client.post(path, data={"paper": paper, "undo": "more"})
    assert ">Mine</p>" in site.client.get(f"/preferences/{choices_token}/saved").text


@pytest.mark.accept("F54", part="plain words")
def test_a_removed_save_comes_back_with_its_note(
    site: Site, digest_token: str, choices_token: str, papers: Papers
) -> None:
    save(site, digest_token, 1)
    paper = str(papers[0].paper_id)
    data = {"action": "keep", "paper": paper, "note": "Mine", "collections": "Thesis"}
    site.client.post(f"/preferences/{choices_token}/saved", data=data)
    before = site.client.get(f"/preferences/{choices_token}/saved").text
    path = f"/preferences/{choices_token}/feedback"
    page = site.client.post(path, data={"paper": paper, "verdict": "save"}).text
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    site.client.post(path, data=dict(fields))
    assert site.client.get(f"/preferences/{choices_token}/saved").text == before
