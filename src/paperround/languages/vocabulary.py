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
    "good paper": marked_forms("%(num)s good paper", "%(num)s good papers"),
    "bad one": marked_forms("%(num)s bad one", "%(num)s bad ones"),
    "judgement": marked_forms("%(num)s judgement", "%(num)s judgements"),
    "new line": marked_forms("%(num)s new line", "%(num)s new lines"),
    "work": marked_forms("%(num)s work", "%(num)s works"),
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
    marked("topic cap"),
    marked("match"),
    marked("category"),
    marked("personal"),
    marked("spread"),
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

THIN_DAYS = (
    marked("A source is late today, so there may be fewer papers than usual."),
    marked("A source could not be read today, so there may be fewer papers than usual."),
)
"""Why a digest holds few papers."""

NO_MAIL = (
    marked("There was no paper that you had not had before."),
    marked("No papers had been read yet."),
    marked("Everything new was muted by you."),
    marked("No new paper had the score you ask for."),
    marked("You paused it."),
    marked("Too much of our mail to you came back, so it rested for some days."),
    marked("It was not one of your days."),
    marked("The sources announced nothing: it was a weekend or a holiday."),
    marked("The sources had announced nothing new yet."),
    marked("A source could not be read."),
    marked("It may have left before this installation was restored from a backup."),
    marked("You had left before it was sent."),
    marked("Your address must not be mailed."),
    marked("The edition was withdrawn before it was sent."),
    marked("There would be no digest now."),
)
"""Why there was no digest, or would be none."""

BECAME = (
    marked("It waits to be sent."),
    marked("It is being sent."),
    marked("The mail server took it."),
    marked("The mail server did not take it yet. We try again."),
    marked("The mail server refused it."),
    marked("It was handed over and no answer came: it may have arrived, and is not sent twice."),
    marked("It could not be sent in time, and was given up when it was no news."),
    marked("It was not sent."),
)
"""What became of a mail."""

NOTICES = (
    marked("Confirm your subscription"),
    marked("Reminder to confirm your subscription"),
    marked("Confirm your change of address"),
    marked("Link to your choices"),
    marked("You have left, with a way back"),
    marked("Test mail"),
    marked("Alert for the operator"),
    marked("A mail about your subscription"),
)
"""What mails beside digests are about."""

MAILS = (marked("Digest"), marked("Mail"))
"""What other mails are called where those of everybody stand together."""

SOURCES = (
    marked("It has not been read yet."),
    marked("It is well."),
    marked("It answers, and says that it has nothing new."),
    marked("It answers, but the papers it should have by now have not come."),
    marked("It announces nothing today: it is a weekend or a holiday."),
    marked("It cannot be read at the moment. We keep trying."),
    marked("It is switched off."),
    marked("It has ended for good."),
    marked("It is a file that was read by hand."),
    marked("Its last batch was far smaller than usual."),
    marked("Its last batch was far larger than usual."),
    marked("Its last batch looked different from those before."),
)
"""How a source is doing, as its page says it."""

PROBLEMS = (
    marked("Bad request"),
    marked("Not logged in"),
    marked("Not allowed"),
    marked("Not found"),
    marked("Not possible here"),
    marked("Conflict"),
    marked("Too large"),
    marked("Unknown kind of body"),
    marked("Not valid"),
    marked("Not readable"),
    marked("Too many requests"),
    marked("Something broke"),
    marked("Not ready"),
    marked("Error"),
    marked("There is nothing at this address."),
    marked("This address does not do that."),
    marked("Something broke on our side. It has been written down."),
    marked("What this page shows cannot be reached just now. Please try again in a minute."),
    marked("Cross-site"),
    marked("Wrong host"),
    marked("Incomplete"),
    marked("Too slow"),
)
"""What errors are called, and what is said of those that anybody meets."""

LIBRARIES = (
    marked("plain lines"),
    marked("Zotero library"),
)
"""What was given as a library, where that is no name of a format."""
