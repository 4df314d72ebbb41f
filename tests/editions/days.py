"""Days of papers, made up."""

from datetime import timedelta

from hypothesis import strategies as st

from paperround.editions.model import Candidate
from paperround.papers.model import Observation
from tests.ranking.ranked_papers import NOW, candidate

WORDS = st.sampled_from("seal tide front optical flow dark matter the of 3d naïve µ-wave".split())
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)
OBSERVATIONS = st.lists(
    st.builds(
        Observation,
        signal=st.sampled_from(["upvotes", "comments", "github_stars", "citations", "odd"]),
        value=st.integers(-3, 10**9),
        captured_at=st.integers(-40, 200).map(lambda hours: NOW - timedelta(hours=hours)),
    ),
    max_size=4,
)


@st.composite
def days(draw: st.DrawFn) -> list[Candidate]:
    """Up to 20 candidates of the last days, most things about them known or not."""
    return [_drawn(draw, number) for number in range(draw(st.integers(0, 20)))]


def _drawn(draw: st.DrawFn, number: int) -> Candidate:
    since = NOW - timedelta(hours=draw(st.integers(-30, 200)))
    return candidate(
        number,
        *draw(OBSERVATIONS),
        title=draw(TEXTS),
        abstract=draw(TEXTS),
        counts_from=since,
        listed_on=draw(st.sampled_from([None, since.date()])),
        submitter=draw(st.sampled_from([None, "one", "two"])),
        withdrawn=draw(st.booleans()) and draw(st.booleans()),
    )
