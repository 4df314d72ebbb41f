"""Judging papers: a page without a script, what it says, and what is kept."""

import re

import pytest

from paperround.editions.model import Edition
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import address
from tests.web.conftest import Site


def path(token: str) -> str:
    return f"/preferences/{token}/papers"


def numbers(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'name="p(\d+)"', page)))


def feedback(site: Site) -> dict[int, str]:
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address("alice"))
        assert person is not None
        return {int(paper): said for paper, said in work[SubscriberStore].feedback_of(person.id)}


@pytest.mark.accept("F31", part="5 good, 3 bad")
def test_papers_are_judged_the_answer_is_shown_and_then_kept(
    site: Site, choices_token: str, edition: Edition
) -> None:
    shown = numbers(site.client.get(path(choices_token)).text)
    assert len(shown) == 12
    said = {f"p{n}": "good" for n in shown[:5]} | {f"p{n}": "bad" for n in shown[5:8]}
    page = site.client.post(path(choices_token), data={"action": "suggest", **said}).text
    assert "5 papers rated good, 3 rated bad" in page
    assert feedback(site) == {}
    interests = re.findall(r'name="interest" value="([^"]+)"', page)
    kept = site.client.post(
        path(choices_token), data={"action": "keep", **said, "interest": interests[:1]}
    )
    assert "8 ratings" in kept.text
    assert sorted(feedback(site).values()) == ["less"] * 3 + ["more"] * 5
    assert not set(numbers(site.client.get(path(choices_token)).text)) & set(shown[:8])


def test_what_was_said_stays_while_other_papers_are_shown(
    site: Site, choices_token: str, edition: Edition
) -> None:
    first = numbers(site.client.get(path(choices_token)).text)
    said = {f"p{first[0]}": "good", "action": "more", "page": "2"}
    page = site.client.post(path(choices_token), data=said).text
    assert f'type="hidden" name="p{first[0]}" value="good"' in page
    assert set(numbers(page)) - {first[0]}


def test_without_a_good_paper_the_page_says_what_is_missing(
    site: Site, choices_token: str, edition: Edition
) -> None:
    answer = site.client.post(path(choices_token), data={"action": "suggest"})
    assert answer.status_code == 422
    assert "rate at least one paper as good" in answer.text


@pytest.mark.parametrize("interest", ["nonsense", 'mute:"', "topic:" + "x" * 200])
def test_an_interest_that_cannot_be_keeps_nothing(
    site: Site, choices_token: str, edition: Edition, interest: str
) -> None:
    said = {f"p{edition.papers[0].paper_id}": "good", "action": "keep", "interest": interest}
    assert site.client.post(path(choices_token), data=said).status_code == 422
    assert feedback(site) == {}


@pytest.mark.accept("S14", part="judging")
def test_the_link_of_a_digest_judges_nothing(
    site: Site, digest_token: str, edition: Edition
) -> None:
    before = site.dump()
    said = {f"p{edition.papers[0].paper_id}": "good"}
    for token in (digest_token, "forged"):
        assert "Email me a new link" in site.client.get(path(token)).text
        for action in ("suggest", "keep", "more"):
            answer = site.client.post(path(token), data={"action": action, **said})
            assert "Email me a new link" in answer.text
    assert site.dump() == before
