"""The sources that are read by themselves, by their kind."""

from collections.abc import Mapping
from types import MappingProxyType

from paperround.feeds.sources.arxiv import Arxiv
from paperround.feeds.sources.arxiv_listing import ArxivListing
from paperround.feeds.sources.arxiv_oai import ArxivOai
from paperround.feeds.sources.feed import AnyFeed
from paperround.feeds.sources.hugging_face import HfDaily
from paperround.plugins.biorxiv.source import Biorxiv
from paperround.plugins.crossref.source import Crossref
from paperround.plugins.openalex.source import OpenAlex
from paperround.plugins.pubmed.source import PubMed
from paperround.plugins.semantic_scholar.source import SemanticScholar

Source = (
    HfDaily | Arxiv | ArxivOai | Biorxiv | OpenAlex | Crossref | SemanticScholar | PubMed | AnyFeed
)


def sources(*, semantic_scholar_key: str | None = None) -> Mapping[str, Source]:
    """Every source, those that can use a key with theirs; raises Misconfigured for a wrong one."""
    known: tuple[Source, ...] = (
        HfDaily(),
        Arxiv(),
        ArxivOai(),
        Biorxiv(),
        OpenAlex(),
        Crossref(),
        SemanticScholar(key=semantic_scholar_key),
        PubMed(),
        AnyFeed(),
    )
    return MappingProxyType({source.kind: source for source in known})


SOURCES = sources()
"""The sources without any key."""

WITNESSES: Mapping[str, ArxivListing] = MappingProxyType(
    {Arxiv.kind: ArxivListing(), ArxivOai.kind: ArxivListing()}
)
"""Who is heard before a feed of this kind is called stale."""
