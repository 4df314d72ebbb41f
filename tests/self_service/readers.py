"""A desk where people sign up, and the mails that are written for them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine, insert, select

from paperround.core.rates import SignupLimits, parse_rates
from paperround.core.tokens import Purpose
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.ledger_model import Claimed, Transition
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import ClaimedNotice, SystemMailKind
from paperround.digests.plan import Hours as DigestHours
from paperround.digests.plan import Welcome, plan_due
from paperround.editions.model import DeliveryState
from paperround.self_service import change_address
from paperround.self_service.preview import DigestPreviewer
from paperround.signup import requests
from paperround.signup.confirm import Confirmed, confirm
from paperround.signup.context import SignupContext
from paperround.signup.requests import SignupRequest
from paperround.signup.worker import process_requests
from paperround.subscribers.model import Address, Preferences
from paperround.subscribers.readers import Visitor
from tests.builders import NOW, address, lease
from tests.fakes import SENDER_IDENTITY, NewestFirst, PlainRenderer
from tests.sample_database import IDENTITY

DAYS = timedelta(days=1)
HOURS = timedelta(hours=1)

LIMITS = SignupLimits(
    address=parse_rates("1/h, 3/24h"),
    ip=parse_rates("5/10m"),
    net=parse_rates("30/h"),
    domain=parse_rates("100/h"),
    total=parse_rates("1000/h"),
)
FREE = SignupLimits(address=(), ip=(), net=(), domain=(), total=())


def signup_context(
    database: Database,
    limits: SignupLimits = FREE,
    wake: Callable[[], None] = lambda: None,
    plan: Callable[[], None] = lambda: None,
) -> SignupContext:
    """A desk of the installation that the tests share; without limits unless they are given."""
    return SignupContext(
        database=database,
        keys=IDENTITY.keys,
        identity=IDENTITY,
        limits=limits,
        default_hour=7,
        wake=wake,
        plan=plan,
        remove_emails=lambda _: None,
    )


def press(here: SignupContext) -> DigestPreviewer:
    """What makes the digests that people look at before they come, at this desk."""
    return DigestPreviewer(
        database=here.database,
        identity=IDENTITY,
        ranker=NewestFirst(),
        sender_identity=SENDER_IDENTITY,
        renderer=PlainRenderer(),
    )


def visitor(number: int = 1, *, stamped: bool = True) -> Visitor:
    """Somebody in a network of their own."""
    return Visitor(ip=f"10.{number // 250}.{number % 250}.7", stamped=stamped)


def request(
    name: str = "alice",
    *,
    wish: Preferences | None = None,
    by: Visitor | None = None,
    list_name: str = "trending",
    worked: bool = False,
    source: str = "form",
) -> SignupRequest:
    """A request for the default list. `worked`: a challenge was solved for it that counts for
    nobody else."""
    return SignupRequest(
        address=address(name),
        list_name=list_name,
        preferences=wish or Preferences(),
        visitor=by or visitor(),
        source=source,
        proof=f"solved for {name}" if worked else None,
    )


def subscribe(here: SignupContext, asked: SignupRequest, *, now: datetime) -> None:
    """Somebody asks, and the row is worked on before anything else happens."""
    requests.subscribe(here, asked, now=now)
    process_requests(here, now=now)


def request_link(here: SignupContext, to: Address, by: Visitor, *, now: datetime) -> None:
    """The same for a link to their choices."""
    requests.request_link(here, to, by, now=now)
    process_requests(here, now=now)


def ask_to_move(here: SignupContext, token: str, to: Address, *, now: datetime) -> None:
    """The same for a change of address."""
    change_address.request_address_change(here, token, to, visitor(), now=now)
    process_requests(here, now=now)


def second_list(engine: Engine, name: str = "second") -> str:
    """The name of another list, which is like the default one."""
    with engine.begin() as connection:
        row = dict(connection.execute(select(db.lists).limit(1)).mappings().one())
        del row["id"]
        connection.execute(insert(db.lists).values({**row, "name": name}))
    return name


def post(
    database: Database, *, now: datetime = NOW, ends: DeliveryState = DeliveryState.SENT
) -> list[ClaimedNotice]:
    """Send every notice that is due; returns them, however that `ends`."""
    token = f"post {now.isoformat()}"
    with database.writing() as work:
        held = lease(token, until=now + timedelta(minutes=15))
        mails = work[NoticeLedger].claim(held, limit=1000, now=now)
        work[NoticeLedger].mark_in_data([one.id for one in mails], token, until=held.until, now=now)
        sent = [
            Transition(id=one.id, token=token, state=ends, reason="", code=250) for one in mails
        ]
        work[NoticeLedger].settle(sent, now=now)
    return mails


def link(mail: ClaimedNotice) -> str:
    """The token of the one link in a notice."""
    preferences = mail.kind is SystemMailKind.PREFERENCES
    purpose = Purpose.PREFERENCES if preferences else Purpose.CONFIRM
    return IDENTITY.keys.token(purpose, mail.id, mail.nonce)


def joined(
    here: SignupContext,
    name: str = "alice",
    *,
    wish: Preferences | None = None,
    list_name: str = "trending",
    now: datetime = NOW,
    planned: bool = True,
) -> Confirmed:
    """Somebody who signed up and confirmed, and whose first digest was `planned`."""
    subscribe(here, request(name, wish=wish, list_name=list_name), now=now)
    (mail,) = post(here.database, now=now)
    confirmed = confirm(here, link(mail), now=now)
    assert confirmed is not None
    if planned and confirmed.welcome is Welcome.DUE:
        plan_newcomers(here.database, now=now)
    return confirmed


def plan_newcomers(database: Database, *, now: datetime) -> None:
    """What the scheduler does once somebody confirmed."""
    plan_due(database=database, identity=IDENTITY, hours=DigestHours(hour=7), now=now)


def digests(database: Database, *, now: datetime = NOW) -> list[Claimed]:
    """The digests that are due, claimed and given back."""
    token = f"digests {now.isoformat()}"
    with database.writing() as work:
        rows = work[Ledger].claim(
            lease(token, until=now + timedelta(minutes=15)), limit=1000, now=now
        )
        work[Ledger].release(token)
    return rows


def digest_link(row: Claimed) -> str:
    """The token in every link of a digest."""
    return IDENTITY.keys.token(Purpose.UNSUBSCRIBE, row.id, row.nonce)


def from_net(host: int, *, net: int = 1) -> Visitor:
    """A client of one /24."""
    return replace(visitor(net), ip=f"192.0.{net}.{host}")
