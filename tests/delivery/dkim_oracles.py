"""Keys, their records, and two other implementations of DKIM that say what a signature is worth."""

import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import dkim

from paperround.delivery.dkim.keys import KeyRecord, new_key, public_of
from paperround.delivery.dkim.signer import Algorithm, Signer, SigningKey

DOMAIN = "papers.example.org"
SCRIPT = Path(__file__).with_name("dkim_oracle.pl")


@cache
def key(algorithm: Algorithm) -> SigningKey:
    """One key of each kind for all tests: making one takes long."""
    return new_key(algorithm, f"of-{algorithm}")


def signer(*algorithms: Algorithm) -> Signer:
    """Signs with a key of each of `algorithms`; of every kind where none is named."""
    return Signer(DOMAIN, [key(one) for one in algorithms or Algorithm])


def records(domain: str = DOMAIN) -> list[KeyRecord]:
    """What the DNS says of the keys."""
    return [
        KeyRecord(
            selector=key(one).selector, domain=domain, algorithm=one, public=public_of(key(one))
        )
        for one in Algorithm
    ]


def dkimpy_says(content: bytes, known: Iterable[KeyRecord] = ()) -> list[bool]:
    """Of each signature, from the top, whether it is good."""
    texts = {one.name: one.value.encode() for one in known or records()}

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        return texts.get(name.decode().rstrip("."))

    count = content.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    return [_is_good(content, number, look_up) for number in range(count)]


def _is_good(content: bytes, number: int, look_up: object) -> bool:
    try:
        return bool(dkim.DKIM(content).verify(idx=number, dnsfunc=look_up))
    except dkim.DKIMException:
        return False


@cache
def perl_lacks() -> str:
    """Why Perl cannot be asked; empty when it can."""
    perl = shutil.which("perl")
    if perl is None:
        return "there is no perl on this machine"
    asked = [perl, "-MMail::DKIM::Verifier", "-MNet::DNS", "-e", "1"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        return "Perl's Mail::DKIM is not installed (Debian's libmail-dkim-perl)"
    return ""


def perl_says(content: bytes, known: Iterable[KeyRecord] = ()) -> list[str]:
    """Of each signature, from the top: `rsa-sha256 pass` and the like."""
    texts = [f"{one.name}={string}" for one in known or records() for string in one.strings]
    asked = ["perl", str(SCRIPT), *texts]
    said = subprocess.run(asked, input=content, capture_output=True, check=True)
    return said.stdout.decode().splitlines()
