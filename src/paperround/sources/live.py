"""The sources that are read by themselves, by their kind."""

from collections.abc import Mapping
from types import MappingProxyType

from paperround.sources.arxiv_live import Arxiv
from paperround.sources.arxiv_oai import ArxivOai
from paperround.sources.biorxiv_live import Biorxiv
from paperround.sources.feed_live import AnyFeed
from paperround.sources.hf_live import HfDaily

Source = HfDaily | Arxiv | ArxivOai | Biorxiv | AnyFeed

SOURCES: Mapping[str, Source] = MappingProxyType(
    {source.kind: source for source in (HfDaily(), Arxiv(), ArxivOai(), Biorxiv(), AnyFeed())}
)
