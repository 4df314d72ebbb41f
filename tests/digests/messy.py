"""Messy texts, made up."""

from hypothesis import strategies as st

SIGNS = "\\${}^_~`'\"-<>&; ,.()|*=+/%"
WORDS = (
    r"$x$ \textbf{ \alpha  \frac12 2times R^d rightarrow https://x.org/a_b~c \% -- `` '' $5 π_0 "
    "{\\em  \\href{ {\\textless} {\\textbackslash} {\\'\\i} \\textquoteright "
    "sim2real ell_2 tau &amp; <sub> </sub> \u202e \x00 é word Word"
)
PIECES = st.sampled_from([*SIGNS, *WORDS.split(" ")])
MESSY = st.lists(PIECES | st.text(max_size=4), max_size=40).map("".join)
