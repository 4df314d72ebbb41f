"""One reader's day without a server: sent once, whatever happens in between."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import repeat
from pathlib import Path

import pytest
from sqlalchemy import Engine

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.core.errors import Conflict, Misconfigured
from tests.faults import Break, Say, SmtpSink
from tests.feeds.arxiv_samples import item, rss
from tests.http.faults import FaultServer, page, says
from tests.plugins.once.once_folder import ADA, OnceFolder
from tests.plugins.summaries.completions import completion
from tests.reliability.faults import Faults, Killed, faulty_sqlite
from tests.sample_database import NOW

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LEASE_IS_OVER = timedelta(minutes=20)
COMMITS = frozenset({"before a commit", "after a commit"})
CUT_OFF = "may have arrived, so it is not sent again: a run was cut off while sending it"


@pytest.fixture
def once(tmp_path: Path) -> OnceFolder:
    folder = OnceFolder(tmp_path)
    folder.papers(1, 2)
    return folder


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as found:
        yield found


def mail_of(sink: SmtpSink) -> EmailMessage:
    """The newest mail that the relay took."""
    return message_from_bytes(sink.messages[-1].content, policy=policy.default)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.accept("F58", part="once a day", mutant="once-plans-a-day-again")
def test_a_second_run_of_the_day_sends_nothing_and_asks_no_feed(
    once: OnceFolder, sink: SmtpSink
) -> None:
    once.mailed_to(sink.url)
    first = once.run()
    once.folder.joinpath("papers.jsonl").unlink()
    second = once.run(NOW + HOUR)
    assert (first.sent, first.papers, first.trouble) == (1, 2, None)
    assert (second.sent, second.trouble, second.unread) == (0, None, {})
    assert second.nothing == "Today's digest was sent at 2026-01-30T07:00:00Z."
    assert [one.recipients for one in sink.messages] == [(ADA,)]


@pytest.mark.accept("F58", part="once a day")
def test_the_next_day_brings_what_is_new_and_nothing_twice(
    once: OnceFolder, sink: SmtpSink
) -> None:
    once.mailed_to(sink.url)
    once.run()
    quiet = once.run(NOW + DAY)
    once.papers(1, 2, 3)
    later = once.run(NOW + DAY + HOUR)  # a day without a digest is looked at again
    assert (quiet.sent, quiet.nothing) == (0, "There were no new papers for you.")
    assert (later.sent, later.papers) == (1, 1)
    assert "Counting 3 bees" in text_of(mail_of(sink))
    assert "Counting 1 bees" not in text_of(mail_of(sink))


@pytest.mark.accept("F58", part="mail", mutant="once-mails-links-of-a-site")
def test_the_mail_comes_from_the_reader_and_leads_to_no_site(
    once: OnceFolder, sink: SmtpSink
) -> None:
    once.mailed_to(sink.url, keys="interests = ['keyword:bees']")
    once.run()
    mail = mail_of(sink)
    assert mail["From"] == f"Paperround <{ADA}>"
    assert not [name for name in mail if name.lower().startswith("list-")]
    text = text_of(mail)
    assert "https://arxiv.org/abs/2601.00001" in text
    assert "your search “bees”" in text
    assert "there is no unsubscribe link" in " ".join(text.split())
    html = mail.get_body(("html",))
    assert html is not None
    for part in (text, html.get_content()):
        assert "127.0.0.1" not in part
        assert "Unsubscribe" not in part


@pytest.mark.accept("F58", part="mail")
def test_only_days_of_the_reader_s_choice_bring_a_digest(once: OnceFolder, sink: SmtpSink) -> None:
    once.mailed_to(sink.url, keys="frequency = 'weekly:mon'")
    report = once.run()  # on a Friday
    assert (report.sent, report.nothing) == (0, "It was not one of your days.")
    assert once.run(NOW + 3 * DAY).sent == 1


@pytest.mark.accept("F58", part="mail")
def test_a_month_is_told_from_the_days_it_ran(once: OnceFolder, sink: SmtpSink) -> None:
    once.mailed_to(sink.url, keys="frequency = 'monthly'")
    assert [once.run(NOW + n * DAY).sent for n in range(3)] == [0, 0, 1]  # on 1 February
    assert "January" in mail_of(sink)["Subject"]


def test_the_digest_of_last_night_is_not_taken_for_that_of_this_morning(once: OnceFolder) -> None:
    with SmtpSink({"rcpt": [Say("450 4.2.1 come back later")]}) as sink:
        once.mailed_to(sink.url)
        once.run(NOW - 9 * HOUR)
        report = once.run()
    assert (report.sent, report.is_out, report.papers, report.trouble) == (1, False, 0, None)


@pytest.mark.accept("F58", part="cut off", mutant="once-keeps-papers-of-a-lost-digest")
def test_papers_of_a_digest_that_could_not_leave_all_day_come_with_the_next(
    once: OnceFolder,
) -> None:
    with SmtpSink({"rcpt": [Say("450 4.2.1 come back later")]}) as sink:
        once.mailed_to(sink.url)
        once.run()
        once.papers(1, 2, 3)
        report = once.run(NOW + DAY)
    assert (report.sent, report.papers) == (1, 3)
    assert len(sink.messages) == 1


@pytest.mark.accept("F58", part="cut off", mutant="once-forgets-what-was-planned")
def test_a_refused_mail_waits_with_the_reason_and_leaves_later(once: OnceFolder) -> None:
    with SmtpSink({"rcpt": [Say("450 4.2.1 come back later")]}) as sink:
        once.mailed_to(sink.url)
        refused = once.run()
        once.papers(1, 2, 3)
        again = once.run(NOW + LEASE_IS_OVER)
    assert refused.trouble is not None
    assert refused.trouble.startswith("today's digest waits: ")
    assert refused.trouble.count("come back later") == 1
    assert (again.sent, again.papers, again.trouble) == (1, 2, None)
    assert len(sink.messages) == 1


@pytest.mark.slow
@pytest.mark.accept("F58", part="cut off")
@pytest.mark.accept("R2", part="once")
def test_whichever_commit_it_dies_at_the_digest_is_sent_once(tmp_path: Path) -> None:
    at, stride, doubts = 1, 5, 0
    while True:
        faults = Faults(at=at, dies=True, only=COMMITS)
        folder = tmp_path / str(at)
        folder.mkdir()
        arrived, is_in_doubt = _dies_and_goes_on(OnceFolder(folder), faults)
        assert arrived + is_in_doubt == 1, f"{faults.steps[-1]}, step {at}"
        doubts += is_in_doubt
        if not faults.struck:
            break
        at += stride
    assert at > 4 * stride
    assert doubts <= 1  # the mark is set, and nobody can tell what became of the dot


def _dies_and_goes_on(once: OnceFolder, faults: Faults) -> tuple[int, bool]:
    """Run until the fault and again; how many mails arrived, and whether one may have."""

    def fail(engine: Engine) -> None:
        faulty_sqlite(engine, lambda: faults)

    with SmtpSink() as sink:
        once.mailed_to(sink.url)
        once.run()  # makes the database, and finds no papers
        once.papers(1, 2)
        try:
            once.run(prepare=fail)
        except Killed:
            assert faults.struck
        report = once.run(NOW + LEASE_IS_OVER)
        is_in_doubt = report.trouble is not None
        assert not is_in_doubt or report.trouble == f"today's digest {CUT_OFF}"
        return len(sink.messages), is_in_doubt


@pytest.mark.parametrize(
    ("later", "whose"),
    [(LEASE_IS_OVER, "today's digest"), (DAY, "the digest of 2026-01-30")],
    ids=["on the day", "on the next day"],
)
@pytest.mark.accept("F58", part="cut off", mutant="once-keeps-quiet-about-a-doubt")
def test_the_run_after_one_that_died_before_the_answer_says_so_once(
    once: OnceFolder, sink: SmtpSink, later: timedelta, whose: str
) -> None:
    once.mailed_to(sink.url)
    _die_before_the_answer(once)
    once.papers(1, 2, 3)
    after = once.run(NOW + later)
    assert after.trouble == f"{whose} {CUT_OFF}"
    assert once.run(NOW + later + HOUR).trouble is None
    assert sum(b"Counting 1 bees" in one.content for one in sink.messages) == 1


def _die_before_the_answer(once: OnceFolder) -> None:
    """Run until the relay has the whole message, and die before its answer is stored."""
    faults = Faults(dies=True)

    def die(_: object) -> None:
        faults.struck = True
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paperround.delivery.deliver.verdict", die)
        with pytest.raises(Killed):
            once.run(prepare=lambda engine: faulty_sqlite(engine, lambda: faults))


@pytest.mark.accept("F58", part="unread feeds", mutant="once-plans-blindly")
def test_feeds_out_of_reach_are_named_and_take_nothing_from_the_day(
    once: OnceFolder, sink: SmtpSink
) -> None:
    answers = {"/": says(page(b"", status="500 Oops"))}
    with FaultServer(answers) as server:
        feed = f"[[feeds]]\nname = 'lab'\nkind = 'arxiv'\nurl = '{server.url('/atom')}'\n"
        feed += "settings = {categories = 'cs.AI'}"
        settings = f"smtp_url = '{sink.url}'\nfetch_allow = '{server.at}'"
        once.configure(f"email = '{ADA}'\n{feed}", papers="", settings=settings)
        unread = once.run()
        answers["/"] = says(page(rss(item("2601.00001v1", title="One"))))
        read = once.run(NOW + HOUR)
    assert unread.trouble == "no papers could be read"
    assert unread.unread == {"lab": "127.0.0.1 did not return a page (status 500)"}
    assert (read.sent, read.papers, read.trouble) == (1, 1, None)


@pytest.mark.accept("F58", part="unread feeds")
def test_one_file_that_is_missing_does_not_keep_the_others_back(
    once: OnceFolder, sink: SmtpSink
) -> None:
    once.mailed_to(sink.url)
    place = once.folder / "once.toml"
    place.write_text(place.read_text().replace("papers = [", "papers = ['gone.jsonl', "))
    report = once.run()
    assert (report.sent, report.trouble) == (1, None)
    assert report.unread == {str(once.folder / "gone.jsonl"): "No such file or directory"}


@pytest.mark.accept("F58", part="mail")
def test_a_new_address_goes_on_with_what_the_old_one_was_sent(
    once: OnceFolder, sink: SmtpSink
) -> None:
    once.mailed_to(sink.url)
    once.run()
    once.papers(1, 2, 3)
    once.mailed_to(sink.url, email="ada@new.example.org", keys="size = 1")
    report = once.run(NOW + DAY)
    assert (report.sent, report.papers) == (1, 1)
    assert sink.messages[-1].recipients == ("ada@new.example.org",)
    assert len(sink.messages) == 2


@pytest.mark.accept("F58", part="mail")
def test_summaries_are_asked_for_before_the_digest_is_planned(
    once: OnceFolder, sink: SmtpSink
) -> None:
    with FaultServer({"/": completion("What is counted is bees.")}) as server:
        machine = f"summarise_url = '{server.url('/v1')}'\nsummarise_model = 'small-1'"
        once.mailed_to(sink.url, settings=machine)
        once.run()
    assert "Machine-made: What is counted is bees." in text_of(mail_of(sink))


def test_a_feed_that_left_the_file_is_not_read_any_more(once: OnceFolder) -> None:
    html = "[files]\nhtml = 'digest.html'"
    with FaultServer({"/": says(page(rss(item("2601.00009v1", title="One"))))}) as server:
        feed = f"[[feeds]]\nname = 'lab'\nkind = 'arxiv'\nurl = '{server.url('/atom')}'\n"
        feed += "settings = {categories = 'cs.AI'}"
        once.configure(f"{feed}\n{html}", papers="", settings=f"fetch_allow = '{server.at}'")
        assert once.run().papers == 1
        asked = len(server.requests)
        once.configure(html)
        assert once.run(NOW + DAY).unread == {}
        assert len(server.requests) == asked


def test_the_relay_s_own_words_tell_why_it_refuses_a_mail(once: OnceFolder) -> None:
    with SmtpSink({"rcpt": repeat(Say(f"550 5.1.1 no such user {ADA}"))}) as sink:
        once.mailed_to(sink.url)
        report = once.run()
    assert report.trouble is not None
    assert "no such user" in report.trouble
    assert ADA not in report.trouble


def test_an_address_that_is_gone_is_mailed_no_more_and_a_new_one_is(once: OnceFolder) -> None:
    with SmtpSink({"rcpt": [Say("550 5.1.1 no such user")]}) as sink:
        once.mailed_to(sink.url)
        once.run()
        with pytest.raises(Misconfigured, match=r"once.toml: email: this address is suppressed"):
            once.run(NOW + DAY)
        once.mailed_to(sink.url, email="ada@new.example.org")
        assert once.run(NOW + DAY).sent == 1
    assert [one.recipients for one in sink.messages] == [("ada@new.example.org",)]


@pytest.mark.accept("F58", part="once a day", mutant="once-takes-any-installation")
def test_the_folder_of_an_installation_is_left_alone(once: OnceFolder, sink: SmtpSink) -> None:
    app = AppContext(Settings(data_dir=once.state), FixedClock(NOW))
    app.prepare()
    app.database.close()
    once.mailed_to(sink.url)
    with pytest.raises(Conflict, match="is the folder of an installation"):
        once.run()
    assert sink.messages == []


def test_a_state_folder_that_cannot_be_written_is_one_line(once: OnceFolder) -> None:
    once.configure("state = 'papers.jsonl/state'\n[files]\nhtml = 'digest.html'")
    with pytest.raises(Misconfigured, match=r"once.toml: state: .* cannot be written \(Not a dir"):
        once.run()


def test_papers_that_are_all_old_are_told_so(once: OnceFolder) -> None:
    once.configure("[files]\nhtml = 'digest.html'")
    old = '{"id": "2501.00001", "title": "Counting bees", "listed_on": "2025-01-02"}'
    once.folder.joinpath("papers.jsonl").write_text(old)
    assert once.run().nothing == "no paper is from the last 7 days"


def test_a_mail_whose_fate_is_unknown_is_told_so_and_can_be_looked_at(once: OnceFolder) -> None:
    with SmtpSink({"dot": [Break.DROP]}) as sink:
        once.mailed_to(sink.url)
        broken = once.run()
        again = once.run(NOW + HOUR)
    assert broken.trouble is not None
    assert broken.trouble.startswith("today's digest may have arrived, so it is not sent again: ")
    assert (again.sent, again.trouble) == (0, None)
    assert "may have arrived" in again.nothing
    once.mailed_to(sink.url, keys="files.html = 'digest.html'")
    once.run(NOW + 2 * HOUR, is_trial=True)
    assert "Counting 1 bees" in once.folder.joinpath("digest.html").read_text()
