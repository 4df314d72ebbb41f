"""How arXiv says that a paper is withdrawn: its authors write so, where the abstract or the comment
stood."""

import re

_SAID = re.compile(
    r"\s*(?:(?:this|the)\s+(?:paper|article|submission|manuscript|preprint|work)"
    r"\s+(?:has\s+been|was|is)\s+)?withdrawn\b(?!\s+from\b)",
    re.IGNORECASE,
)


def says_withdrawn(abstract: str, comment: str | None) -> bool:
    """Whether either begins with it; one that comes to speak of withdrawals later does not."""
    return any(map(_SAID.match, (abstract, comment or "")))
