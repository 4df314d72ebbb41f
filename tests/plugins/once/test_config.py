"""The file of one reader: each mistake is a line that names the file and the key."""

import re
from pathlib import Path

import pytest

from paperround.core.errors import Misconfigured
from paperround.plugins.once.config import NOBODY, read_config
from tests.plugins.once.once_folder import GUIDE

GOOD = "presets = ['ml']\n[files]\nhtml = 'digest.html'\n"
MISTAKES = {
    "presets = ml": "this is not TOML: Invalid value (at line 1, column 11): text needs quotes",
    "intrests = []": "there is no key intrests: did you mean interests?",
    "files.hmtl = 'a'": "there is no key files.hmtl: did you mean files.html?",
    "size = '5'": "size is '5': write a whole number",
    "size = 500": "size is 500: write 50 or less",
    "email = 'ada'\nsettings.smtp_url = 'smtps://a'": "email: this is not an email address: write",
    "timezone = 'Berlin'": "timezone: 'Berlin'",
    "frequency = 'hourly'": "frequency is 'hourly': use daily, weekdays, weekly:mon (to sun), or",
    "language = 'tlh'": "language: use one of en, de, fr, es, zh-Hans",
    "interests = ['bees']": "interests: 'bees' begins with none of",
    "interests = ['keyword:']": "interests: 'keyword:': it is empty",
    "interests = 'keyword:bees'": "interests is 'keyword:bees': it is a list: put brackets around",
    "keep_days = 6": "keep_days is 6: write 35 or more",
    "presets = ['bees']": "presets: there is no 'bees': use some of ml,",
    "feeds = [{name = 'a', kind = 'fax'}]": "feeds, entry 1: there is no kind of feed called 'fax'",
    "feeds = [{name = 'a', colour = 'red'}]": "feeds, entry 1: a feed has no 'colour'",
    "feeds = {name = 'a'}": "feeds: write [[feeds]] with two brackets",
    "feeds = [{name = 'a', kind = 'feed', email = 'a'}]": "feeds, entry 1.email: write it above",
    "files.presets = ['ml']": "files.presets: write it above the first table",
    "settings.email = 'ada@lab.example.org'": "settings.email: write it above the first table",
    "smtp_url = 'smtps://a'": "smtp_url: write it below [settings]",
    "html = 'digest.html'": "html: write it below [files]",
    "settings.smtp_url = 'a'": "settings.smtp_url: write it like smtps://user:password@smtp",
    "files.markdown = '.'": "files.markdown: ",
    "files.atom = 'once.toml/a.xml'": "files.atom: nothing can be written in ",
    "settings.smtp_rate = 'fast'": "settings.smtp_rate: 'fast' is not a rate",
    "settings.smpt_url = 'smtp://a'": "there is no setting settings.smpt_url: did you mean",
    "settings.database_url = 'x'": "settings.database_url: leave it out: the database is a file in",
    "email = 'ada@lab.example.org'": "settings.smtp_url: required to send email",
}


def fault(folder: Path, text: str) -> str:
    """What is said of a file with this text."""
    place = folder / "once.toml"
    place.write_text(text)
    with pytest.raises(Misconfigured) as caught:
        read_config(place)
    return str(caught.value).replace(str(place), "once.toml")


@pytest.mark.accept("F58", part="mistakes", mutant="once-ignores-a-misspelt-key")
@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_names_the_file_and_the_key(tmp_path: Path, line: str) -> None:
    others = GOOD if "presets" not in line else "\n[files]\nhtml = 'digest.html'\n"
    others = others.replace("[files]\nhtml", "files.html") if "files" in line else others
    said = fault(tmp_path, f"{line}\n{others}")
    assert said.startswith(f"once.toml: {MISTAKES[line]}")
    assert "\n" not in said


@pytest.mark.accept("F58", part="mistakes")
def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    said = fault(tmp_path, "email = 'ada'\nfrequency = 'hourly'\n")
    assert said.splitlines()[0] == "4 settings are wrong:"
    for start in ("email: ", "frequency is ", "feeds: no feeds or papers", "settings.smtp_url: "):
        assert f"  once.toml: {start}" in said


@pytest.mark.accept("F58", part="mistakes")
def test_a_misspelt_key_hides_no_other_mistake(tmp_path: Path) -> None:
    said = fault(tmp_path, "prests = ['ml']\nsize = 99\nfrequency = 'hourly'\n")
    assert said.splitlines()[0] == "3 settings are wrong:"
    for start in ("there is no key prests", "size is 99", "frequency is 'hourly'"):
        assert f"  once.toml: {start}" in said


def test_a_file_without_any_outlet_is_told_so(tmp_path: Path) -> None:
    assert "email: set it, or a path in [files]" in fault(tmp_path, "presets = ['ml']")


def test_the_examples_of_the_guide_are_right(tmp_path: Path) -> None:
    place = tmp_path / "once.toml"
    examples = re.findall(r"^```toml\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.M | re.S)
    for example in examples:
        place.write_text(example)
        assert read_config(place).feeds
    assert len(examples) == 2


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"once.toml: No such file or directory: .* --config$"):
        read_config(tmp_path / "once.toml")


def test_paths_begin_at_the_folder_of_the_file(tmp_path: Path) -> None:
    place = tmp_path / "once.toml"
    place.write_text(GOOD)
    config = read_config(place)
    assert config.state == tmp_path / "paperround-state"
    assert config.files == {"html": tmp_path / "digest.html"}
    assert config.address is NOBODY
    assert [feed.name for feed in config.feeds] == ["hf-daily", "arxiv-ml"]


@pytest.mark.accept("F58", part="mistakes")
def test_the_environment_wins_and_its_mistakes_keep_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "once.toml"
    place.write_text(f"email = 'ada@lab.example.org'\n{GOOD}[settings]\nsmtp_connections = 2\n")
    monkeypatch.setenv("PAPERROUND_SMTP_URL", "smtp://127.0.0.1:25")
    monkeypatch.setenv("PAPERROUND_SMTP_CONNECTIONS", "3")
    settings = read_config(place).settings
    assert (settings.smtp_url, settings.smtp_connections) == ("smtp://127.0.0.1:25", 3)
    monkeypatch.setenv("PAPERROUND_SMTP_CONNECTIONS", "many")
    with pytest.raises(Misconfigured, match=r"^PAPERROUND_SMTP_CONNECTIONS is 'many'"):
        read_config(place)


def test_a_file_that_a_setting_names_is_looked_for_beside_the_configuration(tmp_path: Path) -> None:
    place = tmp_path / "once.toml"
    tmp_path.joinpath("relay").write_text("smtps://ada:secret@mail.example.org\n")
    place.write_text(f"{GOOD}[settings]\nsmtp_url_file = 'relay'\n")
    assert read_config(place).settings.smtp_url == "smtps://ada:secret@mail.example.org"


def test_every_interest_that_is_wrong_is_told(tmp_path: Path) -> None:
    said = fault(tmp_path, f"interests = ['bees', 'keyword:bees', 'wasps']\n{GOOD}")
    assert "'bees' begins with" in said
    assert "'wasps' begins with" in said


def test_a_file_that_is_not_utf_8_is_one_line(tmp_path: Path) -> None:
    place = tmp_path / "once.toml"
    place.write_bytes(b"email = '\xe9'")
    with pytest.raises(Misconfigured, match=r"once.toml: this is not UTF-8: save it as UTF-8$"):
        read_config(place)
