"""Pages to sign up, preview a digest, confirm, and request a link to the preferences."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from paperround.bootstrap import AppContext
from paperround.core.errors import (
    Crowded,
    InvalidInput,
    NotFound,
    RateLimited,
    invalid,
)
from paperround.core.languages import marked, nearest
from paperround.delivery.status_text import WHY_NO_MAIL
from paperround.digests.pages import front_page
from paperround.editions.lists import DEFAULT_LIST
from paperround.self_service.lists import every_list
from paperround.self_service.preview import awaited_digest, newcomers_digest
from paperround.signup import confirm as signup
from paperround.signup import requests
from paperround.signup.limits import must_work, note_refused
from paperround.signup.requests import SignupRequest, count_trapped
from paperround.subscribers.addresses import refused_domains
from paperround.subscribers.interests import (
    Interest,
    InterestKind,
    bounded,
    interest,
    interests_in,
)
from paperround.subscribers.mailboxes import meant
from paperround.subscribers.model import Address, Preferences
from paperround.subscribers.readers import Visitor
from paperround.web import form_token
from paperround.web.context import DIGEST, PATIENT, TO_ITS_READER, Client, Home, Present, costly
from paperround.web.form_token import Filled
from paperround.web.language import language_wanted, speak_to
from paperround.web.preferences_form import FREQUENCIES, HoursForm, how_often, timed
from paperround.web.templates import private, public

router = APIRouter(include_in_schema=False)

SNIPPET, CHOICES = "snippet", "choices"

ROUTED = frozenset("%!|`")
"""Characters in a local part that some mail servers use for routing (`user%other.example`,
`other!user`) or pass to a shell."""


class PlainForm(APIRoute):
    """A route for URL-encoded forms; multipart forms are refused before they are read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with this check."""
        inner = super().get_route_handler()

        async def plain(request: Request) -> Response:
            if request.headers.get("content-type", "").lower().startswith("multipart/"):
                raise HTTPException(
                    415, marked("Send the form as application/x-www-form-urlencoded.")
                )
            return await inner(request)

        return plain


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
    Topics, authors and searches are shown before confirming. `corrected` is the address that we
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
    corrected: str = ""
    kept: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The requested lists, without duplicates."""
        return tuple(dict.fromkeys(self.lists)) if self.several else (self.list_name,)


# --- the front page and its form ---------------------------------------------------------------


@router.get("/")
def front(home: Home, now: Present) -> Response:
    """Show the front page: the short sign-up form, and today's papers."""
    return sign_up_page(home, SignupForm(), now, is_whole=False)


def subscribe(
    home: Home, now: Present, client: Client, form: Annotated[SignupForm, Form()]
) -> Response:
    """Queue a sign-up. Bots that submit too fast or fill the honeypot get the same response."""
    speak_to(form.language)
    visitor, is_trapped = _visitor(home, client, form, now)
    again = partial(sign_up_page, home, form, now, is_whole=form.origin == CHOICES)
    try:
        hint = _hint(home, form)
        if hint is not None:
            return again(hint=hint)
        request = _request(home, form, visitor, now)
        with refusals_counted(home, now):
            if is_trapped:
                count_trapped(home.desk, visitor, now=now)
            else:
                requests.subscribe(home.desk, request, now=now)
    except Crowded as error:
        return _after_a_wait(again(crowd=error), error)
    except InvalidInput as error:
        return again(error=error)
    return private(home, "asked.html")


def _visitor(
    home: AppContext, client: str | None, form: SignupForm | LinkForm, now: datetime
) -> tuple[Visitor, bool]:
    """Return the visitor who sent a form, and whether they are a bot."""
    stamp = form_token.filled(home.desk.keys, form.stamp, now=now)
    visitor = Visitor(ip=client, stamped=stamp is Filled.BY_HAND)
    return visitor, stamp is Filled.TOO_FAST or bool(form.website)


@contextmanager
def refusals_counted(home: AppContext, now: datetime) -> Iterator[None]:
    """Count refusals by a limit for the operator, even if the request is rolled back."""
    try:
        yield
    except RateLimited as error:
        note_refused(home.database, error, now=now)
        raise


def _after_a_wait(page: Response, error: RateLimited) -> Response:
    page.headers["Retry-After"] = str(max(1, ceil(error.retry_after)))
    return page


router.add_api_route("/subscribe", subscribe, methods=["POST"], route_class_override=PlainForm)


@dataclass(frozen=True, slots=True)
class Hint:
    """A suggested correction of an address: the address, its domain, and the domain as written."""

    address: str
    domain: str
    written: str


def _hint(home: AppContext, form: SignupForm) -> Hint | None:
    """Return a correction to suggest once, judging by the spelling of the domain. Raises
    InvalidInput (code `email`) for an invalid address."""
    address = address_of(home, form.email)
    domain = meant(address.domain)
    if domain is None or form.corrected or form.kept == address.domain:
        return None
    return Hint(f"{address.mailed.rpartition('@')[0]}@{domain}", domain, address.domain)


def sign_up_page(
    home: AppContext,
    form: SignupForm,
    now: datetime,
    *,
    error: InvalidInput | None = None,
    hint: Hint | None = None,
    crowd: Crowded | None = None,
    is_whole: bool = True,
) -> Response:
    """Return the page with the full sign-up form, or the front page with the short one.

    Pages with a proof of work, an error or a hint are not cached. A form that is shown again keeps
    its valid stamp, so a quick correction does not look like a bot. After a refusal because of a
    `crowd`, the form contains a proof of work, with which the next attempt is accepted.
    """
    keys, work = home.desk.keys, _work(home, now, crowd)
    is_again = form_token.filled(keys, form.stamp, now=now) is Filled.BY_HAND
    values: dict[str, Any] = {
        "form": form,
        "stamp": form.stamp if is_again else form_token.stamp(keys, now=now),
        "hint": hint,
        "crowd": crowd,
        "work": work,
        "frequencies": FREQUENCIES,
        "error": error,
    }
    status = _status(error, hint, crowd)
    if is_whole:
        lists, suggested = every_list(home.database), home.topics.now(now=now)
        return private(
            home, "subscribe.html", status=status, lists=lists, suggested=suggested, **values
        )
    values["page"] = front_page(home.database, DEFAULT_LIST, now=now)
    if status == 200 and work is None:
        return public(home, "index.html", **values)
    return private(home, "index.html", status=status, **values)


def _status(error: InvalidInput | None, hint: Hint | None, crowd: Crowded | None) -> int:
    if crowd is not None:
        return 503
    return 200 if error is None and hint is None else 422


def _work(home: AppContext, now: datetime, crowd: Crowded | None) -> form_token.Challenge | None:
    is_asked = crowd is not None or must_work(home.desk, now=now)
    return form_token.challenge(home.desk.keys, now=now) if is_asked else None


def _request(home: AppContext, form: SignupForm, visitor: Visitor, now: datetime) -> SignupRequest:
    address, names = new_address_of(home, form.corrected or form.email), asked_lists(form)
    return SignupRequest(
        address=address,
        list_name=names[0],
        preferences=timed(form, Preferences(language=nearest(form.language) or language_wanted())),
        visitor=visitor,
        source=SNIPPET if form.origin == SNIPPET else "form",
        proof=_proof(home, form, now),
        interests=wanted_interests(form),
        also=names[1:],
    )


def _proof(home: AppContext, form: SignupForm | LinkForm, now: datetime) -> str | None:
    """Return the id of the challenge that the browser solved for this form, or None."""
    return form_token.solved(home.desk.keys, form.work, form.number, now=now) if form.work else None


def asked_lists(form: SignupForm) -> tuple[str, ...]:
    """Return the requested lists. Raises InvalidInput (code `list`) without one."""
    if not form.names:
        raise invalid("list", "choose one list at least")
    return form.names


def wanted_interests(form: SignupForm) -> tuple[Interest, ...]:
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
    }
    said = (one for kind, text in lines.items() for one in interests_in(kind, text))
    return bounded((*searched, *said))


def new_address_of(home: AppContext, written: str) -> Address:
    """Parse an address for new deliveries. Raises InvalidInput (code `email`)."""
    address = address_of(home, written)
    if not ROUTED.isdisjoint(address.mailed.rpartition("@")[0]):
        raise invalid(
            "email",
            "addresses with a percent sign, !, | or ` before the @ cannot be signed up here: use "
            "another one of yours",
        )
    try:
        refused_domains(home.settings.refused_domains).require_kept(address)
    except InvalidInput as error:
        better, text = meant(address.domain), error.text
        if better:
            text = marked("%(problem)s; did you mean %(name)s?", problem=text, name=better)
        raise InvalidInput(text, code="email") from None
    return address


def address_of(home: AppContext, written: str) -> Address:
    """Parse an address. Raises InvalidInput (code `email`)."""
    try:
        return home.addresses.read(written)
    except InvalidInput as error:
        raise InvalidInput(error.text, code="email") from None


@router.get("/snippet")
def snippet(home: Home, list: str = DEFAULT_LIST) -> Response:  # noqa: A002
    """Show the HTML of a sign-up form to copy into another site."""
    lists = every_list(home.database)
    chosen = next((one for one in lists if one.name == list), None)
    if chosen is None:
        raise NotFound(marked("there is no list %(given)s", given=list[:40]))
    return public(home, "snippet.html", lists=lists, chosen=chosen)


# --- the full form and the preview -------------------------------------------------------------


@router.get("/subscribe", dependencies=[PATIENT])
@router.get("/subscribe/preview", dependencies=[PATIENT])
@router.get("/subscribe/choices", dependencies=[PATIENT])
def show_form(home: Home, now: Present, list: str = DEFAULT_LIST) -> Response:  # noqa: A002
    """Show the full form: lists, topics and hours. A reload of its later steps starts over."""
    return sign_up_page(home, SignupForm(list=list), now)


def why_none(reason: str | None) -> str:
    """Return the message for why there would be no digest."""
    return WHY_NO_MAIL.get(reason or "", marked("There would be no digest now."))


@router.post("/subscribe/preview", dependencies=[costly(DIGEST)])
def look_ahead(home: Home, now: Present, form: Annotated[SignupForm, Form()]) -> Response:
    """Show the digest for these choices, without storing or sending anything."""
    speak_to(form.language)
    try:
        found = newcomers_digest(
            home.previewer,
            asked_lists(form)[0],
            timed(form, Preferences()),
            wanted_interests(form),
            now=now,
        )
    except NotFound as error:
        return sign_up_page(home, form, now, error=InvalidInput(error.text, code="list"))
    except InvalidInput as error:
        return sign_up_page(home, form, now, error=error)
    stamp, why = form_token.stamp(home.desk.keys, now=now), why_none(found.skipped)
    return private(home, "trying.html", next=found, why=why, form=form, stamp=stamp)


@router.post("/subscribe/choices", dependencies=[PATIENT])
def change(home: Home, now: Present, form: Annotated[SignupForm, Form()]) -> Response:
    """Show the full form again with its values."""
    speak_to(form.language)
    return sign_up_page(home, form, now)


# --- confirming --------------------------------------------------------------------------------


@router.get("/confirm/{token}", dependencies=[TO_ITS_READER])
def ask_to_confirm(home: Home, token: str) -> Response:
    """Show the confirm button. GET changes nothing, and every link shows the same page."""
    return private(home, "confirm.html", token=token)


@router.post("/confirm/{token}", dependencies=[TO_ITS_READER])
def confirm(home: Home, now: Present, token: str) -> Response:
    """Confirm a sign-up. Forged, expired and used links all get the same response."""
    confirmed = signup.confirm(home.desk, token, now=now)
    if confirmed is None:
        return private(home, "not_confirmed.html")
    speak_to(confirmed.preferences.language)
    often = how_often(confirmed.preferences)
    return private(home, "confirmed.html", confirmed=confirmed, how_often=often)


@router.get("/confirm/{token}/preview", dependencies=[costly(DIGEST), TO_ITS_READER])
def look_before_confirming(home: Home, now: Present, token: str) -> Response:
    """Show the digest that the subscriber will get after confirming."""
    found = awaited_digest(home.previewer, token, now=now)
    why = why_none(found.skipped)
    return private(home, "awaited.html", next=found, why=why, token=token)


# --- a link to the preferences -----------------------------------------------------------------


@router.get("/preferences")
def ask_for_link(home: Home, now: Present) -> Response:
    """Show the form to request a link, for a reader without one of our emails."""
    return _link_form(home, LinkForm(), now)


def request_link(
    home: Home, now: Present, client: Client, form: Annotated[LinkForm, Form()]
) -> Response:
    """Queue an email with a link, if the address subscribes. Every address gets the same page."""
    speak_to(form.language)
    visitor, is_trapped = _visitor(home, client, form, now)
    try:
        address = address_of(home, form.email)
        proof = _proof(home, form, now)
        with refusals_counted(home, now):
            if is_trapped:
                count_trapped(home.desk, visitor, now=now)
            else:
                requests.request_link(home.desk, address, visitor, proof=proof, now=now)
    except Crowded as error:
        return _after_a_wait(_link_form(home, form, now, crowd=error), error)
    except InvalidInput as error:
        return _link_form(home, form, now, error=error)
    return private(home, "link_mailed.html")


router.add_api_route("/preferences", request_link, methods=["POST"], route_class_override=PlainForm)


def _link_form(
    home: AppContext,
    form: LinkForm,
    now: datetime,
    *,
    error: InvalidInput | None = None,
    crowd: Crowded | None = None,
) -> Response:
    return private(
        home,
        "ask_for_link.html",
        status=_status(error, None, crowd),
        form=form,
        stamp=form_token.stamp(home.desk.keys, now=now),
        error=error,
        crowd=crowd,
        work=_work(home, now, crowd),
    )
