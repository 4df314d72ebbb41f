"""A reader's own library: pasted, given as a file or read from Zotero; understood, then kept."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, Response, UploadFile

from paperround.domain.errors import InvalidInput, UnreadableFile, invalid
from paperround.domain.interests import MOST_INTERESTS
from paperround.domain.libraries import Library
from paperround.jobs.library import keep_seeds, understand
from paperround.sources.formats import decompress
from paperround.sources.library import read_library
from paperround.sources.zotero import place_of, read_zotero
from paperround.web.guard import LIBRARY_BODY
from paperround.web.home import DIGEST, PATIENT, TO_ITS_READER, Home, Present, costly
from paperround.web.self_service import offer, welcomed
from paperround.web.templating import private
from paperround.wiring import Runtime

router = APIRouter(include_in_schema=False, dependencies=[TO_ITS_READER])

MOST_UNPACKED = 16 * 1024 * 1024
ZOTERO_SECONDS = 10


@router.get("/preferences/{token}/library", dependencies=[PATIENT])
def ask_for_library(home: Home, now: Present, token: str) -> Response:
    """Three ways to give papers: text, a file, Zotero."""
    if not welcomed(home, token, now):
        return offer(home, token)
    return _form(home, token)


@router.post("/preferences/{token}/library", dependencies=[costly(DIGEST)])
def take_library(
    home: Home,
    now: Present,
    token: str,
    action: Annotated[str, Form()] = "understand",
    text: Annotated[str, Form()] = "",
    zotero: Annotated[str, Form()] = "",
    seed: Annotated[list[str] | None, Form()] = None,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Show what was understood, or keep what was chosen of it."""
    seeds = seed or []
    content = b"" if file is None else file.file.read()
    # What was written or ticked; None where nothing was given at all. Of a file there is nothing to
    # give back: whoever chose it has it.
    lines = [one for one in (text.strip(), zotero.strip(), *seeds) if one]
    unsaved = "\n".join(lines) if lines or content else None
    if not welcomed(home, token, now):
        return offer(home, token, unsaved)
    if action == "keep":
        answer = _kept(home, token, seeds, now)
    else:
        answer = _understood(home, token, content, text, zotero, now)
    return answer or offer(home, token, unsaved)


def _understood(
    home: Runtime, token: str, content: bytes, text: str, zotero: str, now: datetime
) -> Response | None:
    """None when the right to it ended meanwhile."""
    try:
        found = understand(home.desk, token, _given(home, content, text, zotero), now=now)
    except InvalidInput as error:
        if isinstance(error, UnreadableFile):
            field = "file" if content else "text" if text.strip() else "zotero"
            error = InvalidInput(error.text, code=field)
        return _form(home, token, error=error, text=text, zotero=zotero)
    if found is None:
        return None
    return private(
        home, "library_understood.html", found=found, token=token, error=None, chosen=None
    )


def _given(home: Runtime, content: bytes, text: str, zotero: str) -> Library:
    """What was given: a file before a text, a text before a place to look at."""
    if content:
        return read_library(decompress(content, MOST_UNPACKED))
    if text.strip():
        return read_library(text.encode("utf-8", "surrogatepass"))
    if not zotero.strip():
        raise invalid("text", "paste some lines, choose a file, or name a library")
    place = place_of(zotero)
    if home.demo:
        raise invalid("zotero", "the demo asks nobody on the network: give a file, or paste")
    client = home.client_for(*home.settings.open_places, seconds=ZOTERO_SECONDS)
    return read_zotero(client, place)


def _kept(home: Runtime, token: str, seeds: list[str], now: datetime) -> Response | None:
    """None when the right to it ended meanwhile."""
    try:
        kept = keep_seeds(home.desk, token, seeds, now=now)
    except InvalidInput as error:
        return _form(home, token, error=error, text="\n".join(seeds))
    if kept is None:
        return None
    return private(home, "library_kept.html", kept=kept, token=token)


def _form(
    home: Runtime,
    token: str,
    *,
    error: InvalidInput | None = None,
    text: str = "",
    zotero: str = "",
) -> Response:
    return private(
        home,
        "library.html",
        status=200 if error is None else 422,
        token=token,
        error=error,
        text=text,
        zotero=zotero,
        most_bytes=LIBRARY_BODY,
        most_kept=MOST_INTERESTS,
    )
