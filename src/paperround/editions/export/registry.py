"""Register the export formats by URL extension."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paperround.editions.citations import Citation, CitedEdition
from paperround.editions.export import atom, bibtex, json_feed, json_ld, markdown, ris, rss
from paperround.editions.feed_documents import FeedDocument


@dataclass(frozen=True, slots=True)
class FileFormat:
    """The media type of a format, and how it writes a paper and an edition."""

    media_type: str
    paper: Callable[[Citation], bytes]
    edition: Callable[[CitedEdition], bytes]


def _each(write: Callable[[Sequence[Citation]], bytes], media_type: str) -> FileFormat:
    return FileFormat(
        media_type, lambda one: write([one]), lambda edition: write(edition.citations)
    )


FILE_FORMATS: Mapping[str, FileFormat] = {
    "bib": _each(bibtex.write_bibtex, bibtex.MEDIA_TYPE),
    "ris": _each(ris.write_ris, ris.MEDIA_TYPE),
    "md": FileFormat(markdown.MEDIA_TYPE, markdown.write_paper, markdown.write_edition),
    "jsonld": FileFormat(json_ld.MEDIA_TYPE, json_ld.write_paper, json_ld.write_edition),
}


@dataclass(frozen=True, slots=True)
class FeedFormat:
    """The media type of a feed format, and how it writes a feed."""

    media_type: str
    write: Callable[[FeedDocument], bytes]


FEED_FORMATS: Mapping[str, FeedFormat] = {
    "atom": FeedFormat(atom.MEDIA_TYPE, atom.write_atom),
    "rss": FeedFormat(rss.MEDIA_TYPE, rss.write_rss),
    "json": FeedFormat(json_feed.MEDIA_TYPE, json_feed.write_json_feed),
}
