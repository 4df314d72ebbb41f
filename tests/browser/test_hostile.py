"""What a hostile paper, a hostile visitor and a hostile page on another origin get: nothing."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from paperround.papers.model import Record
from paperround.web.app import ROUTERS
from paperround.web.security import UNSAFE
from tests.browser.person import Person, visiting
from tests.builders import HOUR, NOW
from tests.story.serving import Row, Served, serving
from tests.story.visitor import READER, Visitor, link, subscribed

ATTACKS = (
    "<script>alert(1)</script><script src=/xss></script>",
    "<img src=/xss onerror=alert(1)>",
    '"><svg onload=alert(1)><image href=/xss />',
    "' autofocus onfocus='alert(1)' x='",
    '" autofocus onfocus="alert(1)" x="',
    "</title></textarea></option></style><iframe src=/xss></iframe>",
    "<a href=javascript:alert(1)>x</a><form action=/xss><button>x",
    "<!--><link rel=stylesheet href=/xss><meta http-equiv=refresh content=0;url=/xss>-->",
    "{{ 7 * 7 }}<object data=/xss></object><base href=//xss.example/>",
    "<math><mtext><style><img src=/xss onerror=alert(1)></style></mtext></math>",
)
"""Texts that ask for `/xss`, or open a dialog, wherever they are more than text."""


UNGUARDED = """
field => {
  field.removeAttribute("maxlength");
  if (field.type === "email") field.type = "text";
}
"""
ACTIVE = "script, img, svg, math, iframe, object, form, base, link, [onfocus], [onload], [onerror]"


def hostile(number: int, attack: str) -> Record:
    """A paper that attacks wherever it may speak."""
    return Record(
        title=f"{attack} number {number}",
        abstract=f"First {attack} then more.",
        identifiers={"local": f"hostile:{number}"},
        authors=(f"{attack} Ring", f"Bo {attack}"),
        categories=(attack,),
        keywords=(attack,),
        links={"code": "javascript:alert(1)", "project": f"https://xss.example/{attack}"},
        listed_on=NOW.date(),
        listed_at=NOW - HOUR,
        comment=attack,
        licence=attack,
        organization=attack,
        fingerprint=str(number),
    )


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    records = [hostile(number, attack) for number, attack in enumerate(ATTACKS)]
    with serving(tmp_path_factory.mktemp("attacked"), records) as site:
        visitor = Visitor(site)
        offer = visitor.open(link(subscribed(visitor), "preferences"))
        visitor.press(offer, "Email me a new link")
        yield site


def opens(person: Person, path: str, shows: str = "number") -> Page:
    """Open a page, and see that nothing on it asked for what only an attack asks for."""
    page = person.goes(path)
    assert shows in page.content(), f"{path} shows no paper"
    assert not [url for url in person.incidents.requests if "xss" in url], path
    return page


@pytest.mark.quick
@pytest.mark.accept("W7", part="browser")
def test_no_page_runs_what_a_paper_says(browser: Browser, attacked: Served) -> None:
    with visiting(browser, attacked) as person:
        front = opens(person, "/")
        papers = [one.get_attribute("href") or "" for one in front.locator("h3 a").all()]
        assert len(papers) == len(ATTACKS)
        for path in ("/editions", "/editions/trending/2026-03-02", *papers):
            opens(person, path)
            assert person.page.locator("a[href^='javascript:' i]").count() == 0
        assert person.incidents.blocked == []


@pytest.mark.accept("W7", part="mail in a browser")
def test_no_mail_runs_what_a_paper_says(browser: Browser, attacked: Served) -> None:
    digest = attacked.digest()
    at = f"/outbox/{str(digest['Message-ID']).strip('<>')}"
    part = digest.get_body(("html",))
    assert part is not None
    with visiting(browser, attacked) as person:
        opens(person, "/outbox", shows="papers, 2 Mar")  # a subject may lack the end of a title
        opens(person, link(digest, "feedback").removeprefix(attacked.url))
        opens(person, f"{at}/html")
        for show in ("text", "source"):
            opens(person, f"{at}?show={show}")
        person.goes(at)
        person.page.wait_for_load_state("networkidle")
        alone = person.context.new_page()
        alone.set_content(str(part.get_content()))
        assert alone.locator("h2").count() >= 5
        assert alone.locator(ACTIVE).count() == 0
        assert person.incidents.blocked == []


@pytest.mark.accept("W7", part="forms")
def test_no_form_runs_what_was_typed_into_it(browser: Browser, attacked: Served) -> None:
    choices = link(attacked.mail("Your choices for"), "preferences")
    attack = " ".join(ATTACKS)
    with visiting(browser, attacked) as person:
        sends(person.goes("/"), "Subscribe", {"Email address": attack})
        fields = {"Time zone": attack, "Topics": f"{attack}\n{attack}"}
        sends(person.goes(choices.removeprefix(attacked.url)), "Save", fields)


def sends(page: Page, button: str, fields: Mapping[str, str]) -> None:
    """Send a form past the browser's own checks; the page says no and shows what was typed."""
    page.locator("form").first.evaluate("form => { form.noValidate = true; }")
    for label, text in fields.items():
        field = page.get_by_label(label, exact=True)
        field.evaluate(UNGUARDED)
        field.fill(text)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("alert")).to_be_visible()
    for label, text in fields.items():
        expect(page.get_by_label(label, exact=True)).to_have_value(text)


# --- another origin ----------------------------------------------------------------------------

POST = """
({url, fields}) => {
  const frame = document.body.appendChild(document.createElement("iframe"));
  frame.name = `frame${Math.random()}`;
  const form = document.body.appendChild(document.createElement("form"));
  Object.assign(form, {method: "post", action: url, target: frame.name});
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), {name, value}));
  }
  form.submit();
}
"""
FETCH = """
async ({url, method, fields}) => {
  await new Promise((done) => {
    const image = new Image();
    image.onload = image.onerror = done;
    image.src = url;
  });
  const credentials = "include", body = new URLSearchParams(fields);
  await fetch(url, {method: "POST", mode: "no-cors", credentials, body});
  const headers = {"content-type": "application/json", authorization: "Bearer pr_x"};
  return fetch(url, {method, credentials, headers, body: JSON.stringify(fields)})
    .then(() => "read", () => "refused");
}
"""
READ = "url => fetch(url, {credentials: 'include'}).then(() => 'read', () => 'refused')"
FIELDS = {
    "email": "victim@example.org",
    "action": "erase-now",
    "paper": "1",
    "verdict": "more",
    "name": "evil",
    "kind": "rss",
    "url": "https://evil.example/feed",
}
MADE_UP = {
    "token": "A" * 40,
    "feed_id": "1",
    "delivery_id": "1",
    "number": "1",
    "list_name": "trending",
    "day": "2026-03-02",
    "channel_id": "1",
    "subscriber_id": "1",
    "prefix": "abcd1234",
    "provider": "ses",
    "name": "trending",
    "date": "2026-03-02",
    "verdict:verdict": "more",
    "place": "p1",
    "cut": "0",
}
OF_A_SIGN_UP = {"subscribers", "subscriptions", "notices", "rate_windows", "day_counts"}
"""The tables that change when anybody asks for a list."""


def unsafe_routes() -> list[tuple[str, str]]:
    """Every route that may change something, by method and path, with made-up values in it."""
    found = [
        (method, str(vars(route)["path"]))
        for router in ROUTERS
        for route in router.routes
        for method in vars(route)["methods"] & UNSAFE
    ]
    return sorted((method, filled(path)) for method, path in found)


def filled(path: str) -> str:
    for name, value in MADE_UP.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"{path}: say what stands there"
    return path


class EmptyPage(BaseHTTPRequestHandler):
    """A page on another origin, for scripts to run in."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title><body>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of the other origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(timeout=10)


@pytest.mark.accept("W6", part="browser")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same-site", "cross-site"])
def test_a_page_on_another_origin_can_do_no_more_than_ask_for_a_list(
    browser: Browser, site: Served, elsewhere: int, host: str
) -> None:
    digest = subscribed(Visitor(site))
    site.rest()
    before = site.dump()
    context = browser.new_context()
    context.add_cookies([{"name": "session", "value": "1", "url": site.url}])
    page = context.new_page()
    page.goto(f"http://{host}:{elsewhere}/")
    for method, path in unsafe_routes():
        attack = {"url": f"{site.url}{path}", "method": method, "fields": FIELDS}
        with context.expect_event("response", lambda answer: answer.request.method == "POST"):
            page.evaluate(POST, attack)
        assert page.evaluate(FETCH, attack) == "refused"
    for path in ("/", "/outbox", link(digest, "preferences").removeprefix(site.url)):
        assert page.evaluate(READ, f"{site.url}{path}") == "refused"
    context.close()
    with site.home.requests_first():
        pass
    only_signed_up(before, site.dump())


def only_signed_up(before: Mapping[str, Sequence[Row]], after: Mapping[str, Sequence[Row]]) -> None:
    """What was there is as it was, and whoever is new was only asked."""
    changed = {table for table in before if before[table] != after[table]}
    assert changed == OF_A_SIGN_UP
    for table in changed - {"rate_windows", "day_counts"}:
        assert all(row in after[table] for row in before[table]), table
        [row] = [row for row in after[table] if row not in before[table]]
        assert "active" not in row
        assert READER not in row
