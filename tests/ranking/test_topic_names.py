"""Which words a reader would recognise as a topic, and how they are written."""

import pytest

from paperround.ranking.topic_names import names_topic, own_topics, shared_topic, spaced, spell


@pytest.mark.accept("Q17", part="topics")
@pytest.mark.parametrize(
    ("term", "title"),
    [
        ("grpo", "Pref-GRPO: GRPO with preferences"),
        ("qwen3-vl", "Qwen3-VL Technical Report"),
        ("4dgs", "Compression for 4DGS"),
        ("vlas", "Fast VLAs"),
        ("agentic reinforcement learning", "A Survey of Agentic Reinforcement Learning"),
        ("fine-grained supervision", "Fine-Grained Supervision for Tools"),
        ("video generation", "Video Generation with Memory"),
        ("world models", "World Models that Last"),
    ],
)
def test_names_and_telling_phrases_are_topics(term: str, title: str) -> None:
    assert names_topic(term.split(), title)


@pytest.mark.accept("Q17", part="topics", mutant="any-burst-is-a-topic")
@pytest.mark.parametrize(
    ("term", "title"),
    [
        ("temporal", "Temporal Alignment of Video"),
        ("rare", "RARe: Retrieval with Examples"),
        ("dedicated", "Dedicated Feedback"),
        ("3d-consistent", "3D-Consistent Poses"),
        ("comprehensive framework", "A Comprehensive Framework for Safety"),
        ("general reasoning", "General Reasoning from the Start"),
        ("video generative", "Video Generative Pretraining"),
        ("language models", "Language Models Forget"),
    ],
)
def test_words_that_could_stand_anywhere_are_none(term: str, title: str) -> None:
    assert not names_topic(term.split(), title)


def shared(words: str, *texts: str, titles: tuple[str, ...]) -> str:
    weights = {word: 1.0 / place for place, word in enumerate(words.split(), start=1)}
    return shared_topic(weights, [spaced(text) for text in texts], titles)


@pytest.mark.accept("Q17", part="topics", mutant="a-phrase-of-one-paper-is-shared")
def test_two_papers_share_a_phrase_that_stands_in_both() -> None:
    both = "Masked training of models", "We find that masked training helps."
    assert shared("training masked helps", *both, titles=both[:1]) == "masked training"
    apart = "Masked training of models", "Training is masked by noise."
    assert shared("training masked", *apart, titles=apart[:1]) == ""


def test_a_phrase_does_not_run_from_the_title_into_the_abstract() -> None:
    shared = {"kiln": 1.0, "glaze": 1.0}
    texts = spaced("The kiln", "Glaze runs."), spaced("Kiln glaze")
    assert shared_topic(shared, texts, ("Kiln glaze",)) == ""


@pytest.mark.accept("F62", mutant="any-noun-is-a-topic-alone")
def test_a_word_that_says_something_only_beside_others_is_not_shared_alone() -> None:
    texts = "Generation of video generation", "Video generation, or any generation."
    assert shared("generation video", *texts, titles=("Generation, and pots",)) == ""
    assert shared("generation video", *texts, titles=("Video generation",)) == "video generation"


def test_a_single_word_is_shared_if_it_is_a_specific_noun() -> None:
    texts = "Physics in video. Physics is hard.", "We use physics, conduct physics and analysis."
    assert shared("conduct physics analysis", *texts, titles=texts) == "physics"
    assert shared("physics", "Physics of tea", "Notes on physics", titles=("Physics of tea",)) == ""
    assert shared("cultural", "Cultural gaps", "a cultural gap", titles=("Cultural gaps",)) == ""


@pytest.mark.parametrize(
    ("topic", "title", "abstract", "written"),
    [
        ("gui agents", "GUI Agents at Work", "We train GUI agents.", "GUI agents"),
        ("failure modes", "Failure Modes of VLMs", "", "failure modes"),
        ("r1-like reasoning", "R1-Like Reasoning", "", "R1-like reasoning"),
        (
            "gaussian splatting",
            "Fast Splatting",
            "We use Gaussian splatting.",
            "Gaussian splatting",
        ),
        ("deep search", "Deep Search", "We call it Deep Search (DS).", "deep search"),
        ("navigation", "Navigation", "for Vision-Language Navigation (VLN) we", "navigation"),
        ("grpo", "GRPO and More", "", "GRPO"),
    ],
)
def test_a_topic_is_written_as_within_a_sentence(
    topic: str, title: str, abstract: str, written: str
) -> None:
    assert spell(topic, title, abstract) == written


@pytest.mark.accept("F54", part="plain words")
@pytest.mark.parametrize(
    ("title", "abstract", "keywords", "topics"),
    [
        (
            "Retrieve and Link: Fast and Accurate Entity Linking",
            "Entity linking finds the entities that a text names.",
            (),
            ("entity linking",),
        ),
        (
            "Law of the Weakest Link",
            "Models are as strong as the weakest link in a law of the chain.",
            ("MoE routing",),
            ("weakest link", "MoE routing"),
        ),
        ("A Survey", "We survey methods and results.", ("results",), ()),
        ("", "", ("", "one two three four"), ()),
    ],
)
def test_a_paper_is_about_phrases_of_its_title_and_then_its_keywords(
    title: str, abstract: str, keywords: tuple[str, ...], topics: tuple[str, ...]
) -> None:
    assert own_topics(title, abstract, keywords) == topics
