"""Addresses with the verdict each of them must get, decided by hand after RFC 5321 and RFC 5890.

`GOOD` maps what is written to what is mailed. What is `BAD` is refused; no mail program needs it.
"""

from collections.abc import Iterator, Mapping

LONGEST_DOMAIN = f"{'b' * 63}.{'c' * 63}.{'d' * 57}.org"
"""189 octets: with 64 before it and an @ it makes the 254 that an address may have."""

LOCALS = (
    *("a", "A", "ada", "Ada", "ADA", "ada.lovelace", "Ada.Lovelace", "a.b.c.d.e.f", "ada-l"),
    *("ada_l", "_ada", "ada_", "-ada", "ada-", "__", "0", "0815", "1.2.3", "ada1815"),
    *("ada+papers", "ada+", "+ada", "ada+a+b", "ada.l+papers.daily", "ada+papers-2026", "a+1"),
    *("o'brien", "d'alembert.j", "ada!", "!ada", "ada#1", "$ada", "ada%org", "ada&charles"),
    *("ada*", "*", "ada/dept", "ada=org", "ada?", "^ada", "`ada`", "{ada}", "ada|bob", "~ada"),
    *("user%example.com", "uucp!host!ada", "ada%0d%0abcc", "%00", "${ada}", "{{ada}}"),
    *("--", "-", "=", "ada--", "'--", "a" * 64, f"{'a' * 31}+{'b' * 32}"),
)  # fmt: skip
"""What may stand before the @, and comes through as it is."""

DOMAINS: Mapping[str, str] = {
    "example.org": "example.org",
    "EXAMPLE.ORG": "example.org",
    "Mail.Example.Org": "mail.example.org",
    "a.b.c.d.e.f.example.org": "a.b.c.d.e.f.example.org",
    "cs.uni.ac.uk": "cs.uni.ac.uk",
    "a-b.example": "a-b.example",
    "a--b.example": "a--b.example",
    "1.example": "1.example",
    "163.com": "163.com",
    "x.io": "x.io",
    "lists.test": "lists.test",
    f"{'b' * 63}.org": f"{'b' * 63}.org",
    "example.photography": "example.photography",
    # names outside ASCII: as they are written, and as they are asked for
    "bücher.example": "xn--bcher-kva.example",
    "Bücher.Example": "xn--bcher-kva.example",
    "xn--bcher-kva.example": "xn--bcher-kva.example",
    "straße.example": "xn--strae-oqa.example",
    "日本語.jp": "xn--wgv71a119e.jp",
    "日本語。jp": "xn--wgv71a119e.jp",
    "почта.рф": "xn--80a1acny.xn--p1ai",
    "한국.kr": "xn--3e0b707e.kr",
    "ελλάδα.example": "xn--hxakic4aa.example",
    "中文.com": "xn--fiq228c.com",
    "日本x.jp": "xn--x-jn6bt1b.jp",
    "עברית.example": "xn--5dbqzzl.example",
    "عربي.example": "xn--ngbrx4e.example",
    "हिन्दी.example": "xn--j2bd4cyah0f.example",
}


def good() -> Iterator[tuple[str, str]]:
    """Every local part at one domain, and every domain with a plain one and a tagged one."""
    for local in LOCALS:
        yield f"{local}@example.org", f"{local}@example.org"
    for written, mailed in DOMAINS.items():
        for local in ("ada", "Ada.L+papers"):
            yield f"{local}@{written}", f"{local}@{mailed}"
    yield " ada@example.org ", "ada@example.org"
    longest = f"{'a' * 64}@{LONGEST_DOMAIN}"
    assert len(longest) == 254
    yield longest, longest


CONTROLS = (*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)))
BLANKS = tuple("\u00a0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000 ")
UNSEEN = tuple("\u00ad\u061c\u200b\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\ufe0f")

SHAPES = (
    *("", " ", "@", "@@", "ada", "ada@", "@example.org", "ada@@example.org", "a@b@example.org"),
    *("ada@example", "ada@localhost", "ada@com", "ada.example.org", "ada at example.org"),
    *(".ada@example.org", "ada.@example.org", "ada..l@example.org", "..@example.org"),
    *("ada@.example.org", "ada@example..org", "ada@example.org.", "ada@.", "ada@example.org.."),
    *("ada@-example.org", "ada@example-.org", "ada@exa_mple.org", "ada@ex+ample.org"),
    *("ada@example.-org", "ada@ab--cd.example", "ada@xn--.example", "ada@xn--a.example"),
    *("ada@example.123", "ada@127.0.0.1", "ada@[127.0.0.1]", "ada@[IPv6:::1]", "ada@[example]"),
    *("ada@2130706433", "ada@0x7f.1", "ada@a.local", "ada@a.localhost", "ada@a.invalid"),
    *("Ada <ada@example.org>", "<ada@example.org>", "ada@example.org>", "<ada@example.org"),
    *("Ada ada@example.org", "mailto:ada@example.org", "@a.org,@b.org:ada@example.org"),
    *("@a.org:ada@example.org", "ada@example.org,bob@example.org", "ada,bob@example.org"),
    *("ada@example.org;bob@example.org", "ada@example.org bob@example.org", "group:ada@a.org;"),
    *('"ada"@example.org', '"ada l"@example.org', '"a@b"@example.org', '"a\\"b"@example.org'),
    *('ada"@example.org', '"ada@example.org', '""@example.org', '"."@example.org', 'a"b"c@a.org'),
    *("ada(comment)@example.org", "(comment)ada@example.org", "ada@(comment)example.org"),
    *("ada@example.org(comment)", "ada@example(comment).org", "ada@example.org (Ada)"),
    *("ada\\@example.org", "ada\\ l@example.org", "a\\b@example.org", "ada@example.org\\"),
    *("ada l@example.org", "ada @example.org", "ada@ example.org", "ada@exam ple.org"),
    *("ada[@example.org", "ada]@example.org", "ada:l@example.org", "ada;l@example.org"),
    *("ada>@example.org", "ada<@example.org", "ada,@example.org", "ada(@example.org"),
    *("=?utf-8?q?ada?=@example.org", "=?utf-8?b?YWRh?=@example.org", "a=?b@example.org"),
    *("ada@=?utf-8?q?example?=.org", "ada@example.org?bcc=eve@evil.example"),
    *("ada@example.org\r\nBcc: eve@evil.example", "ada@example.org\nRCPT TO:<eve@evil.example>"),
    *("ada@example.org\r\n.\r\nMAIL FROM:<x@y.example>", "ada\r\n@example.org", "\r\nada@a.org"),
    *("ada@example.org\r\n", "ada@example.org\n", "ada@example.org\0", "\0", "ada@example.org\t"),
    *("ada@example.org%00\0", "ada@exam\0ple.org", "ada@example.org/../x", "ada@example.org/x"),
    *("ada@example.org:25", "ada@user:pw@example.org", "http://ada@example.org/"),
    *("ada@example.org#x", "ada@ex%61mple.org", "ada@example.org'", "ada@{example.org}"),
)
LENGTHS = (
    f"{'a' * 65}@example.org",
    f"{'a' * 200}@example.org",
    f"{'a' * 64}@{LONGEST_DOMAIN[:-3]}info",
    f"{'a' * 64}@x{LONGEST_DOMAIN}",
    f"ada@{'b' * 64}.org",
    f"ada@{'.'.join('c' * 60 for _ in range(5))}.org",
    f"ada@{'b.' * 126}org",
    "a" * 254,
    "a" * 10_000 + "@example.org",
    f"ada@{'ü' * 63}.example",
)
FOREIGN = (
    *(
        "jörg@example.org",
        "用户@例子.com",
        "δοκιμή@example.org",
        "иван@почта.рф",
        "अजय@example.org",
    ),
    *("😀@example.org", "ada\u0301@example.org", "ａｄａ@example.org", "adа@example.org"),
    *("ada＠example.org", "ada@exa\u0301", "ada\ud800@example.org", "ada@\udfffexample.org"),
    *("ada@😀.example", "ada@☃.example", "ada@a‍b.example", "ada@\u0301a.example"),
)
LOOK_ALIKES = (
    *("ada@аpple.example", "ada@applе.example", "ada@gооgle.com", "ada@pаypal.com"),
    *("ada@microsоft.com", "ada@ɡmаil.com", "ada@exampl\u03b5.org", "ada@gmаil.com"),
    *("ada@оutlook.com", "ada@yahоо.com", "ada@faceb\u03bf\u03bfk.com", "ada@аррle.com"),
)


def bad() -> Iterator[str]:
    """Every one that is refused."""
    for sign in CONTROLS:
        yield f"a{sign}da@example.org"
        yield f"ada@exa{sign}mple.org"
    for sign in (*BLANKS, *UNSEEN):
        yield f"a{sign}da@example.org"
    for sign in BLANKS:
        yield f"ada@exa{sign}mple.org"
    yield from (*SHAPES, *LENGTHS, *FOREIGN, *LOOK_ALIKES)
