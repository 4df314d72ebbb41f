"""Translate stored reasons, source states, and errors.

    code, parameters -> message of the code -> its translation -> values formatted for the language

A text without a message or a translation is shown in English.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from paperround.core.errors import PaperroundError
from paperround.core.i18n.locale import Locale, locale_for
from paperround.core.languages import Message, TranslatableText, marked, marked_forms
from paperround.core.reasons import read_reason

_SEPARATOR = " · "
_MOST_LINES = 8192


def localize_reason(locale: Locale, frozen: str) -> str:
    """Return the translated reasons why a paper is shown."""
    return _SEPARATOR.join(filter(None, [_line(locale, line) for line in frozen.split("\n")]))


def english_reason(frozen: str) -> str:
    """Return the reasons in English, for the API, feeds, files, channels and the command line."""
    return localize_reason(locale_for(), frozen)


def digest_reason(frozen: str) -> str:
    """Return the stored reason that a digest shows: the first with a message, or ""."""
    return next((line for line in frozen.split("\n") if read_reason(line).code in MESSAGES), "")


@lru_cache(maxsize=_MOST_LINES)
def _line(locale: Locale, line: str) -> str:
    code, params = read_reason(line)
    if not code:
        return str(params["text"])
    return _fill(locale, MESSAGES.get(code, ""), params)


@lru_cache(maxsize=_MOST_LINES)
def localize_source(locale: Locale, frozen: str) -> str:
    """Return the name of a source and its translated state."""
    one = read_reason(frozen)
    if not one.code:
        return frozen
    state = _line(locale, frozen)
    return locale.gettext("%(label)s: %(value)s", label=one.params["name"], value=state)


def localize_error(locale: Locale, error: object) -> str:
    """Translate an error, or the text of one."""
    text = error.text if isinstance(error, PaperroundError) else error
    if not isinstance(text, TranslatableText):
        return locale.word(str(text))
    return str(text) if locale.is_english else _fill(locale, text.message, text.params)


def _fill(locale: Locale, message: Message, params: Mapping[str, Any]) -> str:
    values = {
        name: _VALUES[name](locale, value) if name in _VALUES else value
        for name, value in params.items()
    }
    if isinstance(message, str):
        return locale.gettext(message, **values)
    return locale.ngettext(*message, values.pop("num", 1), **values)


def _moment(locale: Locale, moment: str) -> str:
    at = datetime.fromisoformat(moment)
    return f"{locale.day_and_month(at.date())} {at:%H:%M} UTC"


def _listed(locale: Locale, since: tuple[str, int]) -> str:
    verb, days = since
    today, yesterday, ago = LISTED[verb]
    if days in (0, 1):
        return locale.word(yesterday if days else today)
    return locale.ngettext(*ago, days)


_VALUES: Mapping[str, Callable[[Locale, Any], Any]] = {
    "votes": lambda locale, votes: locale.counted(votes, "vote"),
    "day": lambda locale, day: locale.day_and_month(date.fromisoformat(day)),
    "moment": _moment,
    "weekday": Locale.weekday,
    "listed": _listed,
    "words": lambda locale, words: locale.listed([locale.quoted(word) for word in words]),
    "numbers": lambda locale, numbers: locale.listed([locale.number(one) for one in numbers]),
    "trouble": lambda locale, name: locale.word(TROUBLES[name]),
    "given": Locale.quoted,
    "problem": localize_error,
}
"""Formatters by parameter name. Other integers are grouped, other values are unchanged."""


MESSAGES: Mapping[str, Message] = {
    "votes.as_of": marked("%(votes)s (as of %(day)s)"),
    "votes.since_yesterday": marked("%(votes)s, %(gained)s since yesterday"),
    "votes.in_hours": marked_forms(
        "%(votes)s, %(gained)s of them within %(num)s hour",
        "%(votes)s, %(gained)s of them within %(num)s hours",
    ),
    "votes.in_days": marked_forms(
        "%(votes)s, %(gained)s of them within %(num)s day",
        "%(votes)s, %(gained)s of them within %(num)s days",
    ),
    "votes.today": marked_forms("%(votes)s in %(num)s hour", "%(votes)s in %(num)s hours"),
    "votes.first_hours": marked_forms(
        "%(votes)s in its first hour, listed %(day)s",
        "%(votes)s in its first %(num)s hours, listed %(day)s",
    ),
    "votes.listed": marked("%(votes)s, %(listed)s"),
    "risen.yesterday": marked("Rose since yesterday: %(votes)s"),
    "risen.yesterday_more": marked("Rose since yesterday: %(votes)s, %(gained)s new"),
    "risen.weekday": marked("Rose since %(weekday)s: %(votes)s"),
    "risen.weekday_more": marked("Rose since %(weekday)s: %(votes)s, %(gained)s new"),
    "author.followed": marked("By %(name)s, whom you follow"),
    "author.popular": marked("From %(name)s, whose papers are often popular here"),
    "cites.yours": marked("Cites your paper “%(title)s”"),
    "cites.saved": marked("Cites “%(title)s”, which you saved"),
    "cites.given": marked("Cites “%(title)s”, which you added"),
    "rising_topic": marked("Rising topic: “%(term)s”"),
    "followed.category": marked("In %(name)s, which you follow"),
    "followed.search": marked("Matches your search “%(search)s”"),
    "followed.search_found": marked("Matches your search “%(search)s”: %(words)s"),
    "followed.topic": marked("On your topic “%(term)s”"),
    "followed.near": marked("Related to “%(term)s”, which you follow"),
    "followed.topics": marked("Close to your topics"),
    "followed.topics_words": marked("Close to your topics: %(words)s"),
    "followed.query": marked("Matches %(words)s"),
    "near_saved.to_saved": marked("Similar to “%(title)s”, which you saved: also about %(term)s"),
    "near_saved.to_liked": marked("Similar to “%(title)s”, which you liked: also about %(term)s"),
    "near_saved.to_given": marked("Similar to “%(title)s”, which you added: also about %(term)s"),
    "near_saved.to_own": marked("Similar to your paper “%(title)s”: also about %(term)s"),
    "near_saved.liked": marked("Similar to papers you liked"),
    "near_saved.liked_words": marked("Similar to a paper you liked: also about %(words)s"),
    "near_saved.given": marked("Similar to “%(title)s”, which you added"),
    "near_saved.given_words": marked(
        "Similar to “%(title)s”, which you added: also about %(words)s"
    ),
    "own_words.close": marked("Close to your work: %(words)s"),
    "editor.chosen": marked("Chosen by the editor"),
    "colleagues.saved": marked_forms("Saved by %(num)s colleague", "Saved by %(num)s colleagues"),
    "rank.votes_gained": marked_forms(
        "Listed on %(day)s, it had %(votes)s by %(moment)s, %(gained)s of them from the last hour.",
        "Listed on %(day)s, it had %(votes)s by %(moment)s, "
        "%(gained)s of them from the last %(num)s hours.",
    ),
    "rank.votes_at": marked("Listed on %(day)s, it had %(votes)s by %(moment)s."),
    "rank.votes": marked("Listed on %(day)s, it had %(votes)s when this edition was made."),
    "rank.votes_unknown": marked(
        "Listed on %(day)s, it had no known votes when this edition was made."
    ),
    "rank.fresh": marked(
        "It was listed that day, and new papers rank above older ones with as many votes."
    ),
    "rank.aged": marked_forms(
        "It was %(num)s day old, and papers move down as they age.",
        "It was %(num)s days old, and papers move down as they age.",
    ),
    "rank.topic_cap": marked("It was moved down so that one topic does not fill the list."),
    "rank.submitter_cap": marked(
        "It was moved down because one person listed many of the papers above it."
    ),
    "rank.folded": marked("“%(title)s” is nearly the same paper and was left out."),
    "rank.author_up": marked(
        "Earlier papers by %(name)s are often popular here, which moved it up."
    ),
    "rank.authors_up": marked(
        "Earlier papers by its authors got more votes than most, which moved it up."
    ),
    "rank.authors_down": marked(
        "Its authors have no popular earlier papers here, which moved it down."
    ),
    "rank.prior_up": marked(
        "Going by earlier papers like it, more votes were likely, which moved it up a little."
    ),
    "rank.prior_down": marked(
        "Going by earlier papers like it, fewer votes were likely, which moved it down a little."
    ),
    "rank.prior_text_up": marked(
        "Papers on its subject usually get more votes than most, which moved it up."
    ),
    "rank.prior_text_down": marked(
        "Papers on its subject usually get fewer votes than most, which moved it down."
    ),
    "rank.topics_up": marked("Its topic was on the rise, which moved it up."),
    "rank.topics_down": marked("Its topic was not on the rise, which moved it down."),
    "rank.similar": marked("Similar papers here have %(numbers)s votes."),
    "rank.similar_one": marked("A similar paper here has %(votes)s."),
    "source.new": marked("%(new)s new"),
    "source.new_now": marked("%(new)s new, now %(trouble)s"),
    "source.nothing_yet": marked("%(trouble)s, nothing yet"),
    "source.nothing_since": marked("%(trouble)s, nothing since %(moment)s"),
    "source.nothing": marked("nothing new"),
    "source.unread": marked("not read yet"),
    "source.empty": marked("no papers"),
    "source.holiday": marked("holiday"),
}

LISTED: Mapping[str, tuple[str, str, tuple[str, str]]] = {
    "listed": (
        marked("new today"),
        marked("listed yesterday"),
        marked_forms("listed %(num)s day ago", "listed %(num)s days ago"),
    ),
    "seen": (
        marked("first seen today"),
        marked("first seen yesterday"),
        marked_forms("first seen %(num)s day ago", "first seen %(num)s days ago"),
    ),
}
"""How long a paper is known: today, yesterday, some days."""

TROUBLES: Mapping[str, str] = {
    "stale": marked("stale"),
    "failed": marked("unreachable"),
    "gone": marked("gone for good"),
}
