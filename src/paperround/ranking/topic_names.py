"""Decide which words a reader would recognise as a topic, and spell them as a paper does.

Many words are suddenly frequent, or common to two papers, and still say nothing: "temporal",
"dedicated", "comprehensive framework". A topic is a name such as GRPO or Qwen3-VL, a phrase whose
last word is a thing (`failure modes`), or, where two papers often mention it, a noun alone.
"""

import re
from collections.abc import Mapping, Sequence

from paperround.ranking.stop_words import may_join, stands_alone, tokens

_VAGUE = frozenset(
    """
    abilities ability accurate action adaptive advanced agentic alternative anything aspect aspects
    atomic attribute attributes auto automated automatic aware balanced basis behavior behaviors
    benchmarking better beyond bridging broad building case cases central choice choices class clear
    coherent common compact complete component components comprehensive computer computers concept
    concepts condition conditions consistent constraint constraints context continuous control
    controlled core correct count coupling creation criteria critical cross daily dedicated deeper
    degree dense depth details direct directions distinct diverse diversity downstream dual dynamic
    dynamics early easy effect effects element elements elicit eliciting elicits emergent end
    entities entity environment environments error errors essential evaluating evidence evolution
    evolving example examples experience experiences expert experts explicit exploration exploring
    expressive external extra factor factors fast faster fine fine-grained fine-tuning finetuning
    fixed flexible focus form forms foundation fully function functions future gap gaps general
    generalist generalizable generalization generic global goal goals granular group groups growth
    guidance guide guideline guidelines heterogeneous hierarchical holistic human ideal image images
    impact implementation implementations implicit improving increasing independent individual
    influence input inputs insight insights instance instances integrated integration interaction
    interactions interactive internal intrinsic introduction joint key language large latent
    learning lens level levels lightweight line llm llms lm lms local long loop main mechanism
    mechanisms meta metric metrics minimal mixed mllm mllms mode modeling modelling modern modes
    modular module modules multi multiple natural need needs new next object objective objectives
    open optimal optimization option options order original outcome outcomes output outputs overview
    pair pairs paradigm paradigms paradox part parts path paths pattern patterns perspective
    perspectives phase physical pipeline pipelines point points policy position possible
    post-training potential power powerful practice practices pre-training precise pretraining
    principle principles prior probability procedure progress progressive properties property public
    pure purpose quick random rare rate rates ratio reality reasoning record records reference
    regime regimes reliable report rethinking review rich right robust role roles rule rules
    scalable scaling scenario scenarios scope search selected selection semantic sense sequence
    sequential series setting settings shape shared shift short signal signals simultaneous source
    sources sparse specialized specific stability stable stage stages standard step steps strength
    stronger style styles subject subjects subset subtle success suite supervised support surface
    survey synthetic table target targets team technical temporal test tests text theory thing
    things thinking token tokens tool tools top topic topics toward towards track tradeoff training
    transfer transition trends true turn turns type types uncertain unified unifying universal
    unknown unlocking user users utility valuable value values variable variant variants variety
    versatile version video videos view views visual vlm vlms way ways weak whole word words world
    worlds zero
    """.split()
)
"""Words that name no topic alone; a phrase needs at least one other word."""

_NOT_LAST = frozenset(
    """
    ability accuracy analysis approach approaches architecture architectures aspect aspects
    assessment baseline baselines benchmark benchmarks capacity case challenge challenges
    comparison complexity component components cost costs data design development direction effect
    effectiveness efficiency efficient evaluation experiment experiments feature features
    formulation framework frameworks guidance high improvement information issue issues key
    knowledge large level low mechanism method methods methodology module outcome paradigm
    performance perspective pipeline practice principle problem problems procedure process
    processes quality quantity question questions report requirements resource resources result
    results role scale scenario scenarios setting settings single size sizes small solution
    solutions stage strategies strategy strong structure structures study studies success suite
    survey system systems task tasks technique techniques time type understanding view way world
    """.split()
)
"""Words that end no topic: a `diffusion framework` is about diffusion."""

_NOT_ALONE = frozenset(
    """
    activation adaptation adapts advantage align allocation anchoring annotations answering
    answers applications bottleneck care causal character chunk concurrent conferences confident
    construction controlling decomposition degenerate distractors distribution document draft
    encoder engineering enhances execution failures force forcing four generation generations hard
    hybrid incremental instruction intelligence interleaving latents layers legal lifting linear
    lookahead matching million mind molecular multimodal parallel parameter pass pool posing
    precision prediction preservation processing reinforcement replacement reverse sample samples
    scene scenes scratch script seeking segment skill spoken station subspace supervision
    synthesis teacher thought trajectories usage vectors web weights
    """.split()
)
"""Words that name a topic only beside others: `video generation`, `multimodal models`."""

_ADJECTIVE = re.compile(
    r"(?:[aeiou]ral|ual|ial|onal|ical|inal|imal|ous|able|ible|ive|ic|ed|less|ful|ly"
    r"|-(?:free|aware|wise|step|turn|shot|scale|fidelity|end|level|context|specific|consistent"
    r"|efficient|agnostic|quality|view|like|to-\w+))$"
)
_NOUNS = frozenset(
    """
    anomaly archive arithmetic assembly family feed graphic logic magic material music seed speed
    traffic trial tutorial
    """.split()
)
_PHRASES = frozenset({"world model", "world models"})
"""Topics made of words that name none otherwise."""

_NAME = re.compile(r"(?:[A-Z]{2,}s?|\w*\d\w*)")
LONGEST = 3
"""Words of the longest topic."""
MENTIONS = 3
"""The least mentions of a single word, in two papers together, that make it their topic."""


def names_topic(words: Sequence[str], title: str) -> bool:
    """Whether a reader would recognise these lower-case words, found in `title`, as a topic.

    A single word must be a name: in capitals, or with a digit.
    """
    if len(words) > 1:
        return _is_phrase(words)
    spelled = re.search(rf"(?<!\w){re.escape(words[0])}(?!\w)", title, re.IGNORECASE)
    return spelled is not None and all(map(_NAME.fullmatch, spelled[0].split("-")))


def shared_topic(shared: Mapping[str, float], texts: Sequence[str], titles: Sequence[str]) -> str:
    """The topic that two papers have in common, in lower case; empty if there is none.

    `shared` are the weights of words in both papers, `texts` the papers as `spaced` text. The
    topic is the heaviest run of such words in one of the `titles` that occurs in both texts, a
    single word at least MENTIONS times in all.
    """
    best, weight = "", 0.0
    for title in titles:
        named = tokens(title)
        for start in range(len(named)):
            for end in range(start + 1, min(start + LONGEST, len(named)) + 1):
                run = named[start:end]
                if run[-1] not in shared:
                    break
                gain = sum(shared[word] for word in run)
                if gain > weight and is_topic(run) and _occurs_in_all(run, texts):
                    best, weight = " ".join(run), gain
    return best


MOST_OWN = 2
"""The most topics named for one paper."""


def own_topics(title: str, abstract: str, keywords: Sequence[str]) -> tuple[str, ...]:
    """At most MOST_OWN topics of one paper: phrases of its title that its abstract mentions, the
    longest and most often mentioned first, then its keywords."""
    words, text = tokens(title), spaced(abstract)
    runs = [
        words[start:end]
        for start in range(len(words))
        for end in range(start + 2, min(start + LONGEST, len(words)) + 1)
    ]
    mentioned = [run for run in runs if _names_subject(run) and _spaced(run) in text]
    mentioned.sort(key=lambda run: -len(run) * text.count(_spaced(run)))
    chosen: list[str] = []
    for run in (*mentioned, *filter(_names_subject, map(tokens, keywords))):
        phrase = _spaced(run)
        if not any(phrase in one or one in phrase for one in chosen):
            chosen.append(phrase)
    written = " ".join((title, *keywords))
    return tuple(spell(" ".join(one.split()), written, abstract) for one in chosen[:MOST_OWN])


def _names_subject(run: Sequence[str]) -> bool:
    """Whether words of one paper name what it is about: a topic without a loose end."""
    is_short = 0 < len(run) <= LONGEST and all(word[0].isalnum() for word in run)
    return is_short and may_join(run[-1]) and is_topic(run)


def spaced(*texts: str) -> str:
    """The tokens of `texts`, each with its own space on both sides, to count phrases in. No phrase
    spans two texts."""
    return _spaced(tokens(" . ".join(texts)))


def _spaced(words: Sequence[str]) -> str:
    return f" {'  '.join(words)} "


def spell(topic: str, title: str, abstract: str) -> str:
    """`topic` with the capitals that its words have within a sentence: `GUI agents`."""
    return " ".join(_spell(word, title, abstract) for word in topic.split())


def is_topic(run: Sequence[str]) -> bool:
    """Whether two texts that share these lower-case words share a topic: a single word must say
    something alone."""
    if len(run) > 1:
        return _is_phrase(run)
    word = run[0]
    is_whole = word.count("-") != 1 and word not in _NOT_ALONE
    return is_whole and _is_specific(word) and _ends_well(word)


def _is_phrase(words: Sequence[str]) -> bool:
    if " ".join(words) in _PHRASES:
        return True
    return may_join(words[0]) and _ends_well(words[-1]) and any(map(_is_specific, words))


def _occurs_in_all(run: Sequence[str], texts: Sequence[str]) -> bool:
    counts = [text.count(_spaced(run)) for text in texts]
    return all(counts) and (len(run) > 1 or sum(counts) >= MENTIONS)


def _is_specific(word: str) -> bool:
    return stands_alone(word) and may_join(word) and word not in _VAGUE


def _ends_well(word: str) -> bool:
    is_adjective = word not in _NOUNS and _ADJECTIVE.search(word) is not None
    return word not in _NOT_LAST and not is_adjective


def _spell(word: str, title: str, abstract: str) -> str:
    """The word in lower case, except for names: those with other capitals or digits (`R1-like`),
    and those that stand alone with a capital within a sentence (`Gaussian`)."""
    text = f"{title} {abstract}"
    name = word.capitalize()
    if re.search(rf"\b[a-z][\w-]*,?\s{re.escape(name)}(?=\s[a-z]|[,.;)])", abstract):
        return name
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    parts = (found[0] if found else word).split("-")
    return "-".join(part if _keeps_capitals(part) else part.lower() for part in parts)


def _keeps_capitals(part: str) -> bool:
    return any(letter.isupper() for letter in part[1:]) or any(map(str.isdigit, part))
