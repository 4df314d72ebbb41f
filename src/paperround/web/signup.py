"""Pages to sign up, preview a digest, confirm, and request a link to the preferences."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field

from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput, NotFound, RateLimited, SharedLimitReached, invalid
from paperround.core.languages import marked, nearest
from paperround.db.transactions import impatiently
from paperround.delivery.status import WHY_NO_MAIL
from paperround.digests.pages import front_page
from paperround.digests.plan import Hours
from paperround.editions.lists import DEFAULT_LIST, MailingList
from paperround.editions.store.lists import ListStore
from paperround.self_service.preferences import open_lists
from paperround.self_service.preview import Preview, first_digest_preview
from paperround.signup import confirm as signup
from paperround.signup import requests
from paperround.signup.limits import count_refused, needs_proof_of_work
from paperround.signup.requests import SignupRequest, count_trapped, open_list, require_open
from paperround.subscribers.addresses import parse_address, refused_domains, suggest_domain
from paperround.subscribers.interests import Interest, InterestKind, bounded, interest, interests_in
from paperround.subscribers.model import Address, Preferences
from paperround.subscribers.readers import Visitor
from paperround.web import form_token
from paperround.web.context import (
    DIGEST_COST,
    IN_READER_LANGUAGE,
    PAGE_TURN,
    RATE_LIMITED,
    App,
    Client,
    Now,
    costly,
)
from paperround.web.form_token import FormSender
from paperround.web.language import requested_language, set_language
from paperround.web.preferences_form import FREQUENCIES, HoursForm, parse_times, ticked_first
from paperround.web.templates import (
    email_page,
    is_framed,
    no_email_page,
    private_page,
    public_page,
)

router = APIRouter(include_in_schema=False)

SNIPPET, CHOICES = "snippet", "choices"

ROUTING_CHARACTERS = frozenset("%!|`")
"""Characters in a local part that some mail servers use for routing (`user%other.example`,
`other!user`) or pass to a shell."""


class LinkForm(BaseModel):
    """The form to request a link to the preferences. `website` is a honeypot that no person sees.
    `work` and `number` are a solved proof of work. `language` is that of the page, by default the
    browser's."""

    email: str = ""
    website: str = ""
    stamp: str = ""
    work: str = ""
    number: str = ""
    language: str = ""


class SignupForm(HoursForm, LinkForm):
    """The sign-up form. `origin` is `snippet` for the form on other sites, `choices` for the full
    form. `search` is the query of the search page; `lists` are the chosen ones if `several` is set.
    Interests count for the preview before confirming. `corrected` is the address that we
    suggested when the domain looked like a typo, `kept` the domain that the visitor confirmed."""

    list_name: str = Field(default=DEFAULT_LIST, alias="list")
    origin: str = ""
    search: str = ""
    several: str = ""
    lists: tuple[str, ...] = ()
    topic: str = ""
    add_topic: tuple[str, ...] = ()
    author: str = ""
    keyword: str = ""
    focus: str = ""
    avoid: str = ""
    corrected: str = ""
    kept: str = ""


# --- the front page and its form ---------------------------------------------------------------


@router.get("/", dependencies=[PAGE_TURN])
def show_front_page(app: App, now: Now) -> Response:
    """Show the front page: the short sign-up form, and today's papers."""
    return signup_page(app, SignupForm(), now, is_whole=False)


@router.post("/subscribe")
def subscribe(app: App, now: Now, client: Client, form: Annotated[SignupForm, Form()]) -> Response:
    """Queue a sign-up. Bots that submit too fast or fill the honeypot get the same response."""
    set_language(form.language)
    visitor, is_bot = identify_visitor(app, client, form, now)
    show_again = partial(signup_page, app, form, now, is_whole=form.origin == CHOICES)
    try:
        hint = _suggest_correction(form)
        if hint is not None:
            return show_again(hint=hint)
        request = _signup_request(app, form, visitor, now)
        with impatiently(), count_refusals(app, now):
            if is_bot:
                count_trapped(app.signup_context, visitor, now=now)
            else:
                requests.subscribe(app.signup_context, request, now=now)
    except SharedLimitReached as error:
        return _with_retry_after(show_again(crowd=error), error)
    except InvalidInput as error:
        return show_again(error=error)
    return private_page(app, "asked.html")


def identify_visitor(
    app: AppContext, client: str | None, form: SignupForm | LinkForm, now: datetime
) -> tuple[Visitor, bool]:
    """Return who sent a form, and whether it was a bot."""
    stamp = form_token.check_stamp(app.signup_context.keys, form.stamp, now=now)
    visitor = Visitor(ip=client, stamped=stamp is FormSender.BY_HAND)
    return visitor, stamp is FormSender.TOO_FAST or bool(form.website)


@contextmanager
def count_refusals(app: AppContext, now: datetime) -> Iterator[None]:
    """Count refusals by a limit for the operator, even if the request is rolled back."""
    try:
        yield
    except RateLimited as error:
        count_refused(app.database, error, now=now)
        raise


def _with_retry_after(page: Response, error: RateLimited) -> Response:
    page.headers["Retry-After"] = str(max(1, ceil(error.retry_after)))
    return page


@dataclass(frozen=True, slots=True)
class Hint:
    """A suggested correction of an address: the address, its domain, and the domain as written."""

    address: str
    domain: str
    written: str


def _suggest_correction(form: SignupForm) -> Hint | None:
    """Return a correction to suggest once, judging by the spelling of the domain. Raises
    InvalidInput (code `email`) for an invalid address."""
    address = parse_email_field(form.email)
    domain = suggest_domain(address.domain)
    if domain is None or form.corrected or form.kept == address.domain:
        return None
    return Hint(f"{address.mailed.rpartition('@')[0]}@{domain}", domain, address.domain)


def signup_page(
    app: AppContext,
    form: SignupForm,
    now: datetime,
    *,
    error: InvalidInput | None = None,
    hint: Hint | None = None,
    crowd: SharedLimitReached | None = None,
    is_whole: bool = True,
) -> Response:
    """Return the page with the full sign-up form, or the front page with the short one.

    Pages with a proof of work, an error or a hint are not cached. A form that is shown again keeps
    its valid stamp, so a quick correction does not look like a bot. After a refusal because of a
    `crowd`, the form contains a proof of work, with which the next attempt is accepted.
    """
    keys, work = app.signup_context.keys, _challenge(app, now, crowd)
    is_again = form_token.check_stamp(keys, form.stamp, now=now) is FormSender.BY_HAND
    values: dict[str, Any] = {
        "form": form,
        "stamp": form.stamp if is_again else form_token.make_stamp(keys, now=now),
        "hint": hint,
        "crowd": crowd,
        "work": work,
        "error": error,
    }
    status = 503 if crowd else 422 if error or hint else 200
    may_name = is_whole or status != 200  # a form that was sent stays with its list
    lists = _lists_of_form(app, form, may_name=may_name, is_refused=error is not None)
    if lists and form.list_name not in [one.name for one in lists]:
        values["form"] = form.model_copy(update={"list_name": lists[0].name})
    values |= {
        "lists": lists,
        "default_list": DEFAULT_LIST,
        "frequencies": _offered(lists),
        "default_hour": _default_hour(app, lists),
    }
    if is_whole:
        suggested = ticked_first(app.topics.now(now=now), form.add_topic)
        return private_page(app, "subscribe.html", status=status, suggested=suggested, **values)
    values["page"] = front_page(app.database, now=now)
    if status == 200 and work is None:
        return public_page(app, "index.html", **values)
    return private_page(app, "index.html", status=status, **values)


def _lists_of_form(
    app: AppContext, form: SignupForm, *, may_name: bool, is_refused: bool
) -> list[MailingList]:
    """Return the lists that a form offers, by title; a private one if a link to the full form, or
    a form that was sent, names it. Raises SignupClosed for a list that takes no sign-ups, and
    NotFound for an unknown one, unless the form was refused and says so itself."""
    with app.database.reading() as work:
        lists = open_lists(work)
        is_named = form.list_name != DEFAULT_LIST or not lists
        if not may_name or form.several or not is_named:
            return lists
        try:
            named = open_list(work, form.list_name)
        except NotFound:
            if is_refused:
                return lists
            raise
    return lists if named in lists else [named]


def _offered(lists: Sequence[MailingList]) -> dict[str, str]:
    """Return the options of the frequency field: those that at least one of these lists offers."""
    return {
        value: label
        for value, label in FREQUENCIES.items()
        if any(one.offers(value.partition(":")[0]) for one in lists)
    }


def _default_hour(app: AppContext, lists: Sequence[MailingList]) -> int | None:
    """Return the hour of digests for readers who choose none, or None if it depends on the list."""
    hours = Hours(hour=app.settings.default_hour)
    found = {hours.hour_of(Preferences(), one) for one in lists}
    return found.pop() if len(found) == 1 else None


def _challenge(app: AppContext, now: datetime, crowd: SharedLimitReached | None) -> str | None:
    is_asked = crowd is not None or needs_proof_of_work(app.signup_context, now=now)
    return form_token.make_challenge(app.signup_context.keys, now=now) if is_asked else None


def _signup_request(
    app: AppContext, form: SignupForm, visitor: Visitor, now: datetime
) -> SignupRequest:
    address, names = parse_new_address(app, form.corrected or form.email), requested_lists(form)
    return SignupRequest(
        address=address,
        list_name=names[0],
        preferences=parse_times(
            form, Preferences(language=nearest(form.language) or requested_language())
        ),
        visitor=visitor,
        source=SNIPPET if form.origin == SNIPPET else "form",
        proof=form_token.verify_challenge(app.signup_context.keys, form.work, form.number, now=now),
        interests=entered_interests(form),
        also=names[1:],
    )


def requested_lists(form: SignupForm) -> tuple[str, ...]:
    """Return the requested lists, without duplicates. Raises InvalidInput (code `list`)."""
    names = tuple(dict.fromkeys(form.lists)) if form.several else (form.list_name,)
    if not names:
        raise invalid("list", "choose at least one list")
    return names


def entered_interests(form: SignupForm) -> tuple[Interest, ...]:
    """Return the interests in the form, including the query of a search page as a keyword.

    Raises InvalidInput with the field's name as its code.
    """
    try:
        searched = [interest(InterestKind.KEYWORD, form.search)] if form.search.strip() else []
    except InvalidInput as error:
        raise invalid("search", "your search: %(problem)s", problem=error.text) from None
    lines = {
        InterestKind.TOPIC: "\n".join((form.topic, *form.add_topic)),
        InterestKind.AUTHOR: form.author,
        InterestKind.KEYWORD: form.keyword,
        InterestKind.FOCUS: form.focus,
        InterestKind.AVOID: form.avoid,
    }
    entered = (one for kind, text in lines.items() for one in interests_in(kind, text))
    return bounded((*searched, *entered))


def parse_new_address(app: AppContext, written: str) -> Address:
    """Parse an address for new deliveries. Raises InvalidInput (code `email`)."""
    address = parse_email_field(written)
    if not ROUTING_CHARACTERS.isdisjoint(address.mailed.rpartition("@")[0]):
        raise invalid(
            "email",
            "addresses with a percent sign, !, | or ` before the @ are not accepted: use "
            "another address",
        )
    refused_domains(app.settings.refused_domains).require_kept(address)
    return address


def parse_email_field(written: str) -> Address:
    """Parse an address. Raises InvalidInput (code `email`)."""
    try:
        return parse_address(written)
    except InvalidInput as error:
        raise InvalidInput(error.text, code="email") from None


@router.get("/snippet", dependencies=[PAGE_TURN])
def snippet(app: App, list: str = DEFAULT_LIST) -> Response:  # noqa: A002
    """Show the HTML of a sign-up form to copy into another site."""
    with app.database.reading() as work:
        lists, chosen = open_lists(work), work[ListStore].get_public(list)
    require_open(chosen)
    return public_page(app, "snippet.html", lists=lists, chosen=chosen)


# --- the full form and the preview -------------------------------------------------------------


@router.get("/subscribe", dependencies=[RATE_LIMITED])
@router.get("/subscribe/preview", dependencies=[RATE_LIMITED])
@router.get("/subscribe/choices", dependencies=[RATE_LIMITED])
def show_form(app: App, now: Now, list: str = DEFAULT_LIST) -> Response:  # noqa: A002
    """Show the full form: lists, topics and hours. A reload of its later steps starts over."""
    return signup_page(app, SignupForm(list=list), now)


NO_DIGEST = marked("No digest would be sent right now.")


def digest_page(app: AppContext, found: Preview) -> Response:
    """Return the email of a preview, or why there would be none."""
    if found.rendered is None:
        return no_email_page(app, [("", WHY_NO_MAIL.get(found.skipped or "", NO_DIGEST))])
    return email_page(found.rendered.html)


@router.post("/subscribe/preview", dependencies=[costly(DIGEST_COST, "stranger_turns")])
def preview_digest(
    app: App, now: Now, request: Request, form: Annotated[SignupForm, Form()]
) -> Response:
    """Show the email of the first digest for these choices, without storing or sending anything."""
    set_language(form.language)
    try:
        found = first_digest_preview(
            app.previewer,
            requested_lists(form)[0],
            parse_times(form, Preferences()),
            entered_interests(form),
            now=now,
        )
    except (NotFound, InvalidInput) as error:
        code = "list" if isinstance(error, NotFound) else error.code
        if is_framed(request):
            return no_email_page(app, [(code, error)], status=422)
        return signup_page(app, form, now, error=InvalidInput(error.text, code=code))
    return digest_page(app, found)


@router.post("/subscribe/choices", dependencies=[RATE_LIMITED])
def show_choices(app: App, now: Now, form: Annotated[SignupForm, Form()]) -> Response:
    """Show the full form again with its values."""
    set_language(form.language)
    return signup_page(app, form, now)


# --- confirming --------------------------------------------------------------------------------


@router.get("/confirm/{token}", dependencies=[IN_READER_LANGUAGE])
def show_confirm(app: App) -> Response:
    """Show the confirm button. GET changes nothing, and every link shows the same page."""
    return private_page(app, "confirm.html")


@router.post("/confirm/{token}", dependencies=[IN_READER_LANGUAGE])
def confirm(app: App, now: Now, token: str) -> Response:
    """Confirm a sign-up. Forged, expired and used links all get the same response."""
    confirmed = signup.confirm(app.signup_context, token, now=now)
    if confirmed is None:
        return private_page(app, "not_confirmed.html")
    set_language(confirmed.preferences.language)
    often = FREQUENCIES[confirmed.preferences.frequency_text]
    return private_page(app, "confirmed.html", confirmed=confirmed, how_often=often)


# --- a link to the preferences -----------------------------------------------------------------


@router.get("/preferences")
def show_link_form(app: App, now: Now) -> Response:
    """Show the form to request a link, for a reader without one of our emails."""
    return link_page(app, LinkForm(), now)


@router.post("/preferences")
def request_link(app: App, now: Now, client: Client, form: Annotated[LinkForm, Form()]) -> Response:
    """Queue an email with a link for a subscribed address. Every address gets the same page."""
    set_language(form.language)
    visitor, is_bot = identify_visitor(app, client, form, now)
    try:
        address = parse_email_field(form.email)
        proof = form_token.verify_challenge(
            app.signup_context.keys, form.work, form.number, now=now
        )
        with count_refusals(app, now):
            if is_bot:
                count_trapped(app.signup_context, visitor, now=now)
            else:
                requests.request_link(app.signup_context, address, visitor, proof=proof, now=now)
    except SharedLimitReached as error:
        return _with_retry_after(link_page(app, form, now, crowd=error), error)
    except InvalidInput as error:
        return link_page(app, form, now, error=error)
    return private_page(app, "link_mailed.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class OldLink:
    """A link that does not open the preferences. `masked` is the address it was mailed to; None for
    an invalid link, such as one cut short. `is_lost`: it was used to save something, which is
    lost."""

    token: str
    masked: str | None
    is_lost: bool


def link_page(
    app: AppContext,
    form: LinkForm,
    now: datetime,
    *,
    error: InvalidInput | None = None,
    crowd: SharedLimitReached | None = None,
    link: OldLink | None = None,
) -> Response:
    """Return the page that asks for an address to mail a link to, or offers one in place of an old
    `link`."""
    return private_page(
        app,
        "ask_for_link.html",
        status=503 if crowd else 422 if error else 200,
        form=form,
        stamp=form_token.make_stamp(app.signup_context.keys, now=now),
        error=error,
        crowd=crowd,
        work=_challenge(app, now, crowd),
        link=link,
    )
