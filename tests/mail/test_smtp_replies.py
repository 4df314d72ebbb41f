"""The reply table as a grid: every stage of a session, every way it can go wrong."""

from collections.abc import Mapping

import pytest

from paperround.domain.deliveries import Blame, Verdict
from paperround.domain.replies import verdict
from paperround.mail.connection import Timeouts
from paperround.mail.smtp import SmtpMailer
from paperround.mail.smtp_url import Relay, Tls
from tests.faults import Action, Break, Late, Part, Say, SmtpSink
from tests.mail.envelopes import Marks, envelope

# The state of the mail that met the fault. A mark after it says who is to blame:
# ~ the destination is told to slow down, ! it is our own fault, * the address does not exist.
GRID = """
stage       4xx        421        5.1.1      5.2.2      5.7.26     drop       rst        hang       garbage    half-line
banner      deferred~  deferred~  deferred~  deferred~  deferred!  deferred~  deferred~  deferred~  deferred~  deferred~
late        deferred~  deferred~  deferred~  deferred~  deferred!  deferred~  deferred~  deferred~  deferred~  deferred~
multi-line  deferred~  deferred~  deferred~  deferred~  deferred!  deferred~  deferred~  deferred~  deferred~  deferred~
ehlo        deferred~  deferred~  deferred~  deferred~  deferred!  deferred~  deferred~  deferred~  deferred~  deferred~
mail        deferred   deferred~  deferred!  deferred   deferred!  deferred   deferred   deferred   deferred   deferred
rcpt        deferred   deferred~  failed*    deferred   deferred!  deferred   deferred   deferred   deferred   deferred
data        deferred   deferred~  failed     deferred   deferred!  deferred   deferred   deferred   deferred   deferred
body        deferred   deferred~  failed     deferred   deferred!  deferred   deferred   deferred   deferred   deferred
dot         deferred   deferred~  failed     deferred   deferred!  unknown    unknown    unknown    unknown    unknown
accepted    deferred   deferred~  failed     deferred   deferred!  unknown    unknown    unknown    unknown    unknown
quit        sent       sent       sent       sent       sent       sent       sent       sent       sent       sent
"""  # noqa: E501 - a grid is read by its columns

FAULTS: Mapping[str, Action] = {
    "4xx": Say("451 4.3.0 not now"),
    "421": Say("421 4.7.0 closing"),
    "5.1.1": Say("550 5.1.1 no such user"),
    "5.2.2": Say("552 5.2.2 mailbox full"),
    "5.7.26": Say("550-5.7.26 not\r\n550 5.7.26 authenticated"),
    "drop": Break.DROP,
    "rst": Break.RST,
    "hang": Break.HANG,
    "garbage": Break.GARBAGE,
    "half-line": Break.HALF_LINE,
}
BLAME = {"~": Blame(destination=True), "!": Blame(us=True), "*": Blame(subscriber=True)}
SHORT = 0.4
LONG = 20.0
LARGE = (b"x" * 998 + b"\r\n") * 8000


def cells() -> list[tuple[str, str, str]]:
    header, *rows = [line.split() for line in GRID.strip().splitlines()]
    return [
        (row[0], fault, state)
        for row in rows
        for fault, state in zip(header[1:], row[1:], strict=True)
    ]


def script(stage: str, fault: str) -> dict[str, list[Action]]:
    action = FAULTS[fault]
    if stage == "late":
        return {"banner": [Late(0.1, action)]}
    if stage == "multi-line":
        code = action.text[:3] if isinstance(action, Say) else "220"
        return {"banner": [Part(f"{code}-one moment\r\n", action)]}
    return {stage: [action]}


def patience(stage: str, fault: str) -> Timeouts:
    """Short only where the fault is a silence, and only for the silent stage."""
    if fault != "hang":
        return Timeouts(connect=LONG, command=LONG, dot=LONG, goodbye=LONG)
    if stage in ("dot", "accepted"):
        return Timeouts(connect=LONG, command=LONG, dot=SHORT, goodbye=LONG)
    if stage == "quit":
        return Timeouts(connect=LONG, command=LONG, dot=LONG, goodbye=SHORT)
    return Timeouts(connect=LONG, command=SHORT, dot=LONG, goodbye=LONG)


def expected(cell: str) -> tuple[str, Blame]:
    return cell.rstrip("~!*"), BLAME.get(cell[-1], Blame())


@pytest.mark.accept("R6")
@pytest.mark.parametrize(("stage", "fault", "cell"), cells())
def test_each_fault_at_each_stage_leads_to_its_state_and_the_next_mail_goes_out(
    stage: str, fault: str, cell: str
) -> None:
    body = LARGE if stage == "body" else b"Papers.\r\n"
    marks = Marks()
    with SmtpSink(script(stage, fault)) as sink:
        relay = Relay(host="127.0.0.1", port=sink.port, tls=Tls.NONE)
        mailer = SmtpMailer(
            [relay],
            hostname="papers.example",
            connections=1,
            timeouts=patience(stage, fault),
        )
        mails = [envelope(1, body=body), envelope(2)]
        found = [verdict(outcome) for outcome in mailer.send(mails, before_dot=marks)]
    assert (found[0].state, found[0].blame) == expected(cell), found[0]
    assert found[1].state == "sent", found[1]
    took_first = stage in ("accepted", "quit")
    assert [m.message_id for m in sink.messages] == [m.message_id for m in mails[not took_first :]]
    assert (1 in marks.ids) == (stage in ("dot", "accepted", "quit") or marked_early(stage, fault))


def marked_early(stage: str, fault: str) -> bool:
    """A word that comes with the body is noticed after the mark and before the dot."""
    return stage == "body" and fault not in ("drop", "rst", "hang")


@pytest.mark.accept("R6", part="banner")
@pytest.mark.parametrize(
    "banner",
    [
        Late(0.2),
        Say("220-sink.example\r\n220-takes mail\r\n220 go on"),
        Part("220-sink.example\r\n", Late(0.2, Say("220 go on"))),
    ],
)
def test_a_late_or_multi_line_banner_is_waited_for_in_silence(banner: Action) -> None:
    with SmtpSink({"banner": [banner]}) as sink:
        relay = Relay(host="127.0.0.1", port=sink.port, tls=Tls.NONE)
        mailer = SmtpMailer([relay], hostname="papers.example")
        found: list[Verdict] = [
            verdict(outcome) for outcome in mailer.send([envelope(1)], before_dot=Marks())
        ]
    assert [one.state for one in found] == ["sent"]
    assert sink.early_talkers == 0


@pytest.mark.accept("R5", part="lost after the dot")
def test_a_mail_that_was_taken_before_the_connection_was_lost_is_left_in_doubt() -> None:
    with SmtpSink({"accepted": [Break.DROP]}) as sink:
        relay = Relay(host="127.0.0.1", port=sink.port, tls=Tls.NONE)
        mailer = SmtpMailer([relay], hostname="papers.example")
        (lost,) = mailer.send([envelope(1)], before_dot=Marks())
    assert verdict(lost).state == "unknown"
    assert verdict(lost).reason.startswith("silent-after-dot: disconnected")
    assert [message.content for message in sink.messages] == [envelope(1).content]
