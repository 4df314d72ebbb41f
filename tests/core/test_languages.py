"""Which language somebody is written to in, and which one a text is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.languages import LANGUAGES, accepted, nearest, spoken_or_english, written_in


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_ch", "de"),
        ("fr-CA", "fr"),
        ("es-419", "es"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-hans-sg", "zh-Hans"),
        ("zh-TW", None),
        ("zh-Hant-HK", None),
        ("pt-BR", None),
        ("", None),
    ],
)
def test_the_nearest_language_of_ours_is_found(tag: str, language: str | None) -> None:
    assert nearest(tag) == language
    assert spoken_or_english(tag) == (language or "en")


def test_who_asked_for_no_language_is_written_to_in_english() -> None:
    assert spoken_or_english(None) == "en"


@pytest.mark.accept("F26", part="pages")
@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("ja,fr;q=0.5,en;q=0.4", "fr"),
        ("en;q=0.4, es ; q=0.7", "es"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("fr, de", "fr"),
        ("*", None),
        ("ja, ko", None),
        ("", None),
        ("de;q=2, fr;q=x, es", "es"),
        ("x" * 5000, None),
        (",".join(["ja"] * 30 + ["de"]), None),
    ],
)
def test_a_browser_is_answered_in_what_it_likes_best(header: str, language: str | None) -> None:
    assert accepted(header) == language


@given(st.text(max_size=200))
def test_any_header_and_any_tag_is_read(text: str) -> None:
    assert accepted(text) in {None, *LANGUAGES}
    assert nearest(text) in {None, *LANGUAGES}


@pytest.mark.accept("F26", part="titles")
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Slow Diffusion: Sharp Images from Four Patient Steps", "en"),
        ("Wann lügt ein Sprachmodell? Confidence Probes for 14 Languages", "en"),
        ("Über die Bestimmung der Masse von Neutrinos mit einer Waage", "de"),
        ("Apprentissage de la représentation des graphes par le contraste", "fr"),
        ("Un modelo de lenguaje para el análisis de los textos del siglo", "es"),
        ("Um modelo de linguagem para a análise dos textos do século em português", "pt"),
        ("تعلم الترجمة من أمثلة قليلة", "ar"),
        ("یادگیری ترجمه با چند نمونه", "fa"),
        ("基于扩散模型的图像生成 via Transformers", "zh"),
        ("拡散モデルによる画像生成", "ja"),
        ("확산 모델을 이용한 이미지 생성", "ko"),
        ("Обучение переводу на нескольких примерах", "ru"),
        ("Навчання перекладу на кількох прикладах", "uk"),
        ("β-Cut: Pruning Transformers Until ‖∇L‖₂ ≤ ε", "en"),
        ("GPT-4o", "en"),
        ("", "en"),
        ("∑ 42", "en"),
    ],
)
def test_a_title_speaks_for_its_language(text: str, language: str) -> None:
    assert written_in(text) == language
