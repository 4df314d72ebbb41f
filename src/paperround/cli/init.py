"""`paperround init` and `doctor`: ask five questions and write a working `.env`; check the
installation, and print what to fix."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer

from paperround.cli.digest import send_test
from paperround.cli.options import (
    AsJson,
    read_file,
    runtime,
    switch,
    takes,
    usage,
    where_mail_is_kept,
)
from paperround.cli.output import print_result, say
from paperround.cli.wizard import (
    OUTBOX,
    copy_of,
    env_text,
    machine_zone,
    read_address,
    read_hour,
    read_line,
    read_public_url,
    read_relay,
    read_sender,
    read_zone,
    required,
    sender_of,
)
from paperround.core.errors import (
    Conflict,
    DatabaseFailed,
    InvalidInput,
    Misconfigured,
    PaperroundError,
    SchemaOutOfDate,
)
from paperround.core.files import write_private
from paperround.core.paths import ENV_FILE as ENV
from paperround.core.reasons import counted

if TYPE_CHECKING:
    from paperround.config import Settings
    from paperround.doctor.findings import Finding

CHECKS_BEFORE_START = ("schedule", "feeds", "editions", "site")
"""Checks that warn until you take the next steps, which `init` prints."""

T = TypeVar("T")

Hour = Annotated[str | None, takes("--hour", "N", "When digests are sent by default, 0 to 23.")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Ask nothing: use the given options, else the defaults.")
]


def init(
    public_url: Annotated[
        str | None, takes("--public-url", "URL", "Where readers reach the site.")
    ] = None,
    operator: Annotated[
        str | None, takes("--operator", "NAME", "Who runs this, for the footer.")
    ] = None,
    contact: Annotated[str | None, takes("--contact", "EMAIL", "A monitored address.")] = None,
    relay: Annotated[
        str | None, takes("--relay", "URL", "smtps://..., smtp://..., or outbox.")
    ] = None,
    mail_from: Annotated[
        str | None, takes("--mail-from", "FIELD", "The sender of every email: Name <address>.")
    ] = None,
    timezone: Annotated[str | None, takes("--timezone", "ZONE", "Such as Europe/Berlin.")] = None,
    hour: Hour = None,
    postal_address: Annotated[
        str | None, takes("--postal-address", "TEXT", "For the footer of every email.")
    ] = None,
    private: Annotated[
        bool, switch("--private", "For your own group only: no postal address is needed.")
    ] = False,
    yes: Yes = False,
    force: Annotated[
        bool, switch("--force", "Change an existing .env; a copy of the old one is kept.")
    ] = False,
    test_mail: Annotated[
        bool | None, switch("--test-mail/--no-test-mail", "Send a test email to the contact.")
    ] = None,
) -> None:
    """Ask five questions and write .env with a strong secret. Checks it and sends a test email."""
    if ENV.exists() and not force:
        raise Conflict("there is a .env here already: `paperround init --force` changes it")
    given = {
        "--public-url": public_url,
        "--operator": operator,
        "--contact": contact,
        "--relay": relay,
        "--mail-from": mail_from,
        "--timezone": timezone,
        "--hour": hour,
        "--postal-address": postal_address,
    }
    # Raises Conflict if the database is a demo's. Other problems are reported later.
    with suppress(Misconfigured, SchemaOutOfDate, DatabaseFailed):
        runtime().prepare()
    interview = _Interview(given, silent=yes)
    try:
        answers = _ask_questions(interview, _load_previous(), private=private)
    except typer.Abort:
        say("\nnothing was written")
        raise
    _write(answers)
    findings = _check()
    if _has_failed(findings, "relay"):
        say()
        say("no test email: fix the relay, then send one with `paperround digest test --to EMAIL`")
        is_well = False
    else:
        is_sent = _offer_test_message(answers["CONTACT"], test_mail, interview)
        is_well = is_sent and not _has_failed(findings)
    _print_next_steps(answers["PUBLIC_URL"])
    if not is_well:
        raise typer.Exit(1)


class _Interview:
    """Takes each answer from the command line, else from a prompt, else the default."""

    def __init__(self, given: dict[str, str | None], *, silent: bool) -> None:
        self.given = given
        self.silent = silent

    def ask(
        self,
        option: str,
        question: str,
        default: str,
        read: Callable[[str], T],
        *,
        is_secret: bool = False,
    ) -> T:
        """Return the answer, parsed by `read`. A prompt repeats with the reason; a bad option
        raises BadParameter. A default that `is_secret` is not shown."""

        def parse(text: str) -> T:
            with usage(option):
                return read(text)

        value = self.given[option]
        if value is not None or self.silent:
            return parse(default if value is None else value)
        is_shown = bool(default) and not is_secret
        return cast("T", typer.prompt(question, default, show_default=is_shown, value_proc=parse))

    def confirm(self, question: str, *, default: bool) -> bool:
        """Ask yes or no; return `default` if there is no prompt."""
        return default if self.silent else typer.confirm(question, default=default)

    def heading(self, text: str) -> None:
        """Print the heading of the next prompts, if there are any."""
        if not self.silent:
            say(f"\n{text}")


def _load_previous() -> "Settings":
    """Return the settings in `.env`, or the defaults, without those of the environment."""
    from paperround.config import Settings, load_settings

    try:
        return load_settings({})
    except Misconfigured as error:
        say(f"{ENV} has an error, so its values are not offered as defaults: {error}")
        return Settings()


def _ask_questions(interview: _Interview, before: "Settings", *, private: bool) -> dict[str, str]:
    """Return the answers as settings by name. An empty relay is an outbox: no email is sent."""
    from paperround.config import Settings

    interview.heading(
        "1. Where do readers reach the site? Every link in an email begins with this address.\n"
        "   To try it on this machine, keep the default: `paperround serve` listens on its port.\n"
        "   Behind your own web server, give its https address."
    )
    public_url = interview.ask("--public-url", "Address", before.public_url, read_public_url)
    interview.heading(
        "2. Which mail server (relay) sends the email? smtps://user:password@host:465, as your\n"
        "   provider tells you. With `outbox`, no email is sent: each is kept in\n"
        f"   {before.data_dir / OUTBOX}."
    )
    if before.smtp_url is None:
        relay = interview.ask("--relay", "Relay", OUTBOX, read_relay)
    else:
        question = "Relay (empty: keep the current one)"
        relay = interview.ask("--relay", question, before.smtp_url, read_relay, is_secret=True)
    must = Settings(smtp_url=relay or None).leaves_this_machine
    interview.heading(
        "3. Who runs this? Readers see your name, or your group's, in the footer of every email,\n"
        "   and write to the address; alerts go there too."
    )
    operator, contact, mail_from = _ask_sender(interview, before, relay, must=must)
    interview.heading(
        "4. When do readers get the digest by default? Give a time zone, such as Europe/Berlin,\n"
        "   and an hour."
    )
    usual = before.timezone if "timezone" in before.model_fields_set else machine_zone()
    timezone = interview.ask("--timezone", "Time zone", usual, read_zone)
    hour = interview.ask("--hour", "Hour (0-23)", str(before.default_hour), read_hour)
    interview.heading(
        "5. A postal address for the footer: many countries require one in email to strangers.\n"
        "   Leave it empty for your own group, or while email stays in the outbox."
    )
    postal, is_private = _ask_postal(interview, before, must=must, private=private)
    return {
        "PUBLIC_URL": public_url,
        "OPERATOR": operator,
        "CONTACT": contact,
        "SMTP_URL": relay,
        "MAIL_FROM": mail_from,
        "TIMEZONE": timezone,
        "DEFAULT_HOUR": str(hour),
        "POSTAL_ADDRESS": postal,
        "PRIVATE": "1" if is_private else "",
    }


def _ask_sender(
    interview: _Interview, before: "Settings", relay: str, *, must: bool
) -> tuple[str, str, str]:
    """Ask for operator, contact and From field. With `must`, email is sent, so all are required."""
    name = required(read_line, "readers must see who sends the email", must=must)
    operator = interview.ask("--operator", "Name", before.operator or "", name)
    address = required(read_address, "readers need an address they can write to", must=must)
    contact = interview.ask("--contact", "Email", before.contact or "", address)
    usual = before.mail_from if "mail_from" in before.model_fields_set else ""
    usual = usual or sender_of(operator, contact) or before.mail_from
    if not relay and interview.given["--mail-from"] is None:
        return operator, contact, usual
    interview.heading(
        "   Who is each email from? Name <address>; the relay must let you send as that address."
    )
    return operator, contact, interview.ask("--mail-from", "From field", usual, read_sender)


def _ask_postal(
    interview: _Interview, before: "Settings", *, must: bool, private: bool
) -> tuple[str, bool]:
    """Ask for the postal address; return it, and whether the installation is private."""
    usual = before.postal_address or ""
    while True:
        postal = interview.ask("--postal-address", "Postal address", usual, read_line)
        is_private = private or (before.private and not postal)
        if postal or is_private or not must:
            return postal, is_private
        if interview.confirm("Is it for your own group only?", default=False):
            return "", True
        reason = (
            "email to strangers needs a postal address: give --postal-address, or --private for "
            "your own group"
        )
        if interview.silent:
            raise InvalidInput(reason)
        say(f"  {reason}")


def _write(answers: Mapping[str, str]) -> None:
    """Write `.env`, and print which answers the environment overrides."""
    from paperround.config import PREFIX, load_settings

    before = read_file(ENV).decode() if ENV.exists() else ""
    if before:
        copy = copy_of(ENV)
        write_private(copy, before)
        say(f"kept the old settings as {copy}")
    write_private(ENV, env_text(answers, secrets.token_urlsafe(32), before))
    say(f"wrote {ENV}, which only you can read; the secret in it belongs in every backup")
    with suppress(Misconfigured):  # the doctor reports it
        written, effective = load_settings({}), load_settings()
        for name in answers:
            if getattr(written, name.lower()) != getattr(effective, name.lower()):
                say(f"{PREFIX}{name} is also set in the environment, which takes precedence")


def _check() -> "list[Finding]":
    """Create the installation, run the doctor, and print what to fix."""
    with suppress(PaperroundError):  # the doctor reports it
        context = runtime(creates=True)
        if context.settings.embedded:
            context.prepare()
    say()
    findings = find_problems()
    expected = {("warn", check) for check in CHECKS_BEFORE_START}
    to_do = [one for one in findings if one.level in ("warn", "fail")]
    if to_do := [one for one in to_do if (one.level, one.check) not in expected]:
        say("\n".join(finding_lines(to_do)))
    else:
        say(f"checked {counted(len(findings), 'thing')}: no problems found")
    return findings


def _has_failed(findings: "list[Finding]", check: str | None = None) -> bool:
    """Return whether any check failed, or the one named `check`."""
    return any(one.level == "fail" and check in (None, one.check) for one in findings)


def _offer_test_message(contact: str, wanted: bool | None, interview: _Interview) -> bool:
    """Send a test message to the contact if `wanted`; return False if sending failed."""
    if not contact:
        return True
    say()
    question = f"Send a test email to {contact}?"
    if not (interview.confirm(question, default=True) if wanted is None else wanted):
        return True
    try:
        return send_test(contact)
    except (PaperroundError, OSError) as error:
        say(f"no test email was sent: {error}")
        return False


def _print_next_steps(public_url: str) -> None:
    from paperround.cli.server import listening_place
    from paperround.config import load_settings

    say()
    host, port = listening_place(public_url)
    say("What to do next:")
    say("  paperround feeds add --preset ml    # others: paperround feeds presets")
    say(f"  paperround serve                    # site, schedule and sending, on {host}:{port}")
    say(f"  open {public_url}/ and subscribe yourself")
    with suppress(Misconfigured):  # the doctor reported it
        settings = load_settings()
        if settings.keeps_mail:
            say(where_mail_is_kept(settings))
    say("`paperround doctor` repeats these checks; `paperround init --force` changes your answers.")
    say("To let a language model summarise the papers, set PAPERROUND_SUMMARISE_URL and _MODEL.")


# --- checks ------------------------------------------------------------------------------------

COLOURS = {
    "ok": typer.colors.GREEN,
    "warn": typer.colors.YELLOW,
    "fail": typer.colors.RED,
    "skipped": typer.colors.BRIGHT_BLACK,
}


def doctor(as_json: AsJson = False) -> None:
    """Check this installation and say what to do. Fails if something is wrong. Sends nothing."""
    from paperround.doctor.findings import is_well

    findings = find_problems()
    value = {"well": is_well(findings), "checks": [asdict(one) for one in findings]}
    print_result(value, finding_lines(findings), as_json=as_json)
    if not is_well(findings):
        raise typer.Exit(1)


def find_problems() -> "list[Finding]":
    """Return every finding on the installation that the environment describes."""
    from paperround.bootstrap.database import require_made
    from paperround.doctor.examination import examine, findings_without_settings
    from paperround.doctor.findings import fail

    try:
        context = runtime()
    except Misconfigured as error:
        return findings_without_settings(error.faults)
    try:
        require_made(context.settings)
    except Misconfigured as error:
        return [fail("installation", str(error))]
    return examine(context, now=context.clock.now())


def finding_lines(findings: "list[Finding]") -> Iterator[str]:
    """Yield the findings as lines of text, then their number by level."""
    for one in findings:
        yield f"{typer.style(f'{one.level:7}', fg=COLOURS[one.level])} {one.check}: {one.says}"
        if one.way_out:
            yield f"        > {one.way_out}"
        yield from (f"          {line}" for line in one.lines)
    levels = [one.level.value for one in findings]
    yield ""
    yield ", ".join(f"{levels.count(word)} {word}" for word in COLOURS if word in levels)
