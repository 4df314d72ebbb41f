"""Every constant of the ranking in one value, so that trying another one is a value too."""

import math
from dataclasses import asdict, dataclass, replace

from paperround.core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The constants of the trending score. All are finite; raises InvalidInput otherwise.

    The first ten multiply a part of the score (no unit; 0 or more; 0 switches the part off).
    The others shape the parts and are above 0. "Chosen" means a judgement of what a reader
    expects, "replayed" that days with known outcomes were ranked again with several values.
    """

    votes: float = 1.0
    """Natural log of the votes a paper will have when they settle. The unit of all the others."""
    growth: float = 0.5
    """Natural log of the votes a day won lately. Half of `votes`: level first, then speed."""
    source: float = 1.0
    """How much of the difference between the levels of sites that count votes is taken off; 0
    compares their counts as they are. Chosen: nothing tells which of two sites is right."""
    recency: float = 2.0
    """What a paper listed this instant gets. Chosen: a fresh day outweighs e^2 = 7 old votes to 1,
    and a paper that keeps growing can still come back."""
    comments: float = 0.005
    """Log of comments against the day's mean. Replayed: it settles ties; from 0.01 on orders get
    worse."""
    stars: float = 0.005
    """Log of repository stars against the day's mean. Replayed, like comments."""
    mentions: float = 0.005
    """Log of mentions against the day's mean. Chosen, like comments."""
    citations: float = 0.005
    """Log of citations against the day's mean. Chosen: new papers have hardly any."""
    topics: float = 0.3
    """Log of the strength of the bursts of a paper without known votes, against the mean of such
    papers. Chosen: a strong burst outweighs a day, hardly two. Replayed: once votes are known, any
    weight of bursts makes the order worse, so there they do not count."""
    text: float = 0.1
    """What an abstract of `full_words` words or more gets; no abstract gets 0. Chosen."""

    settling_hours: float = 8.0
    """Hours after listing until half of a paper's votes are in. From public counts: the mean
    stood at 10.7 about eight hours into the listing day and settled at 23.7 weeks later."""
    earliest_hours: float = 6.0
    """Ages below this count as this, in hours: the first votes must not explode into a rate."""
    listing_share: float = 0.5
    """Which part of the hours from the start of the day to its listing a paper does not count as
    exposed. Replayed with 0, 0.3, 0.5 and 0.7: weekly precision from the afternoon .849 .852 .852
    and .850, with all of the hours worse than with none."""
    prior_share: float = 0.05
    """How much the day's mean weighs against a paper's own votes, as a share of all the votes a
    paper ever gets: about one vote on a common day. Replayed."""
    prior_own_share: float = 0.1
    """The same for what the learned prior expects of the paper itself. Replayed: from 0.15 on the
    weekly best are found less often."""
    counted_hours: float = 48.0
    """Hours after which a feed that tells votes has told those of a paper. Chosen: two days."""
    counted_papers: float = 5.0
    """Papers that are counted as known beside those old enough, so that a few unknown ones prove
    little. Chosen."""
    growth_window_hours: float = 26.0
    """How far back growth looks, in hours: a day, and two hours for a late reading."""
    growth_floor_hours: float = 6.0
    """Hours added to the span of a growth, so that two readings close together prove little."""
    stale_half_life_hours: float = 24.0
    """A growth last seen this many hours ago counts half."""
    recency_half_life_hours: float = 24.0
    """Hours in which recency halves: yesterday's paper keeps half of it. Chosen."""
    least_papers: float = 3.0
    """A term is no topic below this many papers of the day."""
    least_background: float = 100.0
    """Fewer earlier papers than this cannot tell what is usual, and are not consulted."""
    least_burst: float = 3.0
    """How many times its usual share a term must reach to be a burst."""
    least_strength: float = 3.5
    """And its strength, in standard deviations: of some thousand terms one gets there by chance."""
    full_words: float = 120.0
    """Words of title and abstract from which on the text earns all of `text`."""
    block_papers: float = 12.0
    """The length of the stretches in which one submitter may hold `submitter_cap` places, and one
    topic `topic_papers`: what one digest shows."""
    topic_papers: float = 8.0
    """Places of a stretch that papers on one topic may hold; 0: as many as they get. Chosen."""

    def __post_init__(self) -> None:
        for name, value in self.by_name().items():
            lowest = "0 or more" if name in PART_WEIGHTS else "above 0"
            if not math.isfinite(value) or value < 0 or (value == 0 and name not in PART_WEIGHTS):
                raise InvalidInput(f"the weight {name} cannot be {value:g}: give a number {lowest}")

    def changes(self) -> str:
        """`name=value` of what differs from the defaults, comma-separated; empty for none."""
        usual, mine = DEFAULTS.by_name(), self.by_name()
        return ",".join(f"{name}={mine[name]!r}" for name in mine if mine[name] != usual[name])

    def by_name(self) -> dict[str, float]:
        """Every constant with its value, in the order they are explained."""
        return asdict(self)


PART_WEIGHTS = frozenset(
    "votes source growth recency comments stars mentions citations topics text".split()
)


DEFAULTS = Weights()


def parse_weights(text: str) -> Weights:
    """Read `votes=2,recency=0.5`; what is not named keeps its default.

    Raises InvalidInput for unknown or repeated names and for values that are no usable number.
    """
    given: dict[str, float] = {}
    for item in filter(None, (piece.strip() for piece in text.split(","))):
        name, value = _read(item)
        if name in given:
            raise InvalidInput(f"the weight {name} is given twice: name it once")
        given[name] = value
    return replace(DEFAULTS, **given)


def _read(item: str) -> tuple[str, float]:
    name, _, written = (part.strip() for part in item.partition("="))
    if name not in DEFAULTS.by_name():
        known = ", ".join(DEFAULTS.by_name())
        raise InvalidInput(f"there is no weight {name!r}: the weights are {known}")
    try:
        return name, float(written)
    except ValueError:
        raise InvalidInput(
            f"{item!r} gives the weight {name} no number: write it like {name}=0.5"
        ) from None
