r"""Letters that TeX writes with accents and commands of their own: `Schr\"odinger`, `S{\o}ren`."""

import re
import unicodedata

from paperround.domain.tex_symbols import IN_TEXT, MARKS, WORD_LETTERS

_ACCENT = re.compile(
    r"""\\(["'`^~=.])\ ?(?:\{(\\?[A-Za-z])\}|(\\[ij](?![A-Za-z])|[A-Za-z]))"""
    r"""|\\([uvHckrdb])\{(\\?[A-Za-z])\}"""
)
_BRACED_ACCENT = re.compile(
    r"""(?<!\\["'`^~=.])\{(\\(?:["'`^~=.]\ ?(?:\{\\?[A-Za-z]\}|\\?[A-Za-z])"""
    r"""|[uvHckrdb](?:\{|\ )\\?[A-Za-z]\}?|(?:ss|[oOlLi]|ae|AE|oe|OE|aa|AA)))\ ?\}"""
)
_APOSTROPHE = re.compile(r"(?<=\w)\\'(?=(?:s|t|re|ve|ll|d|m)\b)")
_DOTLESS = re.compile(r"""(\\["'`^~=.]) ?(\\[ij])""")
_SPACED_ACCENT = re.compile(r"\\([uvHckrdb]) ([A-Za-z])$")
_NAME_ACCENT = re.compile(r"\\([uvHckr]) ([A-Za-z])")
_NAME_LETTER = re.compile(
    rf"\\({'|'.join(sorted(WORD_LETTERS, key=len, reverse=True))})(?![A-Za-z])"
    r"(?:\{\}| (?=[a-z]))?"
)
_NAME_SIGN = re.compile(r"\{\\([A-Za-z]{1,30}) ?\}|\\(text[a-z]{1,30})(?:\{\}| )?")
_TWICE_ACCENTED = re.compile(r"""\\(["'`^~=.]?)\{?([À-ÖØ-öø-ɏḀ-ỿ])\}?""")
_TRAILING_BREAK = re.compile(r"\\+$")


def tex_accents(text: str) -> str:
    r"""`Schr\"odinger` -> `Schrödinger`, `{\o}` -> `ø`; accents no letter carries are kept."""
    if "\\" not in text:
        return text
    if "\\'" in text:
        text = _APOSTROPHE.sub("'", text)
    if "{\\" in text:
        text = _BRACED_ACCENT.sub(_braced_letter, text)
    return _ACCENT.sub(_accented, text)


def tex_name(name: str) -> str:
    r"""A person's name out of TeX: `J\o rgensen`, `St\ütz`, `Nguy\~ên`, `Doe\\`, each readable.

    Names hold no macros and no paths, so every command for a letter may be taken as one.
    """
    if "\\" not in name:
        return name
    name = _NAME_ACCENT.sub(r"\\\1{\2}", _TRAILING_BREAK.sub("", name))
    name = tex_accents(_TWICE_ACCENTED.sub(_composed, name))
    name = _NAME_SIGN.sub(_name_sign, name)
    return _NAME_LETTER.sub(lambda match: WORD_LETTERS[match[1]], name)


def _name_sign(match: re.Match[str]) -> str:
    """A letter in braces, or a sign such as the apostrophe of `D{\\textquoteright}Angelo`."""
    name = match[1] or match[2]
    return WORD_LETTERS.get(name) or IN_TEXT.get(name) or match[0]


def _composed(match: re.Match[str]) -> str:
    """`\\~ê` is `ễ`; an accent that the letter cannot carry as well is dropped."""
    letter = unicodedata.normalize("NFC", match[2] + MARKS.get(match[1], ""))
    return letter if len(letter) == 1 else match[2]


def _braced_letter(match: re.Match[str]) -> str:
    inner = match[1]
    if inner[1:] in WORD_LETTERS:
        return WORD_LETTERS[inner[1:]]
    spaced = _SPACED_ACCENT.fullmatch(inner)
    if spaced:
        return f"\\{spaced[1]}{{{spaced[2]}}}"
    dotless = _DOTLESS.fullmatch(inner)  # bare, its name would run on into the next letters
    return f"{dotless[1]}{{{dotless[2]}}}" if dotless else inner


def _accented(match: re.Match[str]) -> str:
    mark, letter = match[1] or match[4], match[2] or match[3] or match[5]
    if mark == "~" and match.string[: match.start()].endswith("/"):
        return f"~{letter}"
    composed = unicodedata.normalize("NFC", letter.removeprefix("\\") + MARKS[mark])
    if mark == "b" or (mark == "d" and len(composed) == 1):
        return letter if mark == "b" else composed
    return composed if len(composed) == 1 and ord(composed) < 0x250 else match[0]
