"""Labels on admin pages for the states of digests, feeds and runs, and for kinds of interests."""

from collections.abc import Mapping

from paperround.core.languages import marked
from paperround.subscribers.interests import InterestKind

DELIVERY_STATES: Mapping[str, str] = {
    "queued": marked("waiting"),
    "claimed": marked("being sent"),
    "in_data": marked("being handed over"),
    "sent": marked("sent"),
    "deferred": marked("waiting to retry"),
    "failed": marked("failed"),
    "unknown": marked("unknown"),
    "expired": marked("expired"),
    "skipped": marked("skipped"),
}

FEED_HEALTH: Mapping[str, str] = {
    "new": marked("not read yet"),
    "fresh": marked("fresh"),
    "empty": marked("nothing new"),
    "stale": marked("stale"),
    "holiday": marked("holiday"),
    "failed": marked("failing"),
    "paused": marked("paused"),
}

INTEREST_KINDS: Mapping[InterestKind, str] = {
    InterestKind.TOPIC: marked("Topics"),
    InterestKind.KEYWORD: marked("Searches"),
    InterestKind.AUTHOR: marked("Authors"),
    InterestKind.CATEGORY: marked("Categories"),
    InterestKind.SEED: marked("Papers like these"),
    InterestKind.MUTE: marked("Mute"),
    InterestKind.FOCUS: marked("Works on"),
    InterestKind.AVOID: marked("Not interested in"),
}

RUN_STATES: Mapping[str, str] = {
    "running": marked("running"),
    "done": marked("done"),
    "unchanged": marked("unchanged"),
    "failed": marked("failed"),
    "put-off": marked("continues later"),
}
