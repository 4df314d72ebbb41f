r"""Map TeX commands to Unicode, and decode TeX accents: `Schr\"odinger`, `S{\o}ren`."""

import re
import unicodedata


def _pairs(listing: str) -> dict[str, str]:
    """`"alpha α beta β"` as a table."""
    words = listing.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def _words(listing: str) -> frozenset[str]:
    return frozenset(listing.split())


GREEK = _pairs(
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι "
    "kappa κ lambda λ mu μ upmu μ nu ν xi ξ pi π rho ρ varrho ϱ sigma σ tau τ upsilon υ phi φ "
    "varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ "
    "Phi Φ Psi Ψ Omega Ω"
)
ARROWS = _pairs(
    "rightarrow → to → longrightarrow → leftarrow ← leftrightarrow ↔ Rightarrow ⇒ implies ⇒ "
    "Leftarrow ⇐ Leftrightarrow ⇔ iff ⇔ mapsto ↦ hookrightarrow ↪ uparrow ↑ downarrow ↓"
)
RELATIONS = ARROWS | _pairs(
    "times × cdot · pm ± mp ∓ div ÷ ast * star ⋆ leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ ll ≪ gg ≫ "
    "approx ≈ sim ∼ simeq ≃ cong ≅ equiv ≡ propto ∝ lesssim ≲ gtrsim ≳ prec ≺ succ ≻ in ∈ "
    "notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ cup ∪ cap ∩ setminus ∖ mid | "
    "parallel ∥ perp ⊥ land ∧ wedge ∧ lor ∨ vee ∨ oplus ⊕ otimes ⊗ odot ⊙ vdash ⊢ models ⊨ "
    "lt < gt > colon : bullet •"
)
LETTERS = GREEK | _pairs(
    "ell ℓ infty ∞ partial ∂ nabla ∇ forall ∀ exists ∃ emptyset ∅ varnothing ∅ hbar ℏ Re ℜ Im ℑ "
    "aleph ℵ sum ∑ prod ∏ int ∫ neg ¬ lnot ¬ circ ∘ degree ° prime ′ dagger † top ⊤ bot ⊥ "
    "ldots … dots … cdots ⋯ dotsc … vdots ⋮ langle ⟨ rangle ⟩ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋ "
    "lvert | rvert | vert | lVert ‖ rVert ‖ Vert ‖ lbrace { rbrace } square □ checkmark ✓"
)
NAMES = _words(
    "log ln exp max min sup inf lim limsup liminf arg argmax argmin det dim gcd sin cos tan tanh "
    "sinh cosh deg Pr ker rank sign mod erf"
)
FONTS = _words(
    "text textbf textit textsc texttt textrm textsf textsl textup textmd textnormal emph underline "
    "uline mbox hbox mathrm mathbf mathit mathsf mathtt mathcal mathscr mathfrak boldsymbol bm "
    "operatorname mathop mathbin mathrel pmb boxed boldmath ensuremath uppercase overline widehat "
    "widetilde"
)
OLD_FONTS = "em|it|bf|tt|sc|rm|sf|sl|bfseries|itshape|ttfamily"
UNIT_PREFIXES = _pairs("nano n micro μ milli m centi c kilo k mega M giga G tera T")
UNITS = _pairs(
    "percent % second s meter m metre m gram g hertz Hz watt W joule J volt V byte B bit bit "
    "kelvin K newton N decibel dB degree °"
)
NOTHING = _words(
    "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr displaystyle textstyle limits "
    "nolimits xspace allowbreak noindent nonumber"
)
SPACES = {" ": " ", ",": " ", ";": " ", ":": " ", "!": "", "quad": " ", "qquad": " ", "\n": " "}
OVER = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "dot": "\u0307", "vec": "\u20d7"}
DOUBLE_STRUCK = _pairs("R ℝ N ℕ Z ℤ Q ℚ C ℂ P ℙ")
IN_TEXT = {
    "eg": "e.g.", "ie": "i.e.", "etal": "et al.", "etc": "etc.", "cf": "cf.", "vs": "vs.",
    "deg": "°", "percent": "%", "LaTeX": "LaTeX", "TeX": "TeX", "copyright": "©", "pounds": "£",
    "S": "§",
} | {f"text{name}": sign for name, sign in GREEK.items()} | _pairs(
    "textdegree ° textpercent % textasciitilde ~ textasciicircum ^ textbackslash \\ textemdash — "
    "textendash – textgreater > textless < textunderscore _ textrightarrow → textleftarrow ← "
    "textuparrow ↑ textdownarrow ↓ textregistered ® texttrademark ™ textcopyright © textbar | "
    "textbardbl ‖ textpm ± texttimes × textdiv ÷ textminus − textbullet • textellipsis … "
    "textperiodcentered · textasteriskcentered ∗ textdagger † textdaggerdbl ‡ textsection § "
    "textparagraph ¶ textexclamdown ¡ textquestiondown ¿ texteuro € textsterling £ textyen ¥ "
    "textcent ¢ textdollar $ textbraceleft { textbraceright } textquotesingle ' textquotedbl \" "
    "textquoteleft ‘ textquoteright ’ textquotedblleft “ textquotedblright ” guillemotleft « "
    "guillemotright » guilsinglleft ‹ guilsinglright › quotedblbase „ quotesinglbase ‚ textohm Ω "
    "textonehalf ½ textonequarter ¼ textthreequarters ¾ textonesuperior ¹ texttwosuperior ² "
    "textthreesuperior ³ textordfeminine ª textordmasculine º textperthousand ‰ textnumero №"
)  # fmt: skip
GLUED = _words(
    "textquoteleft textquoteright textquotesingle textquotedblleft textasciitilde textasciicircum "
    "textmu"
)
"""Symbols attached to the next word: the space after the command only ends its name."""
IN_GROUPS = IN_TEXT | _pairs("ldots … dots … DJ Đ dj đ")
"""The symbol of a command alone in a group: `{\\textless}`."""
WORD_LETTERS = _pairs(
    "ss ß o ø O Ø l ł L Ł ae æ AE Æ oe œ OE Œ aa å AA Å i ı dh ð DH Ð th þ TH Þ dj đ DJ Đ"
)
MARKS = {
    '"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303", "=": "\u0304",
    ".": "\u0307", "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328",
    "r": "\u030a", "d": "\u0323", "b": "\u0331",
}  # fmt: skip
COLORS = _words("red blue green black gray orange magenta purple cyan teal brown")
RAISED_SIGNS = _pairs("∘ ° circ ° * * ∗ * ast * ′ ′ + + † † ® ® ™ ™")
RAISED = str.maketrans("0123456789+-=()−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾⁻")
LOWERED = str.maketrans("0123456789+-=()−", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎₋")

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
    r"""`Schr\"odinger` -> `Schrödinger`, `{\o}` -> `ø`; an impossible accent stays as written."""
    text = _BRACED_ACCENT.sub(_braced_letter, _APOSTROPHE.sub("'", text))
    return _ACCENT.sub(_accented, text)


def tex_name(name: str) -> str:
    r"""Decode the TeX of a person's name: `J\o rgensen`, `St\ütz`, `Nguy\~ên`, `Doe\\`.

    Names contain no macros and no paths, so every command for a letter means that letter.
    """
    if "\\" not in name:
        return name
    name = _NAME_ACCENT.sub(r"\\\1{\2}", _TRAILING_BREAK.sub("", name))
    name = tex_accents(_TWICE_ACCENTED.sub(_composed, name))
    # A letter in braces, or a symbol such as the apostrophe of `D{\textquoteright}Angelo`.
    signs = IN_TEXT | WORD_LETTERS
    name = _NAME_SIGN.sub(lambda found: signs.get(found[1] or found[2], found[0]), name)
    return _NAME_LETTER.sub(lambda match: WORD_LETTERS[match[1]], name)


def _composed(match: re.Match[str]) -> str:
    """`\\~ê` becomes `ễ`; an accent that does not compose with the letter is dropped."""
    letter = unicodedata.normalize("NFC", match[2] + MARKS.get(match[1], ""))
    return letter if len(letter) == 1 else match[2]


def _braced_letter(match: re.Match[str]) -> str:
    inner = match[1]
    if inner[1:] in WORD_LETTERS:
        return WORD_LETTERS[inner[1:]]
    spaced = _SPACED_ACCENT.fullmatch(inner)
    if spaced:
        return f"\\{spaced[1]}{{{spaced[2]}}}"
    dotless = _DOTLESS.fullmatch(inner)  # without braces, its name would include the next letters
    return f"{dotless[1]}{{{dotless[2]}}}" if dotless else inner


def _accented(match: re.Match[str]) -> str:
    mark, letter = match[1] or match[4], match[2] or match[3] or match[5]
    if mark == "~" and match.string[: match.start()].endswith("/"):
        return f"~{letter}"
    composed = unicodedata.normalize("NFC", letter.removeprefix("\\") + MARKS[mark])
    if mark == "b" or (mark == "d" and len(composed) == 1):
        return letter if mark == "b" else composed
    return composed if len(composed) == 1 and ord(composed) < 0x250 else match[0]
