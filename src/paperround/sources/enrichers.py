"""The services that papers are enriched from, by their names.

Each takes papers it is asked for and makes one request of them. What it answers becomes records
without texts, that announce nothing: links, identifiers and counts, and no more.
"""

from collections.abc import Mapping
from types import MappingProxyType

from paperround.sources.enrich_catalogues import CrossrefNews, OpenAlexNews
from paperround.sources.enrich_github import Github
from paperround.sources.enrich_huggingface import HuggingFace
from paperround.sources.enrich_semantic_scholar import SemanticScholarNews

Enricher = HuggingFace | Github | OpenAlexNews | CrossrefNews | SemanticScholarNews


def enrichers(*, semantic_scholar_key: str | None = None) -> Mapping[str, Enricher]:
    """Every enricher, those that can use a key with theirs."""
    known: tuple[Enricher, ...] = (
        HuggingFace(),
        Github(),
        OpenAlexNews(),
        CrossrefNews(),
        SemanticScholarNews(key=semantic_scholar_key),
    )
    return MappingProxyType({enricher.name: enricher for enricher in known})


ENRICHERS = enrichers()
"""The enrichers without any key."""
