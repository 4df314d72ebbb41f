"""The dependency audit never says that all is well when it looked at nothing."""

import importlib.util
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCK = "alpha==1.0 \\\n    --hash=sha256:00\nbeta==2.0.post1 ; sys_platform == 'win32' \\\n"
Answer = Callable[[list[Any]], object]


def load_audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit = load_audit()


@contextmanager
def advisory_source(answer: Answer) -> Iterator[str]:
    """A source on the loopback interface that answers the queries it gets with `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            body = json.dumps(answer(queries)).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> str:
    path = tmp_path / "requirements.txt"
    path.write_text(LOCK)
    return str(path)


def run(lock: str, answer: Answer) -> int:
    with advisory_source(answer) as source:
        code: int = audit.main([lock], source)
    return code


@pytest.mark.accept("C2")
def test_every_pin_is_looked_up(lock: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[str, str]] = []

    def answer(queries: list[Any]) -> object:
        asked.extend((query["package"]["name"], query["version"]) for query in queries)
        return {"results": [{} for _ in queries]}

    assert run(lock, answer) == 0
    assert asked == [("alpha", "1.0"), ("beta", "2.0.post1")]
    assert "audited: 2 of 2" in capsys.readouterr().out


@pytest.mark.accept("C2")
def test_an_answer_that_leaves_a_package_out_is_red(lock: str) -> None:
    assert run(lock, lambda _: {"results": [{}]}) == 1


@pytest.mark.accept("C2")
def test_without_a_source_it_says_not_audited(
    lock: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main([lock], "http://127.0.0.1:9/") == 0
    assert capsys.readouterr().out.startswith("not audited: ")


def test_an_answer_that_is_no_answer_audits_nothing(
    lock: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lock, lambda _: {"message": "come back later"}) == 0
    assert capsys.readouterr().out.startswith("not audited: ")


def test_an_advisory_is_red_and_named(lock: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"results": [{}, {"vulns": [{"id": "GHSA-1"}, {"id": "GHSA-2"}]}]}
    assert run(lock, lambda _: answer) == 1
    assert "beta 2.0.post1: GHSA-1, GHSA-2" in capsys.readouterr().out


@pytest.mark.accept("C2", part="an empty lock")
def test_an_empty_lock_is_red(tmp_path: Path) -> None:
    empty = tmp_path / "requirements.txt"
    empty.write_text("# nothing\n")
    assert audit.main([str(empty)], "http://127.0.0.1:9/") == 1
