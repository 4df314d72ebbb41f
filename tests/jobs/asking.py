"""Asking to subscribe."""

from datetime import datetime, timedelta

from paperround.jobs.asking import Answer, Asking, SignupRequest, ask_all
from paperround.jobs.desk import Desk
from paperround.jobs.patience import foreseen
from tests.builders import NOW


def asked(here: Desk, *requests: SignupRequest, apart: timedelta = timedelta()) -> list[Answer]:
    """What each is answered of those who ask in one transaction, one so much after the other."""
    each = [_asking(here, one, NOW + number * apart) for number, one in enumerate(requests)]
    with here.database.writing() as work:
        return ask_all(here, work, each)


def _asking(here: Desk, one: SignupRequest, now: datetime) -> Asking:
    return Asking(one, foreseen(here, one.visitor, one.address, now=now))
