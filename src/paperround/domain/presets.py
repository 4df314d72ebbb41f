"""Feeds that fit a field, ready to be added by name.

Only what the sources of this version can read. Archives of arXiv whose announcements are larger
than one feed may hold (cs) stand as their larger categories.
"""

from collections.abc import Mapping
from types import MappingProxyType

from paperround.domain.feeds import NewFeed


def _arxiv(name: str, *categories: str) -> NewFeed:
    return NewFeed(name=name, kind="arxiv", settings={"categories": ",".join(categories)})


PRESETS: Mapping[str, tuple[NewFeed, ...]] = MappingProxyType(
    {
        "ml": (
            NewFeed(name="hf-daily", kind="hf-daily"),
            _arxiv("arxiv-ml", "cs.LG", "cs.CL", "cs.CV", "cs.AI", "cs.NE", "stat.ML"),
        ),
        "cs": (
            _arxiv(
                "arxiv-cs",
                *("cs.AI", "cs.CC", "cs.CL", "cs.CR", "cs.CV", "cs.CY", "cs.DB", "cs.DC", "cs.DS"),
                *("cs.GT", "cs.HC", "cs.IR", "cs.IT", "cs.LG", "cs.LO", "cs.NI", "cs.PL", "cs.RO"),
                *("cs.SE", "cs.SI"),
            ),
        ),
        "bio": (_arxiv("arxiv-bio", "q-bio"), NewFeed(name="biorxiv", kind="biorxiv")),
        "physics": (
            _arxiv(
                "arxiv-physics",
                *("astro-ph", "cond-mat", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th"),
                *("math-ph", "nlin", "nucl-ex", "nucl-th", "physics", "quant-ph"),
            ),
        ),
        "math": (_arxiv("arxiv-math", "math", "stat"),),
    }
)
"""The feeds of each field: ml, cs, bio, physics, math."""
