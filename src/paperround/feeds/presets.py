"""Predefined feeds for a field, which an operator adds by name.

Only sources of this version are used. arXiv archives whose announcements exceed the limit of one
feed (cs) are represented by their larger categories. Feeds of the same name are identical in all
presets, so presets can share them.
"""

from collections.abc import Mapping

from paperround.feeds.model import NewFeed


def _arxiv(name: str, *categories: str) -> NewFeed:
    return NewFeed(name=name, kind="arxiv", settings={"categories": ",".join(categories)})


def _biorxiv(name: str, *subjects: str, server: str = "") -> NewFeed:
    settings = {"server": server, "categories": ",".join(subjects)}
    return NewFeed(
        name=name, kind="biorxiv", settings={key: text for key, text in settings.items() if text}
    )


_HF = NewFeed(name="hf-daily", kind="hf-daily")
_MEDRXIV = _biorxiv("medrxiv", server="medrxiv")

PRESETS: Mapping[str, tuple[NewFeed, ...]] = {
    "ml": (
        _HF,
        _arxiv("arxiv-ml", "cs.LG", "cs.CL", "cs.CV", "cs.AI", "cs.NE", "stat.ML"),
    ),
    "nlp": (_HF, _arxiv("arxiv-nlp", "cs.CL", "cs.IR", "cs.SD", "eess.AS")),
    "vision": (_HF, _arxiv("arxiv-vision", "cs.CV", "cs.GR", "cs.MM", "eess.IV")),
    "robotics": (_arxiv("arxiv-robotics", "cs.RO", "cs.SY", "eess.SY", "cs.MA"),),
    "cs": (
        _arxiv(
            "arxiv-cs",
            *("cs.AI", "cs.CC", "cs.CL", "cs.CR", "cs.CV", "cs.CY", "cs.DB", "cs.DC", "cs.DS"),
            *("cs.GT", "cs.HC", "cs.IR", "cs.IT", "cs.LG", "cs.LO", "cs.NI", "cs.PL", "cs.RO"),
            *("cs.SE", "cs.SI"),
        ),
    ),
    "security": (_arxiv("arxiv-security", "cs.CR", "cs.NI", "cs.SE"),),
    "hci": (_arxiv("arxiv-hci", "cs.HC", "cs.CY", "cs.SI"),),
    "eess": (_arxiv("arxiv-eess", "eess"),),
    "math": (_arxiv("arxiv-math", "math", "stat"),),
    "stats": (_arxiv("arxiv-stats", "stat", "math.ST", "math.PR", "econ.EM"),),
    "econ": (_arxiv("arxiv-econ", "econ", "q-fin"),),
    "physics": (
        _arxiv(
            "arxiv-physics",
            *("astro-ph", "cond-mat", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th"),
            *("math-ph", "nlin", "nucl-ex", "nucl-th", "physics", "quant-ph"),
        ),
    ),
    "astro": (_arxiv("arxiv-astro", "astro-ph", "gr-qc"),),
    "quantum": (_arxiv("arxiv-quantum", "quant-ph", "cond-mat.quant-gas", "cs.ET"),),
    "bio": (_arxiv("arxiv-bio", "q-bio"), _biorxiv("biorxiv")),
    "neuro": (
        _arxiv("arxiv-neuro", "q-bio.NC", "cs.NE"),
        _biorxiv("biorxiv-neuro", "neuroscience", "animal behavior and cognition"),
    ),
    "medicine": (_MEDRXIV, _arxiv("arxiv-medicine", "physics.med-ph", "q-bio.TO")),
}
"""The feeds of each field."""
