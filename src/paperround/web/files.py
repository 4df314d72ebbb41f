"""A paper, an edition and a day as files: Markdown, BibTeX, RIS and JSON-LD."""

from fastapi import APIRouter, Response
from starlette.convertors import StringConvertor, register_url_convertor

from paperround.domain.times import parse_date
from paperround.exports.files import FILE_FORMATS
from paperround.jobs.paper_pages import cited_edition, cited_paper
from paperround.web.home import PATIENT, Home
from paperround.web.templating import KEPT
from paperround.wiring import Runtime

router = APIRouter(include_in_schema=False, dependencies=[PATIENT])


class FileEnding(StringConvertor):
    """The endings of files, none of which an arXiv id could have."""

    regex = "|".join(FILE_FORMATS)


register_url_convertor("file_ending", FileEnding())


@router.get("/papers/{name:path}.{ending:file_ending}")
def paper(home: Home, name: str, ending: str) -> Response:
    """A paper by its id here or its arXiv id."""
    found = cited_paper(home.database, home.letterhead.public_url, name)
    return _file(FILE_FORMATS[ending].paper(found), ending, name)


@router.get("/editions/{list_name}/{day}/{cut}.{ending:file_ending}")
def edition(home: Home, list_name: str, day: str, cut: str, ending: str) -> Response:
    """One edition."""
    return _edition(home, list_name, day, cut, ending)


@router.get("/editions/{list_name}/{day}.{ending:file_ending}")
def edition_of_day(home: Home, list_name: str, day: str, ending: str) -> Response:
    """The last edition of a day."""
    return _edition(home, list_name, day, None, ending)


def _edition(home: Runtime, list_name: str, day: str, cut: str | None, ending: str) -> Response:
    found = cited_edition(
        home.database, home.letterhead.public_url, list_name, parse_date(day), cut
    )
    name = "-".join(filter(None, (list_name, day, cut)))
    return _file(FILE_FORMATS[ending].edition(found), ending, name)


def _file(content: bytes, ending: str, name: str) -> Response:
    """Shown by a browser that can, and called by its name where it is kept."""
    plain = "".join(one if one.isascii() and one.isalnum() else "-" for one in name)
    headers = {**KEPT, "content-disposition": f'inline; filename="{plain}.{ending}"'}
    kind = FILE_FORMATS[ending].media_type
    return Response(content, headers=headers, media_type=f"{kind}; charset=utf-8")
