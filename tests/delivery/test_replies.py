"""What each answer of a mail server, or its silence, does to one delivery."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.delivery.model import ErrorScope, Outcome, Phase, Reply
from paperround.delivery.replies import GarbageReply, ReplyParser, next_try, verdict
from paperround.editions.model import DeliveryId, DeliveryState

NOW = datetime(2026, 1, 30, 8, 0, tzinfo=UTC)
FAR = NOW + timedelta(hours=20)
US, DESTINATION, SUBSCRIBER = (
    ErrorScope(us=True),
    ErrorScope(destination=True),
    ErrorScope(subscriber=True),
)
BEFORE_MAIL = (Phase.CONNECT, Phase.GREETING, Phase.HELLO, Phase.TLS, Phase.AUTH)
BEFORE_DOT = (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY)


def read(*lines: str) -> Reply:
    [reply] = ReplyParser().feed("".join(f"{line}\r\n" for line in lines).encode())
    return reply


def outcome(phase: Phase, line: str = "", error: str = "") -> Outcome:
    reply = read(line) if line else None
    return Outcome(id=DeliveryId(1), phase=phase, reply=reply, error=error)


def judged(phase: Phase, line: str = "", error: str = "") -> tuple[str, ErrorScope]:
    found = verdict(outcome(phase, line, error))
    return found.state, found.blame


@pytest.mark.parametrize("line", ["250 2.0.0 ok", "250", "251 will forward", "299 fine"])
def test_a_yes_to_the_dot_is_sent(line: str) -> None:
    assert judged(Phase.DOT, line) == ("sent", ErrorScope())


@pytest.mark.parametrize("phase", [*BEFORE_MAIL, *BEFORE_DOT])
def test_a_yes_before_the_dot_never_counts_as_sent(phase: Phase) -> None:
    assert judged(phase, "250 ok")[0] == "deferred"


@pytest.mark.accept("R6", part="verdict")
@pytest.mark.parametrize("error", ["timeout: x", "disconnected: x", "garbage: x", "half-line: x"])
def test_silence_is_ambiguous_only_after_the_dot(error: str) -> None:
    assert judged(Phase.DOT, error=error) == ("unknown", ErrorScope())
    for phase in BEFORE_DOT:
        assert judged(phase, error=error) == ("deferred", ErrorScope())


@pytest.mark.parametrize("code", [-1, 0, 199, 600])
def test_a_code_that_is_no_reply_code_counts_as_silence(code: int) -> None:
    garbage = Outcome(id=DeliveryId(1), phase=Phase.DOT, reply=Reply(code, "", "?"))
    assert verdict(garbage).state is DeliveryState.UNKNOWN


def test_a_second_go_ahead_after_the_dot_leaves_it_in_doubt() -> None:
    assert judged(Phase.DOT, "354 go on")[0] == "unknown"


@pytest.mark.parametrize("phase", [*BEFORE_MAIL, *BEFORE_DOT, Phase.DOT])
def test_a_421_slows_the_destination_and_spares_the_subscriber(phase: Phase) -> None:
    assert judged(phase, "421 4.7.0 closing") == ("deferred", DESTINATION)


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_an_address_that_does_not_exist_is_hard_evidence_at_rcpt_only(status: str) -> None:
    assert judged(Phase.RCPT, f"550 {status} no such user") == ("failed", SUBSCRIBER)
    for phase in (Phase.DATA, Phase.BODY, Phase.DOT):
        assert judged(phase, f"550 {status} no such user") == ("failed", ErrorScope())


@pytest.mark.parametrize("line", ["550 no", "551 not here", "553 bad name", "550 5.4.1 denied"])
def test_a_refused_recipient_without_hard_evidence_stays_a_subscriber(line: str) -> None:
    assert judged(Phase.RCPT, line) == ("failed", ErrorScope())


@pytest.mark.parametrize("line", ["552 5.2.2 full", "550 5.2.2 full", "552 full", "550 5.4.4 ?"])
@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.DOT])
def test_a_full_mailbox_or_a_missing_route_may_be_better_tomorrow(line: str, phase: Phase) -> None:
    assert judged(phase, line) == ("deferred", ErrorScope())


@pytest.mark.parametrize("line", ["552 5.3.4 too large", "554 5.3.4 too large", "550 5.2.3 big"])
@pytest.mark.parametrize("phase", [*BEFORE_DOT, Phase.DOT])
def test_a_message_that_is_too_large_has_failed_and_nobody_is_blamed(
    line: str, phase: Phase
) -> None:
    assert judged(phase, line) == ("failed", ErrorScope())


def test_at_mail_a_bare_552_is_about_the_size_since_no_mailbox_was_named_yet() -> None:
    assert judged(Phase.MAIL, "552 too large") == ("failed", ErrorScope())


@pytest.mark.parametrize(
    "line", ["553 5.1.8 sender domain", "550 5.1.1 who", "550 no", "501 what", "555 no SIZE here"]
)
def test_a_relay_that_refuses_our_sender_fails_no_mail(line: str) -> None:
    found = verdict(outcome(Phase.MAIL, line))
    assert (found.state, found.blame) == ("deferred", US)
    assert found.reason.startswith("sender-refused: 5")


@pytest.mark.parametrize("status", ["5.1.7", "5.1.8"])
@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.DOT])
def test_a_refusal_of_the_sender_that_comes_late_is_still_ours(status: str, phase: Phase) -> None:
    found = verdict(outcome(phase, f"553 {status} sender domain"))
    assert (found.state, found.blame) == ("deferred", US)
    assert found.reason == f"sender-refused: 553 {status}"


@pytest.mark.accept("R14", part="verdict")
@pytest.mark.parametrize(
    "line", ["550 5.7.26 unauthenticated", "554 5.7.1 denied", "530 x", "534 x"]
)
@pytest.mark.parametrize("phase", [*BEFORE_DOT, Phase.DOT])
def test_a_policy_refusal_is_our_fault_and_loses_nobody(line: str, phase: Phase) -> None:
    assert judged(phase, line) == ("deferred", US)


@pytest.mark.parametrize("phase", BEFORE_MAIL)
def test_a_session_that_is_refused_fails_no_mail(phase: Phase) -> None:
    ours = phase in (Phase.TLS, Phase.AUTH)
    assert judged(phase, "554 5.3.2 go away") == ("deferred", US if ours else DESTINATION)


def test_a_wrong_password_is_ours() -> None:
    assert judged(Phase.AUTH, "535 5.7.8 no") == ("deferred", US)


def test_a_relay_that_cannot_be_reached_gets_a_rest() -> None:
    assert judged(Phase.CONNECT, error="network: refused") == ("deferred", DESTINATION)


@pytest.mark.parametrize("word", ["certificate", "starttls-missing", "auth-missing"])
def test_what_only_the_operator_can_mend_is_ours(word: str) -> None:
    assert judged(Phase.TLS, error=f"{word}: detail") == ("deferred", US)


def test_an_envelope_no_wire_can_carry_has_failed() -> None:
    found = verdict(outcome(Phase.MAIL, error="unsendable: a line does not end in CRLF"))
    assert (found.state, found.reason[:10]) == (DeliveryState.FAILED, "unsendable")


def test_a_reason_is_a_code_and_never_the_words_of_the_server() -> None:
    found = verdict(outcome(Phase.RCPT, "550 5.1.1 <ada@example.org>: no such user"))
    assert found.reason == "no-such-address: 550 5.1.1"


@given(
    phase=st.sampled_from(Phase),
    code=st.integers(200, 599),
    status=st.from_regex(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})?", fullmatch=True),
)
def test_every_reply_has_a_verdict_and_only_failed_mail_blames_a_subscriber(
    phase: Phase, code: int, status: str
) -> None:
    found = verdict(Outcome(id=DeliveryId(1), phase=phase, reply=Reply(code, status, "")))
    assert found.state in ("sent", "deferred", "failed", "unknown")
    assert (found.state == "sent") == (phase is Phase.DOT and code < 300)
    assert not found.blame.subscriber or (found.state == "failed" and phase is Phase.RCPT)


# --- when to try again -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(0, 5), (1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (999, 60)]
)
def test_waits_double_from_five_minutes_to_an_hour(attempts: int, minutes: int) -> None:
    assert next_try(attempts, NOW, FAR, 0.0) == NOW + timedelta(minutes=minutes)


@pytest.mark.accept("R8", part="back-off bounds")
@given(attempts=st.integers(1, 50), jitter=st.floats(0, 1))
def test_jitter_adds_at_most_a_fifth_and_takes_nothing_away(attempts: int, jitter: float) -> None:
    plain, shaken = next_try(attempts, NOW, FAR, 0.0), next_try(attempts, NOW, FAR, jitter)
    assert plain is not None
    assert shaken is not None
    assert plain <= shaken <= NOW + (plain - NOW) * 1.2


def test_there_is_no_next_try_at_the_end_of_a_life() -> None:
    assert next_try(1, NOW, NOW + timedelta(minutes=5), 0.0) is None
    assert next_try(1, NOW, NOW + timedelta(minutes=5, seconds=1), 0.0) is not None


def test_a_draw_outside_0_to_1_and_a_naive_instant_are_refused() -> None:
    with pytest.raises(ValueError, match="jitter"):
        next_try(1, NOW, FAR, 1.01)
    with pytest.raises(ValueError, match="naive"):
        next_try(1, NOW.replace(tzinfo=None), FAR, 0.0)


# --- reading replies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["250 ok"], Reply(250, "", "ok")),
        (["250"], Reply(250, "", "")),
        (["250 2.0.0 queued as 4F"], Reply(250, "2.0.0", "queued as 4F")),
        (["550-5.1.1 no such", "550 5.1.1 user"], Reply(550, "5.1.1", "no such user")),
        (["250-first", "250-", "250 last"], Reply(250, "", "first last")),
        (["550 4.7.1 of another class"], Reply(550, "", "4.7.1 of another class")),
        (["550 5.1.10000 is no status"], Reply(550, "", "5.1.10000 is no status")),
        (["550 5.1.1"], Reply(550, "5.1.1", "")),
    ],
)
def test_a_reply_is_read_with_its_enhanced_code(lines: list[str], expected: Reply) -> None:
    assert read(*lines) == expected


@pytest.mark.parametrize(
    "lines",
    [
        *([""], ["25"], ["250x"], ["199 low"], ["600 high"], ["hello"], ["250-a", "251 b"]),
        ["٢٥٠ digits of another script"],
    ],
)
def test_what_is_no_reply_is_refused(lines: list[str]) -> None:
    with pytest.raises(GarbageReply, match="repl"):
        read(*lines)


def test_control_characters_do_not_survive_and_the_text_is_cut() -> None:
    reply = read("250 a\x00b\x1b[31m" + "c" * 600)
    assert reply.text.startswith("a b [31mc")
    assert len(reply.text) == 500
