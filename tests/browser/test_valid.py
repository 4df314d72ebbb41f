"""Every page before the Nu Html Checker, the one behind the W3C's validator."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.browser.tour import Tour
from tests.browser.validator import faults
from tests.story.visitor import Visitor

MAIL = "preview"
"""This one is the mail itself, with words for mail programs that no web page knows."""


def keep(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.html").write_text(text, encoding="utf-8")


@pytest.mark.accept("Q14", part="validator")
def test_a_validator_finds_nothing_in_any_page(tour: Tour, tmp_path: Path) -> None:
    visitor = Visitor(tour.site)
    pages = {name: path for name, path in tour.paths.items() if name != MAIL}
    for name, path in pages.items():
        keep(tmp_path, name, visitor.ask("GET", path).text)
    for name, text in answers(visitor, tour.paths):
        keep(tmp_path, name, text)
    assert len(list(tmp_path.iterdir())) == len(pages) + ANSWERS
    found = faults(tmp_path)
    assert not found, "\n".join(found)


ANSWERS = 20


def answers(visitor: Visitor, paths: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The pages that only a pressed button shows, the one that ends everything last."""
    odd = "<b>&amp;</b>"
    yield "refused sign-up", visitor.ask("POST", "/subscribe", "email=nobody").text
    wrong = urlencode({"list": "trending", "keyword": f'"{odd}'})
    yield "no email to show", visitor.ask("POST", "/subscribe/preview?framed=1", wrong).text
    whole = visitor.open("/subscribe")
    yield "asked", visitor.press(whole, "Subscribe", email="cy@example.org", topic=odd).text
    yield "link mailed", visitor.press(visitor.open(paths["offer"]), "Email me a new link").text
    yield "noted", visitor.press(visitor.open(paths["feedback"]), "More like this").text
    said = visitor.press(visitor.open(paths["more like this"]), "More like this")
    yield "said", said.text
    yield "taken back", visitor.press(said, "Undo").text
    visitor.ask("POST", paths["more like this"].replace("/more/", "/save/"))
    kept = visitor.open(paths["saved papers"])
    yield "annotated", visitor.press(kept, "Save", note=odd, collections=odd).text
    yield "removed", visitor.press(visitor.open(paths["saved papers"]), "Remove this paper").text
    yield "not added", visitor.ask("POST", paths["saved papers"], "action=add&named=nothing").text
    yield "taught", visitor.press(visitor.open(paths["choices"]), "Remove").text
    choices = visitor.open(paths["choices"])
    yield "saved", visitor.press(choices, "Save", keyword=odd).text
    yield "not saved", visitor.ask("POST", choices.path, "action=save&hour=99&size=0").text
    yield "new feed", visitor.press(choices, "Reset feed link").text
    yield "move", visitor.press(choices, "Change email", email="new@example.org").text
    library = visitor.open(paths["library"])
    told = visitor.press(library, "Preview import", text=f"{odd}\n2601.00001")
    yield "understood", told.text
    joined = visitor.press(visitor.open(paths["confirm"]), "Yes, send me the digest")
    assert "You are subscribed" in joined.text
    yield "confirmed", joined.text
    yield "left", visitor.press(visitor.open(paths["unsubscribe"]), "Unsubscribe").text
    sure = visitor.press(visitor.open(paths["choices"]), "Delete my data")
    yield "sure", sure.text
    yield "erased", visitor.press(sure, "Yes, delete everything").text
