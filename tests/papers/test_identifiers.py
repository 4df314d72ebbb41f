"""One spelling for every identifier."""

import pytest

from paperround.papers.identifiers import (
    addresses_of,
    arxiv_id,
    canonical,
    doi_identifier,
    identifier,
    title_key,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2405.14906", ("2405.14906", None)),
        ("2405.14906v3", ("2405.14906", 3)),
        ("arXiv:2405.14906v2", ("2405.14906", 2)),
        ("http://arxiv.org/abs/2405.14906v1", ("2405.14906", 1)),
        ("https://arxiv.org/pdf/2405.14906.pdf", ("2405.14906", None)),
        ("oai:arXiv.org:2405.14906v1", ("2405.14906", 1)),
        ("quant-ph/0201082v1", ("quant-ph/0201082", 1)),
        ("math.GT/0309136", ("math.gt/0309136", None)),
        ("0811.36489", ("0811.36489", None)),
        ("2503.213", None),
        ("not an id", None),
    ],
)
def test_arxiv_ids_in_every_dress_are_one(
    written: str, read: tuple[str, int | None] | None
) -> None:
    assert arxiv_id(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10.48550/arXiv.2405.14906", ("arxiv", "2405.14906")),
        ("https://doi.org/10.48550/ARXIV.2405.14906", ("arxiv", "2405.14906")),
        ("doi:10.1101/2024.01.02.573933", ("biorxiv", "10.1101/2024.01.02.573933")),
        ("10.1038/S41586-021-03819-2", ("doi", "10.1038/s41586-021-03819-2")),
        ("nothing", None),
    ],
)
def test_a_doi_says_whose_it_is(written: str, read: tuple[str, str] | None) -> None:
    assert doi_identifier(written) == read


def test_a_foreign_id_stays_local_to_its_feed() -> None:
    assert identifier("abc-17", "lab") == ("local", "lab:abc-17")
    assert identifier("2405.14906", "lab") == ("arxiv", "2405.14906")


def test_title_keys_ignore_case_accents_and_punctuation() -> None:
    one = title_key("Über-Nets: A Study!", ["Ada Lovelace"], 2025)
    assert one == title_key("uber nets a study", ["A. Lovelace"], 2025)
    assert one != title_key("uber nets a study", ["A. Turing"], 2025)
    assert one != title_key("uber nets a study", ["A. Lovelace"], 2024)


def test_the_canonical_identifier_is_the_most_trusted_one() -> None:
    many = {"title_key": "x", "doi": "10.1/a", "arxiv": "2405.14906"}
    assert canonical(many) == "arxiv:2405.14906"
    with pytest.raises(ValueError, match="at least one"):
        canonical({})


def test_identifiers_say_where_a_paper_can_be_read() -> None:
    both = {"arxiv": "2405.14906", "doi": "10.1038/a"}
    assert addresses_of(both) == {
        "abstract": "https://arxiv.org/abs/2405.14906",
        "pdf": "https://arxiv.org/pdf/2405.14906",
    }
    assert addresses_of({"doi": "10.1038/a"}) == {"abstract": "https://doi.org/10.1038/a"}
    assert addresses_of({"local": "lab:1"}) == {}
