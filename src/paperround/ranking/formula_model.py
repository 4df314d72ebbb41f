"""A ranking formula as it is shown to people: filled with the numbers that are in force."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaPart:
    """Parts of a score of one kind: how much each is, and when it is there."""

    names: tuple[str, ...]
    amount: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A number of the formula, and what it means."""

    name: str
    value: float
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """What a score is made of. Symbols of the amounts are explained by `symbols`."""

    parts: tuple[FormulaPart, ...]
    symbols: tuple[tuple[str, str], ...]
    constants: tuple[Constant, ...]
