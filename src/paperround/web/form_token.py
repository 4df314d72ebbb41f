"""Detect forms that were filled in by bots: a signed time, and a proof of work.

A stamp holds the time at which we made a form. No person fills one in within two seconds, so faster
submissions are silently dropped; a form without a stamp is not ours and gets tighter limits.

The proof of work is only required while very many people sign up: find the number whose SHA-256
with our salt is given, about half a second in a browser. Each solution counts once.
"""

import base64
import hmac
import json
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from altcha.v1 import ChallengeOptions, create_challenge, extract_params, verify_solution

from paperround.core.tokens import KeyRing

MIN_AGE = timedelta(seconds=2)
MAX_AGE = timedelta(hours=24)
WORK_VALID = timedelta(hours=1)
MAX_NUMBER = 50_000
"""The largest number to find; the average is half as many attempts."""

_STAMP = "form-stamp"
_PARTS = ("algorithm", "challenge", "salt", "signature")


class FormSender(Enum):
    """Who filled in a form, judging by its stamp."""

    BY_HAND = "by hand"
    TOO_FAST = "too fast"
    NOT_OURS = "not ours"


def make_stamp(keys: KeyRing, *, now: datetime) -> str:
    """Return `now` in seconds, signed, for a form that is made now."""
    at = str(int(now.timestamp()))
    return f"{at}.{keys.digest(_STAMP, at)}"


def check_stamp(keys: KeyRing, text: str, *, now: datetime) -> FormSender:
    """Check the stamp `text` of a form. One that is older than a day counts as missing."""
    at, _, mac = text.partition(".")
    is_ours = at.isascii() and at.isdecimal() and mac.isascii()
    macs = [keys.digest(_STAMP, at, key_id) for key_id in keys.key_ids] if is_ours else []
    if not any(hmac.compare_digest(mac, one) for one in macs):
        return FormSender.NOT_OURS
    age = timedelta(seconds=now.timestamp() - int(at))
    if age < MIN_AGE:
        return FormSender.TOO_FAST
    return FormSender.BY_HAND if age <= MAX_AGE else FormSender.NOT_OURS


def make_challenge(keys: KeyRing, *, now: datetime) -> str:
    """Return a challenge for one form as base64 JSON, which the browser sends back. It is valid for
    an hour."""
    options = ChallengeOptions(
        max_number=MAX_NUMBER, hmac_key=_work_key(keys, None), expires=now + WORK_VALID
    )
    challenge = create_challenge(options).to_dict()
    return base64.b64encode(json.dumps(challenge).encode()).decode()


def verify_challenge(keys: KeyRing, text: str, number: str, *, now: datetime) -> str | None:
    """Return the id of our challenge `text` if `number` solves it in time, else None. The caller
    must ensure that each id counts once."""
    given = _parse_challenge(text)
    is_number = number.isascii() and number.isdecimal() and len(number) <= len(str(MAX_NUMBER))
    if given is None or not is_number:
        return None
    payload: Any = {**given, "number": int(number)}
    is_solved = any(
        verify_solution(payload, _work_key(keys, key_id), check_expires=False)[0]
        for key_id in keys.key_ids
    )
    # Checked here because the library would use its own clock.
    expires = extract_params(payload).get("expires", ["0"])[0]
    in_time = expires.isdecimal() and int(expires) >= now.timestamp()
    return given["challenge"] if is_solved and in_time else None


def _work_key(keys: KeyRing, key_id: str | None) -> str:
    return keys.digest("proof-of-work", "key", key_id)


def _parse_challenge(text: str) -> dict[str, str] | None:
    """Return the parts of a challenge, or None if they are not all ASCII text."""
    try:
        given = json.loads(base64.b64decode(text, validate=True))
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    parts: dict[str, str] = {
        name: one for name in _PARTS if isinstance(one := given.get(name), str) and one.isascii()
    }
    return parts if len(parts) == len(_PARTS) else None
