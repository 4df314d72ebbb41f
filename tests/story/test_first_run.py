"""The first quarter of an hour: questions answered, faults named, one test mail, a look around."""

import socket
from itertools import repeat
from pathlib import Path

import httpx2 as httpx
import pytest
from dotenv import dotenv_values

from paperround.cli.server import opens_outbox
from paperround.config import Settings
from tests.faults import Say, SmtpSink
from tests.story.command_line import SAMPLE, CommandLine
from tests.story.processes import running
from tests.story.serving import free_port

ME = "ada@lab.example.org"


@pytest.fixture
def home(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def settings(home: CommandLine) -> dict[str, str | None]:
    return dict(dotenv_values(home.folder / ".env"))


def answer(home: CommandLine, *lines: str, force: bool = False) -> str:
    """Run `init` as a person does, typing `lines`; what was said."""
    typed = "".join(f"{line}\n" for line in lines).encode()
    command = ["init", "--no-test-mail", *(["--force"] if force else [])]
    out, err = home.start(*command, typed=typed).communicate(timeout=120)
    assert "Traceback" not in err
    return out


@pytest.mark.quick
@pytest.mark.accept("F37", part="first run")
def test_init_without_questions_makes_an_installation_that_is_well(home: CommandLine) -> None:
    here = f"http://127.0.0.1:{free_port()}"  # not a site that happens to run on this machine
    asked = ("--contact", ME, "--operator", 'The "Lab", #1', "--public-url", here)
    said = home.run("init", "--yes", *asked)
    env = home.folder / ".env"
    assert env.stat().st_mode & 0o777 == 0o600
    assert len(settings(home)["PAPERROUND_SECRET_KEY"] or "") == 43
    assert settings(home)["PAPERROUND_OPERATOR"] == 'The "Lab", #1'
    assert "fail" not in said
    assert "test email with a short text (there is no edition): sent" in said
    assert len(home.outbox) == 1
    assert home.json("doctor")["well"] is True


@pytest.mark.accept("S9", part="init")
def test_a_wrong_answer_is_asked_again_with_the_reason(home: CommandLine) -> None:
    wrong = ("http://papers.example.org", "https://papers.example.org")
    relays = ("smtp://mail.example.org", "outbox")
    people = ("Ada", 'ada"@lab', ME)
    said = answer(home, *wrong, *relays, *people, "Moon/Base", "Europe/Berlin", "24", "8", "")
    for reason in ("https", "?starttls=required", "no quotes", "'Moon/Base' is not", "0 to 23"):
        assert reason in said
    assert settings(home)["PAPERROUND_PUBLIC_URL"] == "https://papers.example.org"
    assert settings(home)["PAPERROUND_TIMEZONE"] == "Europe/Berlin"
    assert settings(home)["PAPERROUND_DEFAULT_HOUR"] == "8"


def test_an_answer_on_the_command_line_that_is_wrong_is_wrong_usage(home: CommandLine) -> None:
    assert "--hour" in home.run("init", "--yes", "--hour", "25", exit_code=2)
    assert "--contact" in home.run("init", "--yes", "--contact", "ada", exit_code=2)
    assert not (home.folder / ".env").exists()


def test_mail_that_leaves_needs_a_sender_and_an_address(home: CommandLine) -> None:
    relay = ("init", "--yes", "--no-test-mail", "--relay", "smtps://mail.example.org")
    assert "see who sends the email" in home.run(*relay, exit_code=2)
    named = (*relay, "--operator", "Lab", "--contact", ME)
    assert "--private" in home.run(*named, exit_code=1)
    assert not (home.folder / ".env").exists()


def test_settings_are_not_overwritten_unless_asked_for(home: CommandLine) -> None:
    home.run("init", "--yes", "--no-test-mail")
    before = (home.folder / ".env").read_text()
    assert "--force" in home.run("init", "--yes", exit_code=1)
    assert (home.folder / ".env").read_text() == before


@pytest.mark.accept("C5", part="init")
def test_a_folder_that_is_not_there_is_one_line_that_names_it(home: CommandLine) -> None:
    error = home.run("try", "language", "--no-open", "--out", "nowhere/try.html", exit_code=1)
    assert error == "paperround: nowhere/try.html: No such file or directory\n"


def test_correcting_an_answer_keeps_the_secret_and_what_else_was_set(home: CommandLine) -> None:
    home.run("init", "--yes", "--no-test-mail", "--operator", "Lab")
    secret = settings(home)["PAPERROUND_SECRET_KEY"]
    with (home.folder / ".env").open("a") as file:
        file.write("PAPERROUND_TRUSTED_PROXIES=127.0.0.1\nCOMPOSE_PROFILES=relay\n")
    home.run("init", "--yes", "--no-test-mail", "--force", "--hour", "9")
    kept = settings(home)
    assert kept["PAPERROUND_SECRET_KEY"] == secret
    assert kept["PAPERROUND_TRUSTED_PROXIES"] == "127.0.0.1"
    assert (kept["COMPOSE_PROFILES"], kept["PAPERROUND_OPERATOR"]) == ("relay", "Lab")
    copy = home.folder / ".env.before-1"
    assert "DEFAULT_HOUR=7" in copy.read_text()
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_password_in_the_relay_is_not_shown_again(home: CommandLine) -> None:
    with SmtpSink() as sink:
        relay = f"smtp://ada:a%2Fsecret@127.0.0.1:{sink.port}"
        home.run("init", "--yes", "--no-test-mail", "--relay", relay, exit_code=1)
        said = answer(home, *[""] * 9, force=True)
    assert "a%2Fsecret" not in said
    assert settings(home)["PAPERROUND_SMTP_URL"] == relay


@pytest.mark.accept("O6", part="settings")
def test_the_doctor_names_a_setting_that_there_is_not(home: CommandLine) -> None:
    (home.folder / ".env").write_text("PAPERROUND_SMPT_URL=smtp://127.0.0.1\n")
    process = home.start("doctor")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "did you mean PAPERROUND_SMTP_URL?" in said


@pytest.mark.accept("F50", part="setting up", mutant="a-dialogue-tells-what-is-well")
def test_the_dialogue_shows_only_what_needs_doing(home: CommandLine) -> None:
    said = answer(home, "", "", "Lab", f"Ann <{ME}>", "Europe/Berlin", "8:00", "")
    assert "no problems found" in said
    assert "warn" not in said
    assert "PAPERROUND_SUMMARISE_URL" in said
    assert settings(home)["PAPERROUND_CONTACT"] == ME
    assert settings(home)["PAPERROUND_DEFAULT_HOUR"] == "8"
    for number in "12345":
        assert f"\n{number}. " in said


@pytest.mark.accept("F50", part="setting up", mutant="a-test-mail-over-a-dead-relay")
def test_no_test_mail_is_offered_over_a_relay_that_just_failed(home: CommandLine) -> None:
    relay = f"smtp://127.0.0.1:{free_port()}"
    process = home.start("init", "--yes", "--private", "--contact", ME, "--relay", relay)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Connection refused" in said
    assert "no test email: fix the relay" in said
    assert said.count("Connection refused") == 1


@pytest.mark.accept("F50", part="setting up", mutant="a-server-elsewhere-than-its-links")
def test_the_service_listens_where_init_says_its_links_lead(home: CommandLine) -> None:
    port = free_port()
    told = home.run("init", "--yes", "--no-test-mail", "--public-url", f"http://localhost:{port}")
    assert f"on 127.0.0.1:{port}" in told
    with running(home, "serve", "--web-only") as process:
        assert process.stdout is not None
        serves = f"Paperround serves http://localhost:{port} on 127.0.0.1:{port}\n"
        assert process.stdout.readline() == serves
        socket.create_connection(("127.0.0.1", port), timeout=10).close()


@pytest.mark.accept("F28", part="mail in a folder")
def test_with_the_defaults_init_and_serve_say_where_mail_is_and_its_page_opens(
    home: CommandLine,
) -> None:
    here = f"http://127.0.0.1:{free_port()}"
    told = home.run("init", "--yes", "--no-test-mail", "--public-url", here)
    says = f"email is kept in {Path('paperround-data/outbox')}, and none is sent: {here}/outbox\n"
    assert says in told
    with running(home, "serve", "--web-only") as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.stdout.readline() == says
        assert httpx.get(f"{here}/outbox").status_code == 200
        assert "/outbox" in httpx.get(f"{here}/").text


@pytest.mark.parametrize("place", ["::", "192.0.2.1"])
def test_a_site_for_other_machines_keeps_its_outbox_closed(place: str, tmp_path: Path) -> None:
    local = Settings(data_dir=tmp_path, public_url="http://127.0.0.1:8000")
    assert opens_outbox(local, "127.0.0.1")
    assert not opens_outbox(local, place)
    public = Settings(data_dir=tmp_path, public_url="https://papers.example.org")
    assert not opens_outbox(public, "127.0.0.1")
    relayed = Settings(data_dir=tmp_path, smtp_url="smtp://127.0.0.1:25")
    assert not opens_outbox(relayed, "127.0.0.1")


@pytest.mark.accept("F50", part="a taken port", mutant="a-taken-port-is-a-traceback")
def test_a_port_that_is_taken_is_one_line(home: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        error = home.run("serve", "--port", port, exit_code=1)
    assert error.startswith(f"paperround: cannot listen on port {port} of 127.0.0.1")
    assert error.count("\n") == 1
    assert "--port" in error


@pytest.mark.accept("F21", part="a test mail")
def test_a_test_mail_that_is_refused_fails_and_says_why(home: CommandLine) -> None:
    with SmtpSink({"rcpt": repeat(Say(f"550 5.7.1 {ME} is not for you"))}) as sink:
        away = CommandLine(home.folder, {"SMTP_URL": sink.url})
        away.run("db", "upgrade")
        process = away.start("digest", "test", "--to", ME)
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "not accepted (policy-refusal: 550 5.7.1): (address) is not for you" in said


@pytest.mark.accept("F34", part="history")
def test_the_morning_after_is_told_by_list_and_by_person(home: CommandLine) -> None:
    home.run("ingest", "--file", str(SAMPLE / "page.txt"))
    home.run("subscribers", "import", str(SAMPLE / "subscribers.csv"))
    home.run("digest", "send")
    home.run("deliver")
    [told] = home.json("digest", "status")["lists"]
    assert told["editions"][0]["mails"] == {"sent": 2}
    [mail] = home.json("subscribers", "history", "ada@example.org")["mails"]
    assert (mail["state"], len(mail["papers"])) == ("sent", 12)
    assert "kept in the outbox" in home.run("subscribers", "history", "ada@example.org")
    assert "mails: sent 2" in home.run("digest", "status")
