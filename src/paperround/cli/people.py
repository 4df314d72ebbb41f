"""`paperround subscribers` for one person: the help desk. WHO is an address or a subscriber's
number, as `subscribers find` shows it."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.bounces import EVENT_FIELDS
from paperround.cli.options import (
    AsJson,
    ConsentAt,
    Frequency,
    Hour,
    Interests,
    ListName,
    Now,
    Timezone,
    Topics,
    Yes,
    actor,
    address_of,
    agree,
    argument,
    day_option,
    runtime,
    switch,
    takes,
    usage,
)
from paperround.cli.output import pick_fields, print_list, print_result, table_lines
from paperround.cli.subscribers import app as app
from paperround.editions.lists import DEFAULT_LIST

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext
    from paperround.delivery.status import MailRecord
    from paperround.subscribers.model import SubscriberId
    from paperround.web.people_models import PersonAnswer

Email = Annotated[str, typer.Argument(metavar="EMAIL")]
Who = Annotated[str, argument("WHO", "An address, or a number as `find` shows it.")]
Size = Annotated[int | None, typer.Option(help="Papers in a digest.")]
Language = Annotated[str | None, typer.Option(help="A code such as de; of emails and pages.")]
OneIfSeveral = Annotated[
    str | None, takes("--list", "LIST", "Which list. Required if they are on several.")
]
OneOfTheirs = Annotated[
    str | None, takes("--list", "LIST", "One list only. Default: all of theirs.")
]

OPTIONS = {
    "list": "--list",
    "email": "EMAIL",
    "subscriber": "WHO",
    "consent_source": "--consent-source",
    "weekday": "--frequency",
    "paused_until": "--until",
    "interests": "--interest",
}
"""The option that is wrong, by the code of the error."""


def _who(who: str, now: datetime | None, reads: bool = False) -> "tuple[AppContext, SubscriberId]":
    """Return the installation, and the number of a person; `reads` is audited."""
    from paperround.self_service.help_desk import note_reading, person_number

    context = runtime(now)
    with usage("WHO"):
        number = person_number(context.database, who)
    if reads:
        note_reading(context.database, number, by=actor(), now=context.clock.now())
    return context, number


def _interests(written: Sequence[str]) -> list[Any]:
    from paperround.subscribers.interests import parse_interest

    with usage("--interest"):
        return [parse_interest(one) for one in written if one]


def _choices(
    timezone: str | None,
    hour: int | None,
    frequency: str | None,
    topics: str | None,
    interest: Sequence[str] | None,
    language: str | None,
    size: int | None = None,
) -> dict[str, Any]:
    """Return the choices that are given, as `help_desk.edit_choices` takes them."""
    choices = {
        "timezone": timezone,
        "hour": hour,
        "frequency": frequency,
        "topics": None
        if topics is None
        else [one for one in map(str.strip, topics.split(";")) if one],
        "interests": None if interest is None else _interests(interest),
        "language": language,
        "size": size,
    }
    return {name: one for name, one in choices.items() if one is not None}


# --- finding -------------------------------------------------------------------------------------


@app.command()
def find(
    text: Annotated[
        str,
        argument(
            "[TEXT]", "An address, or at least 3 characters of it. Default: the newest people."
        ),
    ] = "",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Find people by their address, or a part of it: 50 at most. The search is audited, without
    TEXT."""
    from paperround.self_service.help_desk import find_people
    from paperround.web.people_models import PersonHit

    context = runtime(now)
    with usage("TEXT"):
        found, more = find_people(context.database, text, now=context.clock.now(), by=actor())
    rows = [PersonHit.of(one).model_dump(mode="json") for one in found]
    lines = [*(table_lines(rows) if rows else ["nobody"])]
    lines += ["more people match: write a longer part"] if more else []
    print_result({"items": rows, "more": more}, lines, as_json=as_json)


@app.command()
def show(who: Who, now: Now = None, as_json: AsJson = False) -> None:
    """Show whether one person gets email, and if not, why. Also shows their choices and consent."""
    from paperround.digests.plan import Hours
    from paperround.ops.standing import standing_of
    from paperround.self_service.help_desk import person_record
    from paperround.web.people_models import PersonAnswer

    context, number = _who(who, now, reads=True)
    record = person_record(context.database, number, context.settings.keys)
    hours = Hours(hour=context.settings.default_hour)
    says = standing_of(context.database, record, hours, now=context.clock.now())
    answer = PersonAnswer.of(record, says)
    if as_json:
        print_result(answer, as_json=True)
        return
    value = answer.model_dump(mode="json")
    value["interests"] = [f"{one.kind}:{one.value}" for one in answer.interests]
    print_result(value, [*value.pop("says"), *_what_helps(answer), ""], as_json=False)
    print_result(value, as_json=False)


def _what_helps(answer: "PersonAnswer") -> Iterator[str]:
    """Yield the commands for somebody who gets no email."""
    from paperround.subscribers.model import GONE

    if {one.reason for one in answer.suppressed} == {GONE}:
        yield f"  paperround subscribers move {answer.id} NEW_EMAIL"
        yield f"  paperround suppressions lift {answer.email} --resume"
    elif answer.suppressed:
        yield f"  paperround suppressions lift {answer.email}"
    elif any(one.state == "pending" for one in answer.subscriptions):
        yield f"  paperround subscribers resend {answer.id}"


@app.command()
def timeline(
    who: Who,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many lines at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what happened to one person, newest first. This includes messages and server replies,
    bounces and complaints, changed choices, and links that were requested and used."""
    from paperround.ops.timeline import timeline as run
    from paperround.web.people_models import TimelineAnswer

    context, number = _who(who, None, reads=True)
    events = [TimelineAnswer.of(one) for one in run(context.database, number, limit=limit)]
    print_list("items", events, "at text", none="nothing", as_json=as_json)


@app.command()
def history(who: Who, as_json: AsJson = False) -> None:
    """Show the emails to one person, newest first. Each has its papers, attempts, server replies
    and bounces."""
    from paperround.ops.status import history_of

    context, number = _who(who, None, reads=True)
    past = history_of(context.database, number)
    value = {
        "subscriber": past.subscriber.address,
        "state": past.subscriber.state,
        "subscriptions": {name: one.state for name, one in past.subscriptions.items()},
        "mails": [mail_as_json(*one) for one in zip(past.mails, past.titles, strict=True)],
        "returned": [pick_fields(event, EVENT_FIELDS) for event in past.returned],
    }
    print_result(value, as_json=as_json)


def mail_as_json(mail: "MailRecord", titles: Sequence[str]) -> dict[str, Any]:
    """Return one message, or post, of a history as JSON."""
    about = {"list": mail.list_name, "date": mail.local_date, "papers": titles}
    names = "name kind state reason due_at sent_at attempts code reply message_id"
    retry = {"next_at": mail.next_at} if mail.state == "deferred" else {}
    return {**pick_fields(mail, names), **retry, **about}


# --- adding and changing -------------------------------------------------------------------------


@app.command()
def add(
    email: Email,
    consent_source: Annotated[
        str, takes("--consent-source", "TEXT", "How they agreed to get email.")
    ],
    consent_at: ConsentAt = None,
    confirm: Annotated[
        bool, switch("--confirm", "Ask them by email first: digests start once they confirm.")
    ] = False,
    timezone: Timezone = None,
    hour: Hour = None,
    frequency: Frequency = None,
    topics: Topics = None,
    interest: Interests = None,
    language: Language = None,
    list_name: ListName = DEFAULT_LIST,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Add one person, who agreed to it, to a list. They get the next digest.

    Choices that are not given stay as they are. People who are suppressed or unsubscribed are not
    added. Their consent is recorded, with who added them and when.
    """
    from paperround.self_service.adding import add_person

    context = runtime(now, creates=True)
    line = {
        "new": "added",
        "changed": "changed",
        "unchanged": "was on the list already",
        "mailed": "an email asks them to confirm",
    }
    choices = _choices(timezone, hour, frequency, topics, interest or None, language)
    address = address_of(email)
    number, outcome = add_person(
        context.signup_context,
        address,
        list_name,
        ground=consent_source,
        consent_at=consent_at,
        confirm=confirm,
        choices=choices,
        now=context.clock.now(),
        by=actor(),
    )
    value = {"list": list_name, "outcome": outcome, "subscriber": number}
    print_result(value, f"{list_name}: {line[outcome]}", as_json=as_json)


@app.command()
def edit(
    who: Who,
    timezone: Timezone = None,
    hour: Hour = None,
    frequency: Frequency = None,
    topics: Topics = None,
    interest: Interests = None,
    size: Size = None,
    language: Language = None,
    reset: Annotated[
        list[str] | None,
        takes(
            "--reset",
            "CHOICE",
            "Reset to the list's default: timezone, hour, size, language, topics or "
            "interests. Repeatable.",
        ),
    ] = None,
    list_name: OneIfSeveral = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Change one person's choices. Those not given stay as they are. The checks are those of their
    own page. Interests apply to all of their lists."""
    from paperround.self_service.help_desk import edit_choices

    choices = _choices(timezone, hour, frequency, topics, interest or None, language, size)
    choices |= _defaults(reset or ())
    if not choices:
        raise typer.BadParameter("say what to change, such as --frequency weekly:mon")
    context, number = _who(who, now)
    with usage(**OPTIONS):
        changed = edit_choices(
            context.signup_context,
            number,
            choices,
            list_name=list_name,
            now=context.clock.now(),
            by=actor(),
        )
    _print_changed(number, changed, "changed", as_json=as_json)


def _defaults(names: Sequence[str]) -> dict[str, Any]:
    defaults: dict[str, Any] = dict.fromkeys(("timezone", "hour", "size", "language"))
    defaults |= {"topics": [], "interests": []}
    unknown = [one for one in names if one not in defaults]
    if unknown:
        raise typer.BadParameter(f"use one of {', '.join(defaults)}", param_hint="--reset")
    return {name: defaults[name] for name in names}


@app.command()
def pause(
    who: Who,
    until: Annotated[
        date | None, day_option("The first day with digests again.", "--until")
    ] = None,
    end: Annotated[bool, switch("--end", "End the pause.")] = False,
    list_name: OneOfTheirs = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Pause one person's digests until a day, or end the pause."""
    from paperround.self_service.help_desk import pause_person

    if (until is None) != end:
        raise typer.BadParameter("give either --until YYYY-MM-DD or --end", param_hint="--until")
    context, number = _who(who, now)
    with usage("--until"):
        changed = pause_person(
            context.signup_context,
            number,
            until,
            list_name=list_name,
            now=context.clock.now(),
            by=actor(),
        )
    _print_changed(
        number, changed, "the pause has ended" if end else f"paused until {until}", as_json=as_json
    )


@app.command()
def unsubscribe(
    who: Who, list_name: OneOfTheirs = None, now: Now = None, as_json: AsJson = False
) -> None:
    """Unsubscribe one person. They get an email with an undo link, as if they had done it
    themselves."""
    from paperround.self_service.help_desk import unsubscribe_person

    context, number = _who(who, now)
    left = unsubscribe_person(
        context.signup_context, number, list_name=list_name, now=context.clock.now(), by=actor()
    )
    nothing = "is on no list, or has not confirmed: nothing was changed"
    line = f"unsubscribed from {', '.join(left)}" if left else nothing
    print_result({"subscriber": number, "lists": left}, line, as_json=as_json)


@app.command()
def resend(
    who: Who,
    of_day: Annotated[date | None, day_option("Resend the digest of that date instead.")] = None,
    list_name: OneOfTheirs = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Resend a confirmation, or with --date a digest. Confirmations are for unconfirmed sign-ups,
    within the sign-up limits. A digest has the same papers as before, and can be resent once.
    `subscribers timeline` shows the dates."""
    from paperround.digests.resend import resend_digest
    from paperround.self_service.adding import resend_confirmation

    context, number = _who(who, now)
    moment = context.clock.now()
    with usage(**OPTIONS):
        if of_day is None:
            name = resend_confirmation(
                context.signup_context, number, list_name=list_name, now=moment, by=actor()
            )
            line = f"{name}: an email asks them to confirm"
        else:
            context.settings.require_sender()
            name = resend_digest(
                context.database,
                number,
                of_day,
                identity=context.identity,
                list_name=list_name,
                now=moment,
                by=actor(),
            )
            line = f"{name}: the digest of {of_day} goes to them again; `deliver` sends it"
    print_result({"subscriber": number, "list": name}, line, as_json=as_json)


@app.command()
def move(
    who: Who,
    email: Annotated[str, argument("EMAIL", "Their new address.")],
    unconfirmed: Annotated[
        bool, switch("--unconfirmed", "At once, without asking the new address.")
    ] = False,
    yes: Yes = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Move one person to a new address. It changes once they use the link in an email to it."""
    from paperround.self_service.help_desk import move_person

    address = address_of(email)
    context, number = _who(who, now)
    if unconfirmed:
        agree(yes, f"Send the digests of subscriber {number} to {address.written} from now on?")
    with usage(**OPTIONS):
        move_person(
            context.signup_context,
            number,
            address,
            unconfirmed=unconfirmed,
            now=context.clock.now(),
            by=actor(),
        )
    line = "moved" if unconfirmed else "an email to the new address asks them to confirm"
    print_result({"subscriber": number, "moved": unconfirmed}, line, as_json=as_json)


@app.command()
def erase(
    who: Who,
    suppress: Annotated[
        bool, switch("--suppress", "Keep a hash, so that the address is never emailed again.")
    ] = False,
    yes: Yes = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Erase one person. This deletes their address, choices, feedback, and what they were sent.

    The ledger keeps its rows without a name. Without --suppress they may sign up again.
    """
    from paperround.self_service.erasure import erase_address
    from paperround.self_service.help_desk import person_record
    from paperround.signup.magic_links import address_of as stored_address

    context = runtime(now)
    context.prepare()
    if who.isdecimal():
        _, number = _who(who, now)
        record = person_record(context.database, number, context.settings.keys)
        address = stored_address(record.person)
    else:
        address = address_of(who, "WHO")
    agree(yes, f"Erase {address.written}, with all their choices and what they were sent?")
    known = erase_address(
        context.signup_context, address, now=context.clock.now(), suppress=suppress, by=actor()
    )
    line = "erased" if known else "nobody has this address"
    line += ", and will not be emailed again" if suppress else ""
    print_result({"erased": known, "suppressed": suppress}, line, as_json=as_json)


def _print_changed(number: int, changed: bool, line: str, *, as_json: bool) -> None:
    value = {"subscriber": number, "changed": changed}
    print_result(value, line if changed else "it was so already", as_json=as_json)
