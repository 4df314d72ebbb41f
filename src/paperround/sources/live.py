"""The sources that are read by themselves, by their kind."""

from collections.abc import Mapping
from types import MappingProxyType

from paperround.sources.arxiv_listing import ArxivListing
from paperround.sources.arxiv_live import Arxiv
from paperround.sources.arxiv_oai import ArxivOai
from paperround.sources.biorxiv_live import Biorxiv
from paperround.sources.crossref_live import Crossref
from paperround.sources.feed_live import AnyFeed
from paperround.sources.hf_live import HfDaily
from paperround.sources.openalex_live import OpenAlex
from paperround.sources.pubmed_live import PubMed
from paperround.sources.semantic_scholar_live import SemanticScholar

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
