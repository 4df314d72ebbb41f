"""`paperround dkim`: create and rotate signing keys, and show their DNS records."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, Now, actor, runtime, switch, takes, usage
from paperround.cli.output import pick_fields, print_result
from paperround.core.errors import Conflict, Misconfigured

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext
    from paperround.delivery.dkim.keys import KeyFile, KeyRecord, StoredKey
    from paperround.delivery.dkim.signer import Algorithm

app = typer.Typer(help="Keys that sign email (DKIM), and their DNS records.", no_args_is_help=True)


class Kind(StrEnum):
    """The algorithm of a new key."""

    RSA = "rsa"
    ED25519 = "ed25519"
    BOTH = "both"


Selector = Annotated[
    str | None, takes("--selector", "NAME", "Its name in the DNS. Default: from today's date.")
]


@app.command()
def create(
    algorithm: Annotated[
        Kind, switch("--algorithm", "All receivers support rsa, few support ed25519.")
    ] = Kind.RSA,
    selector: Selector = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Create the first key. Email is signed with it from now on."""
    from paperround.delivery.dkim.signers import read_key_file
    from paperround.doctor.config_check import RESERVED_SUFFIXES

    context = runtime(now, creates=True)
    context.prepare()
    _require_managed_keys(context)
    domain = context.signers.domain
    if "." not in domain or domain.endswith(RESERVED_SUFFIXES):  # no record can be put under it
        raise Misconfigured(
            f"email comes from {domain}, which is reserved: set PAPERROUND_MAIL_FROM first"
        )
    at = context.clock.now()
    with usage("--selector"):
        before = read_key_file(context.signers.place)
        key_file = before.with_first(_algorithms(algorithm), selector, now=at)
    _replace(context, before, key_file, "create dkim key")
    hint = "email is signed from now on: add this record before the next email is sent"
    _print_records(context, "made", hint, as_json=as_json)


@app.command()
def rotate(
    algorithm: Annotated[
        Kind | None, switch("--algorithm", "Default: that of the current keys.")
    ] = None,
    selector: Selector = None,
    unchecked: Annotated[
        bool, switch("--unchecked", "Switch even if its record is not in the DNS yet.")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Create the next key. Once its record is in the DNS, run this again to switch to it."""
    from paperround.bootstrap.database import require_made
    from paperround.delivery.dkim.keys import KeyState
    from paperround.delivery.dkim.signers import read_key_file

    context = runtime(now)
    require_made(context.settings)
    _require_managed_keys(context)
    at = context.clock.now()
    key_file = read_key_file(context.signers.place)
    waiting = key_file.within(at, KeyState.WAITING)
    if unchecked and not waiting:
        raise Conflict("there is no next key: `paperround dkim rotate` creates one first")
    if waiting and algorithm is None and selector is None:
        if not unchecked:
            _require_published(context, waiting)
        _replace(context, key_file, key_file.switched(now=at), "switch dkim key")
        _print_records(context, "switched", as_json=as_json)
        return
    with usage("--selector"):
        made = key_file.with_next(_algorithms(algorithm), selector, now=at)
    _replace(context, key_file, made, "add dkim key")
    hint = (
        "once the new record is in the DNS, run `paperround dkim rotate` again to switch to its key"
    )
    _print_records(context, "made", hint, as_json=as_json)


def _replace(context: "AppContext", before: "KeyFile", keys: "KeyFile", action: str) -> None:
    from paperround.delivery.dkim.signers import replace_keys

    now, place = context.clock.now(), context.signers.place
    replace_keys(context.database, place, before, keys, action, now=now, by=actor())


@app.command("show-dns")
def show_dns(now: Now = None, as_json: AsJson = False) -> None:
    """Print the DNS records to publish, as lines of a zone file."""
    from paperround.bootstrap.database import require_made

    context = runtime(now)
    require_made(context.settings)
    _print_records(context, None, as_json=as_json)


def _algorithms(kind: Kind | None) -> "list[Algorithm]":
    from paperround.delivery.dkim.signer import Algorithm

    if kind is None:
        return []
    return list(Algorithm) if kind is Kind.BOTH else [Algorithm(kind)]


def _require_managed_keys(context: "AppContext") -> None:
    if context.signers.given:
        raise Conflict(
            "the keys come from PAPERROUND_DKIM_KEY: change them there, or remove that setting "
            "and run `paperround dkim create`"
        )


def _require_published(context: "AppContext", waiting: "Sequence[StoredKey]") -> None:
    """Raise Conflict or FetchFailed unless the DNS has the record of every waiting key."""
    from paperround.delivery.dkim.keys import RecordStatus, published_status

    for key in waiting:
        record = key.due(context.signers.domain, context.clock.now())
        if published_status(record, context.resolver.texts(record.name)) is not RecordStatus.GOOD:
            raise Conflict(
                f"{record.name} does not have the next key yet: add what `paperround dkim "
                "show-dns` prints and wait, or use --unchecked"
            )


def _print_records(
    context: "AppContext", did: str | None, hint: str = "", *, as_json: bool
) -> None:
    due = context.signers.due(context.clock.now())
    fields = "selector algorithm name value strings state"
    records = [{**pick_fields(one, fields), "type": "TXT", "keep_until": one.until} for one in due]
    value = {"did": did, "domain": context.signers.domain, "records": records}
    lines = [line for one in due for line in (f"; {_describe(one)}", one.line)]
    none = "; email is not signed here: `paperround dkim create` creates a key"
    print_result(value, [*(lines or [none]), *(["", hint] if hint else [])], as_json=as_json)


def _describe(one: "KeyRecord") -> str:
    from paperround.delivery.dkim.keys import KeyState

    match one.state:
        case KeyState.WAITING:
            return "the next key: add it now, it does not sign yet"
        case KeyState.SIGNING:
            return "email is signed with it"
        case KeyState.KEPT:
            until = f"{one.until:%Y-%m-%d}" if one.until else "later"
            return f"no longer signs; keep it until {until}"
        case _:
            return "revoked: replace it with this, and remove it some weeks later"
