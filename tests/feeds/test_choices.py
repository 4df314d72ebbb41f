"""What each setting may be, held against what the sources take and refuse."""

from collections.abc import Iterator

import pytest

from paperround.core.errors import InvalidInput
from paperround.feeds.model import Setting
from paperround.feeds.sources.registry import SOURCES

CHOICES = {kind: source.settings for kind, source in SOURCES.items()}

RIGHT = {
    kind: {
        name: one.example or next(iter(one.values()))
        for name, one in known.items()
        if one.needed or one.example
    }
    for kind, known in CHOICES.items()
}
"""The settings a feed of each kind cannot be without, and words to search for."""

SEARCHES = frozenset({"query", "search"})
"""Settings that may be any words on one line."""


def settings_of_all() -> Iterator[tuple[str, str, Setting]]:
    for kind, known in CHOICES.items():
        yield from ((kind, name, choice) for name, choice in known.items())


ALL = pytest.mark.parametrize(
    ("kind", "name", "choice"),
    list(settings_of_all()),
    ids=[f"{kind} {name}" for kind, name, _ in settings_of_all()],
)


def url_for(kind: str) -> str | None:
    return "https://journal.example/feed" if SOURCES[kind].needs_url else None


def refused(kind: str, settings: dict[str, str], url: str | None = None) -> str:
    with pytest.raises(InvalidInput) as caught:
        SOURCES[kind].check(url or url_for(kind), settings)
    assert str(caught.value)
    return caught.value.code


@ALL
def test_a_source_knows_the_setting_and_takes_every_value_of_it(
    kind: str, name: str, choice: Setting
) -> None:
    bounds = [str(one) for one in (choice.low, choice.high) if one is not None]
    for value in [*choice.values(), *bounds, *filter(None, [choice.default, choice.example])]:
        SOURCES[kind].check(url_for(kind), {**RIGHT[kind], name: value})
    several = ",".join(list(choice.values())[:3])
    if choice.many:
        SOURCES[kind].check(None, {**RIGHT[kind], name: several})
    elif choice.values():
        assert refused(kind, {**RIGHT[kind], name: several}) == f"settings.{name}"


@pytest.mark.accept("F09", part="checks")
@pytest.mark.parametrize("wrong", ["-1", "no such thing", "\0", "\ud800", "*", "9" * 5000, "a\nb"])
@ALL
def test_a_wrong_value_is_refused_with_its_field(
    kind: str, name: str, choice: Setting, wrong: str
) -> None:
    del choice
    if name in SEARCHES and wrong in {"-1", "no such thing", "*", "a\nb"}:
        return  # words like others; a line break is a blank, or refused
    assert refused(kind, {**RIGHT[kind], name: wrong}) == f"settings.{name}"


@ALL
def test_a_needed_setting_may_not_be_missing(kind: str, name: str, choice: Setting) -> None:
    if choice.needed:
        assert refused(kind, {}) == f"settings.{name}"


@pytest.mark.parametrize("kind", CHOICES)
def test_an_unknown_setting_and_a_wrong_address_are_refused_by_name(kind: str) -> None:
    assert refused(kind, {**RIGHT.get(kind, {}), "colour": "red"}) == "settings.colour"
    for url in ("ftp://x.example", "https://a:b@x.example", "https://[", "https://x.example/#y"):
        assert refused(kind, RIGHT.get(kind, {}), url) == "url"
