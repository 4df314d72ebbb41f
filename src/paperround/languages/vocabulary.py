"""Nouns that are counted, and names that code puts together, marked for the catalogues."""

from collections.abc import Mapping

from paperround.domain.languages import marked, marked_forms


def counted_forms(noun: str) -> tuple[str, str]:
    """One and several of a noun whose plural ends in s."""
    return f"%(num)s {noun}", f"%(num)s {noun}s"


COUNTED: Mapping[str, tuple[str, str]] = {
    "paper": marked_forms("%(num)s paper", "%(num)s papers"),
    "more paper": marked_forms("%(num)s more paper", "%(num)s more papers"),
    "vote": marked_forms("%(num)s vote", "%(num)s votes"),
    "comment": marked_forms("%(num)s comment", "%(num)s comments"),
    "star on GitHub": marked_forms("%(num)s star on GitHub", "%(num)s stars on GitHub"),
    "citation": marked_forms("%(num)s citation", "%(num)s citations"),
    "mention": marked_forms("%(num)s mention", "%(num)s mentions"),
    "day": marked_forms("%(num)s day", "%(num)s days"),
    "good paper": marked_forms("%(num)s good paper", "%(num)s good papers"),
    "bad one": marked_forms("%(num)s bad one", "%(num)s bad ones"),
    "judgement": marked_forms("%(num)s judgement", "%(num)s judgements"),
    "new line": marked_forms("%(num)s new line", "%(num)s new lines"),
    "work": marked_forms("%(num)s work", "%(num)s works"),
}
"""What is counted, by its English noun."""

LIST_TITLES = (marked("Trending papers"),)
"""Titles that lists have as long as their operator gives them no other."""

PARTS = (
    marked("votes"),
    marked("votes expected"),
    marked("growth"),
    marked("source"),
    marked("prior"),
    marked("prior text"),
    marked("prior authors"),
    marked("prior submitter"),
    marked("prior organization"),
    marked("prior links"),
    marked("prior age"),
    marked("recency"),
    marked("comments"),
    marked("stars"),
    marked("mentions"),
    marked("citations"),
    marked("topics"),
    marked("text"),
    marked("submitter cap"),
    marked("topic cap"),
    marked("match"),
    marked("category"),
    marked("personal"),
    marked("spread"),
)
"""What the parts of a score are called, as readers see them."""
