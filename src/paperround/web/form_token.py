"""Telling forms that people filled in from others: a signed time, and work for a browser.

A stamp says when we made a form. Nobody fills one in within two seconds, so what comes back sooner
is dropped without a word; a form without a stamp is somebody else's and meets tighter limits.

The work, asked for only while very many sign up, is to find a number whose SHA-256 with a salt we
chose is known: about half a second for a browser, and each answer counts once.
"""

import base64
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from altcha.v1 import ChallengeOptions, create_challenge, extract_params, verify_solution

from paperround.core.tokens import KeyRing

YOUNGEST = timedelta(seconds=2)
OLDEST = timedelta(hours=24)
WORK_VALID = timedelta(hours=1)
MOST_WORK = 50_000
"""The number to find is at most this: it takes half as many tries on average."""

_STAMP = "form-stamp"
_PARTS = ("algorithm", "challenge", "salt", "signature")


class Filled(Enum):
    """How a form was filled in, by its stamp."""

    BY_HAND = "by hand"
    TOO_FAST = "too fast"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Work to do: what a browser needs for it, and what it sends back, in base64 JSON."""

    text: str


def stamp(keys: KeyRing, *, now: datetime) -> str:
    """A signed `now`, in whole seconds, for a form that is made now."""
    at = str(int(now.timestamp()))
    return f"{at}.{keys.digest(_STAMP, at)}"


def filled(keys: KeyRing, text: str, *, now: datetime) -> Filled:
    """How a form with the stamp `text` was filled in. A stamp a day old counts as none."""
    at, _, mac = text.partition(".")
    is_ours = at.isascii() and at.isdecimal() and mac.isascii()
    macs = [keys.digest(_STAMP, at, key_id) for key_id in keys.key_ids] if is_ours else []
    if not any(hmac.compare_digest(mac, one) for one in macs):
        return Filled.NOT_OURS
    age = timedelta(seconds=now.timestamp() - int(at))
    if age < YOUNGEST:
        return Filled.TOO_FAST
    return Filled.BY_HAND if age <= OLDEST else Filled.NOT_OURS


def challenge(keys: KeyRing, *, now: datetime) -> Challenge:
    """Work for one form, good for an hour."""
    options = ChallengeOptions(
        max_number=MOST_WORK, hmac_key=_work_key(keys, None), expires=now + WORK_VALID
    )
    made = create_challenge(options).to_dict()
    return Challenge(base64.b64encode(json.dumps(made).encode()).decode())


def solved(keys: KeyRing, text: str, number: str, *, now: datetime) -> str | None:
    """The name of the challenge `text` of ours that `number` solves in time; None for any other.
    Who counts it sees to it that it counts once."""
    given = _challenge_parts(text)
    is_number = number.isascii() and number.isdecimal() and len(number) <= len(str(MOST_WORK))
    if given is None or not is_number:
        return None
    payload: Any = {**given, "number": int(number)}
    is_solved = any(
        verify_solution(payload, _work_key(keys, key_id), check_expires=False)[0]
        for key_id in keys.key_ids
    )
    # The hour ends where the signed salt says; the library would ask its own clock.
    expires = extract_params(payload).get("expires", ["0"])[0]
    in_time = expires.isdecimal() and int(expires) >= now.timestamp()
    return given["challenge"] if is_solved and in_time else None


def _work_key(keys: KeyRing, key_id: str | None) -> str:
    return keys.digest("proof-of-work", "key", key_id)


def _challenge_parts(text: str) -> dict[str, str] | None:
    """The parts of a challenge, as ours always are: ASCII."""
    try:
        given = json.loads(base64.b64decode(text, validate=True))
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    plain: dict[str, str] = {
        name: one for name in _PARTS if isinstance(one := given.get(name), str) and one.isascii()
    }
    return plain if len(plain) == len(_PARTS) else None
