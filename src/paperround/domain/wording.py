"""Words around numbers."""


def counted(number: int, noun: str, several: str | None = None) -> str:
    """`1 paper`, `12 papers`; `several` is the plural that is more than an s."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"
