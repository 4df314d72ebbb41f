"""Numbers, dates, spans and lists as CLDR has them, and what is said where a word is missing."""

from datetime import UTC, date, datetime, timedelta
from gettext import NullTranslations

import pytest

from paperround.core.i18n.locale import Locale, locale_for
from paperround.core.reasons import counted
from paperround.digests.model import DigestPaper
from paperround.editions.labels import localized_authors, localized_counts, localized_links
from paperround.papers.formatting import paper_links
from tests.digests.messages import paper

DAY = date(2026, 1, 30)
MOMENT = datetime(2026, 1, 30, 22, 5, tzinfo=UTC)


@pytest.mark.accept("F26", part="dates and numbers")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Friday 30 January 2026", "Fri 30 Jan", "12,345", "1 paper", "0 papers"]),
        ("de", ["Freitag, 30. Januar 2026", "Fr., 30. Jan.", "12.345", "1 Paper", "0 Papers"]),
        (
            "fr",
            ["vendredi 30 janvier 2026", "ven. 30 janv.", "12\u202f345", "1 article", "0 article"],
        ),
        (
            "es",
            ["viernes, 30 de enero de 2026", "vie, 30 ene", "12.345", "1 artículo", "0 artículos"],
        ),
        ("zh-Hans", ["2026年1月30日星期五", "1月30日周五", "12,345", "1 篇论文", "0 篇论文"]),
    ],
)
def test_dates_numbers_and_plurals_are_those_of_the_language(
    language: str, said: list[str]
) -> None:
    ours = locale_for(language)
    assert [
        ours.long_date(DAY),
        ours.short_date(DAY),
        ours.number(12345),
        ours.counted(1, "paper"),
        ours.counted(0, "paper"),
    ] == said


@pytest.mark.accept("F26", part="dates and numbers")
def test_an_instant_is_told_in_the_language_and_zone_of_its_reader() -> None:
    tags = ("en", "de", "fr", "es", "zh-CN")
    assert [locale_for(tag).instant(MOMENT, "Asia/Shanghai") for tag in tags] == [
        "Sat 31 Jan 06:05 (Asia/Shanghai)",
        "Sa., 31. Jan. um 06:05 (Asia/Shanghai)",
        "sam. 31 janv. à 06:05 (Asia/Shanghai)",
        "sáb, 31 ene a las 06:05 (Asia/Shanghai)",
        "1月31日周六 06:05（Asia/Shanghai）",
    ]


def test_a_span_is_told_in_days_from_the_third_on() -> None:
    spans = [timedelta(hours=1), timedelta(hours=48), timedelta(days=7)]
    assert [locale_for("en").span(one) for one in spans] == ["1 hour", "48 hours", "7 days"]
    assert [locale_for("de").span(one) for one in spans] == ["1 Stunde", "48 Stunden", "7 Tage"]


def test_millions_are_counted_in_the_form_they_have() -> None:
    assert locale_for("fr").counted(1_000_000, "vote") == "1\u202f000\u202f000 de votes"
    assert locale_for("es").counted(1_000_000, "vote") == "1.000.000 de votos"


def test_english_says_what_the_ways_out_in_english_say() -> None:
    ours, shown = locale_for("en"), paper(comments=1234)
    many = ("A. One", "B. Two", "C. Three", "D. Four", "E. Five")
    assert ours.long_date(DAY) == "Friday 30 January 2026"
    assert ours.short_date(DAY) == "Fri 30 Jan"
    assert ours.counted(1234, "vote") == counted(1234, "vote")
    assert ours.counted(2, "riser") == counted(2, "riser")
    assert localized_links(ours, shown) == paper_links(shown)
    assert localized_counts(ours, shown) == "41 votes, 1,234 comments"
    assert [localized_authors(ours, many[:number]) for number in range(6)] == [
        "",
        "A. One",
        "A. One and B. Two",
        "A. One, B. Two and C. Three",
        "A. One, B. Two, C. Three and D. Four",
        "A. One, B. Two, C. Three and 2 more",
    ]


def test_authors_links_and_votes_are_told_in_the_language() -> None:
    shown: DigestPaper = paper(reason="new today")
    many = ("A. One", "B. Two", "C. Three", "D. Four", "E. Five")
    chinese, german = locale_for("zh"), locale_for("de")
    assert localized_authors(chinese, many) == "A. One、B. Two、C. Three 及另外 2 人"
    assert localized_authors(german, many[:2]) == "A. One und B. Two"
    assert [label for label, _ in localized_links(german, shown)][:2] == ["arXiv-Abstract", "PDF"]
    assert localized_counts(german, shown) == "41 Stimmen, 4 Kommentare"


def test_a_word_that_is_missing_is_said_in_english() -> None:
    ours = locale_for("de")
    assert ours.gettext("Nobody translated %(this)s", this=1234) == "Nobody translated 1.234"
    assert ours.ngettext("%(num)s ox", "%(num)s oxen", 2) == "2 oxen"
    assert ours.word("unheard of") == "unheard of"
    assert ours.word("") == ""
    assert ours.gettext("") == ""


def test_a_translation_that_asks_for_too_much_gives_way_to_english() -> None:
    ours = Locale("de")
    ours._translations = Careless()
    assert ours.gettext("Sent by %(operator)s", operator="Ada") == "Sent by Ada"
    assert ours.gettext("100 %") == "100 %"


class Careless(NullTranslations):
    """A catalogue nobody has looked over."""

    def gettext(self, message: str) -> str:
        return f"{message} %(nobody)s 100 %"
