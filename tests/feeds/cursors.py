"""Cursors of polls that stopped somewhere."""

from dataclasses import replace
from typing import Any

from paperround.feeds.sources.base import Source, hash_of_settings, write_place
from tests.feeds.arxiv_samples import NOW, state


def stopped(source: Source[Any], settings: dict[str, str], **fields: object) -> str:
    """The cursor of a poll that was begun with `settings` and stopped before the page that has
    these `fields`, and all others as its first one."""
    place = replace(source.first(state(**settings), NOW), **fields)
    return write_place(place, hash_of_settings(settings))
