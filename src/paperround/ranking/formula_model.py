"""Model the description of a ranking formula, with its current constants."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaPart:
    """Parts of a score of one kind: the amount, and when it applies."""

    names: tuple[str, ...]
    amount: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A constant of the formula and its meaning."""

    name: str
    value: float
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """The parts of a score; `symbols` explains the symbols in the amounts."""

    parts: tuple[FormulaPart, ...]
    symbols: tuple[tuple[str, str], ...]
    constants: tuple[Constant, ...]
