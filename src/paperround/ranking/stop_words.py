"""Split titles and abstracts into tokens, and list the words that never name a topic."""

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"[^\W_]+(?:-[^\W_]+)*|[^\w\s]|_")
_BREAK = " . "

_FUNCTION_WORDS = """
a about above across after again against al all almost along already also although always among an
and another any are as at be because been before being below best better between beyond both but
by can cannot could did do does doing done down due during each either else enough et etc even
ever every few finally first for found from further given has have having he hence her here his
how however i if in indeed instead into is it its itself just last least less like many may me
might more moreover most much must my near nearly need needs neither never no nor not now of off
often on once one only onto or other others our out over own per perhaps quite rather recently
same second several she should since so some still such than that the their them then there
thereby therefore these they third this those though three through throughout thus to together too
toward towards two under until up upon us use used useful uses using very via was way we well were
what when where whereas whether which while who whom whose why will with within without would yet
you your
"""
_PROSE_OF_ABSTRACTS = """
abstract achieve achieved achieves achieving across address addresses art available based called
commonly comparable compared competitive consistently contribution contributions demonstrate
demonstrated demonstrates demonstrating develop developed different easier effective effectively
effectiveness efficiently eg empirical enable enables enabling existing experiment experimental
experiments extensive extensively faster fewer finding findings furthermore github given good
greater harder highly http https ie improve improved improvement improvements improves improving
including introduce introduced introduces introducing known larger leading leads limitation
limitations limited made main make makes named new novel number numerous obtain obtained offers
outperform outperforming outperforms paper papers particular performs popular potential present
presented presents previous previously prior promising propose proposed proposes proposing provide
provides providing publicly recent reduce reduced reduces reducing relevant require required
requires result resulting results richer show showing shown shows significant significantly
similar simple smaller state state-of-the-art studies study suggest superior typically various
wide widely work works www
"""
_ONLY_IN_PHRASES = """
accuracy analysis approach approaches architecture architectures baseline baselines benchmark
benchmarks budget capacity challenge challenges challenging code complex computation computational
cost costs current data dataset datasets deep design domain domains efficiency efficient evaluate
evaluated evaluation feature features framework high higher inference information issue issues key
knowledge large large-scale learn learned learning low lower method methods model models network
networks parameters performance problem problems process quality quantity question questions real
representation representations research resource resources role scale set sets single size sizes
small solution solutions space strategy strong structure system systems task tasks technique
techniques time trade-off trade-offs tradeoff tradeoffs train trained training understanding world
"""
_NEVER = frozenset((_FUNCTION_WORDS + _PROSE_OF_ABSTRACTS).split())
_TOO_COMMON_ALONE = frozenset(_ONLY_IN_PHRASES.split())


def tokens(text: str) -> list[str]:
    """Lower-case words and punctuation in order; compounds such as `zero-shot` are one word."""
    return _TOKEN.findall(text.lower())


def paper_tokens(title: str, abstract: str) -> list[str]:
    """The tokens of a paper; a full stop keeps phrases from spanning title and abstract."""
    return tokens(title + _BREAK + abstract)


def may_join(word: str) -> bool:
    """Whether `word` may be part of a phrase: not a stop word, number or punctuation."""
    return len(word) > 1 and word not in _NEVER and not word.isdigit()


def stands_alone(word: str) -> bool:
    """Whether `word`, which may join a phrase, is specific enough to name a topic alone."""
    return len(word) > 2 and word not in _TOO_COMMON_ALONE


def shingles(words: Sequence[str], size: int) -> frozenset[tuple[str, ...]]:
    """Every run of `size` adjacent words, or all of a shorter text."""
    if len(words) <= size:
        return frozenset([tuple(words)]) if words else frozenset()
    return frozenset(zip(*(words[start:] for start in range(size)), strict=False))
