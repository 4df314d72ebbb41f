"""Describe the scoring formula of `score` with the current weights, for the ranking page.

Names in braces are weights. A test checks that every weight has a meaning here.
"""

from dataclasses import dataclass

from paperround.ranking.prior.predictor import GROUPS
from paperround.ranking.weights import Weights


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


_SIDES = ("comments", "stars", "mentions", "citations")

_PARTS = (
    (
        ("votes",),
        "{votes:g} × ln(1 + x), x = (v + {prior_share:g} m) / (s + {prior_share:g})",
        "when votes are known",
    ),
    (
        ("growth",),
        "{growth:g} × ln(1 + g) × h, g = 24 × gained / (hours + {growth_floor_hours:g})",
        "when votes are known, and an earlier count or the day of listing",
    ),
    (
        ("source",),
        "{source:g} × (the mean of votes + growth − its site's mean) × n / (n + 5)",
        "when votes of its site are known of n ≥ 5 papers, and votes of another site of others",
    ),
    (
        ("prior",),
        (
            "{votes:g} × (ln(1 + x′) − ln(1 + x)), "
            "x′ = (v + {prior_own_share:g} m eᵏ) / (s + {prior_own_share:g})"
        ),
        "when votes are known, and something was learned",
    ),
    (
        ("votes_expected",),
        (
            "({votes:g} + {growth:g}) × ln(1 + r (e^(y / ({votes:g} + {growth:g})) − 1)), "
            "y the mean of votes + growth + source of the others"
        ),
        "when votes are not known, but those of other papers are",
    ),
    (
        tuple(GROUPS),
        "({votes:g} + {growth:g}) × (its share of k − the day's mean)",
        "when votes are not known, and something was learned",
    ),
    (("recency",), "{recency:g} × 2^(−age / {recency_half_life_hours:g})", "always"),
    (_SIDES, "weight × (ln(1 + count) − the day's mean)", "when the count is known"),
    (
        ("topics",),
        "{topics:g} × (ln(1 + strength of its topics) − the day's mean)",
        "when votes are not known, and nothing was learned",
    ),
    (("text",), "{text:g} × min(1, words / {full_words:g})", "when there is an abstract"),
    (
        ("colleagues",),
        "{colleagues:g} × ½, or × 1 from 6 readers on; below 0 if they wanted less like it",
        "when at least 3 readers who share their saves agree",
    ),
    (
        ("topic_cap",),
        "the amount that moves it below its block of {block_papers:g} places",
        "when one topic has {topic_papers:g} papers there before it",
    ),
    (
        ("submitter_cap",),
        "the amount that moves it below its block of {block_papers:g} places",
        "when one submitter has more papers there than the list allows",
    ),
)

_SYMBOLS = (
    ("v", "votes, as last counted"),
    (
        "s",
        (
            "the share of its votes a paper has by then: t / (t + {settling_hours:g} hours), "
            "where t is its age less {listing_share:g} of the time of day it was listed at"
        ),
    ),
    ("m", "votes of all papers of the day, divided by their shares s"),
    (
        "k",
        "the expected votes of a paper, in ln(votes); its authors' share times {authors:g}",
    ),
    (
        "r",
        (
            "(c + {counted_papers:g}) / (n + {counted_papers:g}): of the n papers listed "
            "{counted_hours:g} hours ago or earlier, the votes of c are known"
        ),
    ),
    ("h", "halves for each {stale_half_life_hours:g} hours since the newest count"),
    ("gained, hours", "votes gained within {growth_window_hours:g} hours, and the time that took"),
    ("age", "hours since the start, in UTC, of the day a paper was listed"),
)

_MEANINGS = {
    "votes": "the unit of all the others",
    "growth": "the level of votes counts more than their speed",
    "source": "how much of the difference between sites that count votes is removed",
    "recency": "the value of being listed right now",
    "comments": "breaks ties",
    "stars": "breaks ties",
    "mentions": "breaks ties",
    "citations": "breaks ties; new papers have hardly any",
    "topics": "words that many papers of the day share, and few before",
    "text": "a paper without an abstract ranks a little lower",
    "authors": "how much earlier papers by its authors count; 0 ignores the authors",
    "colleagues": "the most that readers who share their saves can move a paper",
    "settling_hours": "hours until half of a paper's votes are in",
    "earliest_hours": "hours; younger papers count as this old",
    "listing_share": "the share of the hours before its listing, on that day, that is not counted",
    "prior_share": (
        "the weight of the day's mean against a paper's own votes, as a share of all votes"
    ),
    "prior_own_share": "the same for the votes expected of the paper itself",
    "counted_hours": "hours after which a paper's votes are known if they ever are",
    "counted_papers": "papers added as known, so that a few unknown ones have little effect",
    "growth_window_hours": "hours over which growth is measured",
    "growth_floor_hours": (
        "hours added to that time, so that counts close together have little effect"
    ),
    "stale_half_life_hours": "hours after which growth without a new count is halved",
    "recency_half_life_hours": "hours after which recency is halved",
    "least_papers": "papers of the day that a topic needs",
    "least_background": "earlier papers needed to know what is usual",
    "least_burst": "how many times its usual share a topic needs",
    "least_strength": "standard deviations above its usual count that a topic also needs",
    "full_words": "words of title and abstract for the full value of text",
    "block_papers": "places in which the papers of one submitter are limited",
    "topic_papers": "how many of those places one topic can take",
}


def formula_of(weights: Weights) -> Formula:
    """The formula with these weights."""
    values = weights.by_name()
    return Formula(
        parts=tuple(
            FormulaPart(names=names, amount=amount.format_map(values), when=when)
            for names, amount, when in _PARTS
        ),
        symbols=tuple((symbol, meaning.format_map(values)) for symbol, meaning in _SYMBOLS),
        constants=tuple(
            Constant(name=name, value=value, meaning=_MEANINGS.get(name, ""))
            for name, value in values.items()
        ),
    )
