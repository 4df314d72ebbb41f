"""Define the constants of the trending score."""

import math
import re
from dataclasses import asdict, dataclass, replace

from paperround.core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The constants of the trending score. Raises InvalidInput if one is out of range.

    The first twelve multiply a part of the score (no unit; 0 or more; 0 switches the part off). The
    others shape the parts and are above 0. "Chosen" marks a judgement of what readers expect,
    "replayed" a comparison of several values on days with known outcomes.
    """

    votes: float = 1.0
    """Natural log of the expected final votes. The unit of all the others."""
    growth: float = 0.5
    """Natural log of recent votes per day. Half of `votes`: the level of votes counts more than
    their speed."""
    source: float = 1.0
    """The share of the difference between the levels of sites to remove; 0 compares their counts as
    they are. Chosen: we do not know which of two sites is right."""
    recency: float = 2.0
    """The part of a paper listed just now. Chosen: a fresh day outweighs e^2 = 7 times the votes,
    and a paper that keeps growing can still come back."""
    comments: float = 0.005
    """Log of comments relative to the day's mean. Replayed: it breaks ties; from 0.01 on the order
    gets worse."""
    stars: float = 0.005
    """Log of repository stars relative to the day's mean. Replayed, like comments."""
    mentions: float = 0.005
    """Log of mentions relative to the day's mean. Chosen, like comments."""
    citations: float = 0.005
    """Log of citations relative to the day's mean. Chosen: new papers have hardly any."""
    topics: float = 0.3
    """Log of the strength of the bursts of a paper with unknown votes, relative to the mean of such
    papers. Chosen: a strong burst outweighs one day, hardly two. Replayed: once votes are known,
    any weight of bursts makes the order worse, so it does not apply there."""
    text: float = 0.1
    """The part of an abstract of `full_words` words or more; 0 without an abstract. Chosen."""
    authors: float = 1.0
    """The share of what the authors' earlier papers add to the expected votes. With 0 a paper ranks
    the same whoever wrote it, and no author is named as popular."""
    colleagues: float = 1.0
    """The most that readers who share what they save move a paper, up or down: half of it from
    three people on, all from six. Chosen: six of them weigh like 2.7 times the votes."""

    settling_hours: float = 8.0
    """Hours after listing until half of a paper's votes are in. From public counts: the mean
    stood at 10.7 about eight hours into the listing day and settled at 23.7 weeks later."""
    earliest_hours: float = 6.0
    """The least age, in hours: the first votes must not turn into a huge rate."""
    listing_share: float = 0.5
    """The share of the time from midnight to the listing that does not count as exposure. Replayed
    with 0, 0.3, 0.5 and 0.7: weekly precision from the afternoon .849 .852 .852 and .850; 1 is
    worse than 0."""
    prior_share: float = 0.05
    """The weight of the day's mean relative to a paper's own votes, as a share of its final votes:
    about one vote on a usual day. Replayed."""
    prior_own_share: float = 0.1
    """The same for the learned prior of the paper. Replayed: from 0.15 on the best papers of a week
    are found less often."""
    counted_hours: float = 48.0
    """Hours after which a feed with votes has reported those of a paper. Chosen: two days."""
    counted_papers: float = 5.0
    """Papers added as known to those old enough, so that a few unknown ones have little effect.
    Chosen."""
    growth_window_hours: float = 26.0
    """The window of growth in hours: a day, and two hours for a late reading."""
    growth_floor_hours: float = 6.0
    """Hours added to the span of a growth, so that two close readings have little effect."""
    stale_half_life_hours: float = 24.0
    """A growth last observed this many hours ago counts half."""
    recency_half_life_hours: float = 24.0
    """Hours in which recency halves: yesterday's paper keeps half of it. Chosen."""
    least_papers: float = 3.0
    """The least papers of the day with a topic's term."""
    least_background: float = 100.0
    """The least earlier papers to estimate what is usual; fewer are ignored."""
    least_burst: float = 3.0
    """The least multiple of its usual share that makes a term a burst."""
    least_strength: float = 3.5
    """The least strength of a burst, in standard deviations: of a few thousand terms, one gets
    there by chance."""
    full_words: float = 120.0
    """Words of title and abstract that earn all of `text`."""
    block_papers: float = 12.0
    """The places of a block, in which one submitter may have `submitter_cap` papers and one topic
    `topic_papers`: the size of a digest."""
    topic_papers: float = 8.0
    """Places of a block for papers on one topic. Chosen."""

    def __post_init__(self) -> None:
        for name, value in self.by_name().items():
            lowest = "0 or more" if name in PART_WEIGHTS else "above 0"
            if not math.isfinite(value) or value < 0 or (value == 0 and name not in PART_WEIGHTS):
                raise InvalidInput(f"the weight {name} cannot be {value:g}: give a number {lowest}")

    def changes(self) -> str:
        """The weights that differ from the defaults as `name=value`, comma-separated."""
        usual, own = DEFAULTS.by_name(), self.by_name()
        return ",".join(f"{name}={own[name]!r}" for name in own if own[name] != usual[name])

    def by_name(self) -> dict[str, float]:
        """Every constant with its value, in order of definition."""
        return asdict(self)


PART_WEIGHTS = frozenset(
    "votes source growth recency comments stars mentions citations topics text authors"
    " colleagues".split()
)


DEFAULTS = Weights()
_NAMED = re.compile(r"\(([^)]*)\)")


def parse_weights(text: str) -> Weights:
    """Parse `votes=2,recency=0.5`; other weights keep their defaults.

    Raises InvalidInput for unknown or repeated names and for invalid values.
    """
    given: dict[str, float] = {}
    for item in filter(None, (piece.strip() for piece in text.split(","))):
        name, value = _parse_weight(item)
        if name in given:
            raise InvalidInput(f"the weight {name} is given twice")
        given[name] = value
    return replace(DEFAULTS, **given)


def weights_of(ranker: str) -> Weights:
    """Return the weights in the name of a ranker, such as `trending-3(votes=2.0)+authors-1`, which
    editions store. Returns the defaults if this version does not know one of them."""
    named = _NAMED.search(ranker)
    try:
        return parse_weights(named[1]) if named else DEFAULTS
    except InvalidInput:
        return DEFAULTS


def _parse_weight(item: str) -> tuple[str, float]:
    name, _, value = (part.strip() for part in item.partition("="))
    if name not in DEFAULTS.by_name():
        known = ", ".join(DEFAULTS.by_name())
        raise InvalidInput(f"there is no weight {name!r}: the weights are {known}")
    try:
        return name, float(value)
    except ValueError:
        raise InvalidInput(
            f"{item!r} gives the weight {name} no number: write it like {name}=0.5"
        ) from None
