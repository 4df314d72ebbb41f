"""Stands in for a feed that takes for ever to read, under the limits of its process."""

import sys

from paperround.feeds.formats import wild_feed


def without_end(content: bytes) -> list[dict[str, object]]:
    while content:
        pass
    sys.exit("there was nothing to read")


if __name__ == "__main__":
    wild_feed.items_of = without_end
    wild_feed.main()
