"""What operators do with feeds: check, add, change and remove them."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from paperround.domain.errors import InvalidInput
from paperround.domain.feeds import LiveFeed, NewFeed
from paperround.domain.papers import FeedId
from paperround.jobs.feeds import every_feed, settings_of
from paperround.jobs.newsroom import Newsroom
from paperround.jobs.ports import Source
from paperround.store.unit_of_work import UnitOfWork, write

LONGEST = 2000
"""Characters of an address, or of the value of a setting."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


def check_feed(sources: Mapping[str, Source], feed: NewFeed) -> None:
    """Raise InvalidInput when no feed can be made of this, its code naming the field:
    `name`, `kind`, `url`, or `settings.<name>`."""
    if not _NAME.fullmatch(feed.name):
        raise InvalidInput(
            f"{feed.name!r:.80} cannot be a feed's name: use up to 60 letters, digits, "
            "dots, dashes and underscores, such as arxiv-ml",
            code="name",
        )
    if feed.kind not in sources:
        raise InvalidInput(
            f"there is no kind of feed called {feed.kind!r:.60}: use one of {', '.join(sources)}",
            code="kind",
        )
    _check_lengths(feed)
    sources[feed.kind].check(feed.url, feed.settings)


def _check_lengths(feed: NewFeed) -> None:
    said = {
        "url": feed.url or "",
        **{f"settings.{key:.60}": feed.settings[key] for key in feed.settings},
    }
    for code, text in said.items():
        if len(text) > LONGEST:
            raise InvalidInput(
                f"{code} may have {LONGEST:,} characters, not {len(text):,}", code=code
            )


def create_feed(newsroom: Newsroom, feed: NewFeed, *, now: datetime) -> LiveFeed:
    """Keep a new feed; it is due at once. Raises InvalidInput, as `check_feed` does."""
    check_feed(newsroom.sources, feed)
    return write(newsroom.database, lambda work: work.feeds.create(feed, now=now))


def change_feed(
    newsroom: Newsroom, feed_id: FeedId, change: Callable[[NewFeed], NewFeed], *, now: datetime
) -> LiveFeed:
    """Make of a feed what `change` makes of it. Two that change different things at once both
    have their way. Raises NotFound, and InvalidInput as `check_feed` does."""

    def do(work: UnitOfWork) -> LiveFeed:
        standing = settings_of(work.feeds.hold(feed_id))
        changed = change(standing)
        check_feed(newsroom.sources, changed)
        return work.feeds.update(feed_id, changed, now=now)

    return write(newsroom.database, do)


def delete_feed(newsroom: Newsroom, feed_id: FeedId) -> None:
    """Forget a feed with its runs and rejects; its papers stay. Raises NotFound."""
    write(newsroom.database, lambda work: work.feeds.delete(feed_id))


def live_feeds(newsroom: Newsroom) -> list[LiveFeed]:
    """Every feed that is read by itself, by id."""
    with newsroom.database.reading() as work:
        return [feed for feed in every_feed(work) if feed.kind in newsroom.sources]
