"""Answers of arXiv's OAI-PMH, written by hand."""

FULL = (
    "<arXiv><id>2601.00001</id><created>2026-01-26</created><authors>"
    "<author><keyname>Lovelace</keyname><forenames>Ada</forenames></author>"
    "<author><keyname>King</keyname><forenames>Noel</forenames><suffix>Jr</suffix></author>"
    "</authors><title>A Study</title><categories>cs.AI stat.ML</categories>"
    "<comments>9 pages</comments><journal-ref>J. Tests 1</journal-ref>"
    "<doi>10.1234/AB</doi><license>http://example.org/by</license>"
    "<abstract> We study. </abstract></arXiv>"
)


def record(metadata: str = FULL, arxiv: str = "2601.00001", status: str = "") -> str:
    """One record, with a header of its own."""
    inner = f"<metadata>{metadata}</metadata>" if metadata else ""
    return (
        f"<record><header{status}><identifier>oai:arXiv.org:{arxiv}</identifier>"
        f"<datestamp>2026-01-27</datestamp><setSpec>cs:cs:LG</setSpec></header>{inner}</record>"
    )


def oai(inner: str) -> bytes:
    return f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">{inner}</OAI-PMH>'.encode()


def listed(*records: str, token: str = "") -> bytes:
    return oai(f"<ListRecords>{''.join(records)}{token}</ListRecords>")


def error(code: str, words: str = "") -> bytes:
    return oai(f'<error code="{code}">{words}</error>')
