"""Words that are said by code and shown by templates, marked for the catalogues.

They stand in the rooms that know them, in English, and are translated where they are shown. Tests
hold that what those rooms say is all here.
"""

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
    "hour": marked_forms("%(num)s hour", "%(num)s hours"),
    "result": marked_forms("%(num)s result", "%(num)s results"),
}
"""What is counted, by its English noun."""

LIST_TITLES = (marked("Trending papers"),)
"""Titles that lists have as long as their operator gives them no other."""

LINKS = (
    marked("Abstract"),
    marked("arXiv abstract"),
    marked("PDF"),
    marked("Code"),
    marked("Project page"),
    marked("Discussion"),
)
"""What the links of a paper are called."""

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
    marked("match"),
    marked("category"),
    marked("personal"),
    marked("spread"),
    marked("other"),
)
"""What the parts of a score are called, as readers see them."""

CUTS = (marked("by hand"),)
"""When an edition was made, where not at one of its list's cuts."""

FREQUENCIES = (
    marked("Every day"),
    marked("Monday to Friday"),
    marked("Once a week, on Monday"),
    marked("Once a week, on Tuesday"),
    marked("Once a week, on Wednesday"),
    marked("Once a week, on Thursday"),
    marked("Once a week, on Friday"),
    marked("Once a week, on Saturday"),
    marked("Once a week, on Sunday"),
)
"""How often a digest comes, as a form says it."""

QUIET_DAYS = (
    marked("The first edition has not been made yet."),
    marked("No new papers were listed since the last edition."),
    marked("No papers have been read yet."),
    marked("The sources announce nothing today: it is a weekend or a holiday."),
    marked("The sources have announced less than they usually do by now."),
    marked("A source could not be read. We keep trying."),
)
"""Why an edition holds few papers or none."""
