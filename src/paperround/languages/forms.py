"""The sentences that editions and ledger rows hold: why a paper is there, how its sources did.

Each is written as its writer freezes it, in English, with places where values stand. Tests drive
the writers and hold that every sentence of theirs is read by one of these forms.
"""

from paperround.domain.languages import marked, marked_forms

Sentence = str | tuple[str, str]

VOTES: tuple[Sentence, ...] = (
    marked("%(votes)s (as of %(day)s)"),
    marked("%(votes)s by %(day)s"),
    marked("%(votes)s, %(all)s since yesterday"),
    marked_forms("%(votes)s, %(all)s in %(num)s hour", "%(votes)s, %(all)s in %(num)s hours"),
    marked_forms("%(votes)s, %(all)s in %(num)s day", "%(votes)s, %(all)s in %(num)s days"),
    marked_forms("%(votes)s in %(num)s hour", "%(votes)s in %(num)s hours"),
    marked_forms(
        "%(votes)s in its first hour, listed %(day)s",
        "%(votes)s in its first %(num)s hours, listed %(day)s",
    ),
    marked("%(votes)s, %(listed)s"),
    marked("rose since yesterday: %(votes)s"),
    marked("rose since yesterday: %(votes)s, %(all)s new"),
    marked("rose since %(weekday)s: %(votes)s"),
    marked("rose since %(weekday)s: %(votes)s, %(all)s new"),
)

LISTED: tuple[Sentence, ...] = (
    marked("new today"),
    marked("first seen today"),
    marked("listed yesterday"),
    marked("first seen yesterday"),
    marked_forms("listed %(num)s day ago", "listed %(num)s days ago"),
    marked_forms("first seen %(num)s day ago", "first seen %(num)s days ago"),
)

AUTHORS: tuple[Sentence, ...] = (
    marked("by %(name)s, whom you follow"),
    marked("from %(name)s, whose papers are often popular here"),
)

RISING: tuple[Sentence, ...] = (marked("rising topic: “%(term)s”"),)

LIKENESSES: tuple[Sentence, ...] = (
    marked_forms(
        "an earlier paper here by its first author drew %(times)s times the usual votes",
        "%(num)s earlier papers here by its first author drew %(times)s times the usual votes",
    ),
    marked_forms(
        "an earlier paper here by an author drew %(times)s times the usual votes",
        "%(num)s earlier papers here by an author drew %(times)s times the usual votes",
    ),
    marked_forms(
        "an earlier paper here by %(name)s drew %(times)s times the usual votes",
        "%(num)s earlier papers here by %(name)s drew %(times)s times the usual votes",
    ),
    marked_forms(
        "an earlier paper here from its organization drew %(times)s times the usual votes",
        "%(num)s earlier papers here from its organization drew %(times)s times the usual votes",
    ),
    marked_forms(
        "an earlier paper here from the same submitter drew %(times)s times the usual votes",
        "%(num)s earlier papers here from the same submitter drew %(times)s times the usual votes",
    ),
    marked_forms(
        "an earlier paper here from %(name)s drew %(times)s times the usual votes",
        "%(num)s earlier papers here from %(name)s drew %(times)s times the usual votes",
    ),
    marked_forms(
        "an earlier paper here with a project page drew %(times)s times the usual votes",
        "%(num)s earlier papers here with a project page drew %(times)s times the usual votes",
    ),
    marked_forms(
        "an earlier paper here with code drew %(times)s times the usual votes",
        "%(num)s earlier papers here with code drew %(times)s times the usual votes",
    ),
    marked_forms(
        "an earlier paper here with media drew %(times)s times the usual votes",
        "%(num)s earlier papers here with media drew %(times)s times the usual votes",
    ),
    marked_forms(
        "an earlier paper here with “%(term)s” drew %(times)s times the usual votes",
        "%(num)s earlier papers here with “%(term)s” drew %(times)s times the usual votes",
    ),
)

TOPICS: tuple[Sentence, ...] = (
    marked("shares “%(term)s” with %(some)s of %(all)s others"),
    marked(
        "burst: “%(term)s” in %(some)s of %(all)s papers (none in the %(before)s papers before)"
    ),
    marked(
        "burst: “%(term)s” in %(some)s of %(all)s papers (under 0.1 %% of the %(before)s before)"
    ),
    marked(
        "burst: “%(term)s” in %(some)s of %(all)s papers (%(share)s %% of the %(before)s before)"
    ),
)

WISHES: tuple[Sentence, ...] = (
    marked("in %(name)s, which you follow"),
    marked("your search “%(search)s” found %(words)s"),
    marked("your search “%(search)s”"),
    marked("your topic “%(term)s”"),
    marked("shares %(words)s with your topics"),
    marked("close to your topics"),
    marked("shares %(words)s with a paper you liked"),
    marked("like papers you liked"),
    marked("shares %(words)s with “%(title)s”, which you gave"),
    marked("like “%(title)s”, which you gave"),
    marked("matches %(words)s"),
)

OLDER = (*LISTED, *LIKENESSES, *TOPICS)
"""Sentences that stand in old editions only, and that no digest shows any more."""

TOLD = (*VOTES, *AUTHORS, *RISING, *WISHES)
"""Sentences that a digest shows."""

REASONS = (*TOLD, *OLDER)
"""The first that reads a sentence is the one."""

TROUBLES: tuple[Sentence, ...] = (
    marked("stale"),
    marked("out of reach"),
    marked("gone for good"),
)

SOURCES: tuple[Sentence, ...] = (
    marked("%(all)s new"),
    marked("%(all)s new, now %(trouble)s"),
    marked("%(trouble)s, nothing yet"),
    marked("%(trouble)s, nothing since %(moment)s"),
    marked("nothing new"),
    marked("not read yet"),
    marked("no papers"),
    marked("holiday"),
)
"""How a source did, behind its name."""
