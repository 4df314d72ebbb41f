"""The message of each code of a reason and of a source's state."""

from collections.abc import Mapping

from paperround.domain.languages import Message, marked, marked_forms

MESSAGES: Mapping[str, Message] = {
    "votes.as_of": marked("%(votes)s (as of %(day)s)"),
    "votes.since_yesterday": marked("%(votes)s, %(gained)s since yesterday"),
    "votes.in_hours": marked_forms(
        "%(votes)s, %(gained)s in %(num)s hour", "%(votes)s, %(gained)s in %(num)s hours"
    ),
    "votes.in_days": marked_forms(
        "%(votes)s, %(gained)s in %(num)s day", "%(votes)s, %(gained)s in %(num)s days"
    ),
    "votes.today": marked_forms("%(votes)s in %(num)s hour", "%(votes)s in %(num)s hours"),
    "votes.first_hours": marked_forms(
        "%(votes)s in its first hour, listed %(day)s",
        "%(votes)s in its first %(num)s hours, listed %(day)s",
    ),
    "votes.listed": marked("%(votes)s, %(listed)s"),
    "risen.yesterday": marked("rose since yesterday: %(votes)s"),
    "risen.yesterday_more": marked("rose since yesterday: %(votes)s, %(gained)s new"),
    "risen.weekday": marked("rose since %(weekday)s: %(votes)s"),
    "risen.weekday_more": marked("rose since %(weekday)s: %(votes)s, %(gained)s new"),
    "author.followed": marked("by %(name)s, whom you follow"),
    "author.popular": marked("from %(name)s, whose papers are often popular here"),
    "rising_topic": marked("rising topic: “%(term)s”"),
    "followed.category": marked("in %(name)s, which you follow"),
    "followed.search": marked("your search “%(search)s”"),
    "followed.search_found": marked("your search “%(search)s” found %(words)s"),
    "followed.topic": marked("your topic “%(term)s”"),
    "followed.topics": marked("close to your topics"),
    "followed.topics_words": marked("shares %(words)s with your topics"),
    "followed.query": marked("matches %(words)s"),
    "near_saved.liked": marked("like papers you liked"),
    "near_saved.liked_words": marked("shares %(words)s with a paper you liked"),
    "near_saved.given": marked("like “%(title)s”, which you gave"),
    "near_saved.given_words": marked("shares %(words)s with “%(title)s”, which you gave"),
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
"""Since when a paper is known: today, yesterday, some days."""

TROUBLES: Mapping[str, str] = {
    "stale": marked("stale"),
    "failed": marked("out of reach"),
    "gone": marked("gone for good"),
}
