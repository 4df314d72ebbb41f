"""Admin pages of an edition's digests: the email as a subscriber sees it, and sending it now."""

from typing import Annotated

from fastapi import Depends, Query, Response
from pydantic import BaseModel

from paperround.core.errors import Conflict, InvalidInput, Misconfigured, NotFound
from paperround.core.languages import LANGUAGES
from paperround.digests.editing import EditionRef, find_edition
from paperround.digests.publish import PublishReport, publish, require_edition
from paperround.editions.lists import MANUAL_CUT
from paperround.editions.store.lists import ListStore
from paperround.ops.why import reason_text
from paperround.self_service.preview import Preview
from paperround.subscribers.model import Frequency, Preferences
from paperround.web.admin.editions import PATH
from paperround.web.admin.forms import FormFields, parse_subscriber, require_sure
from paperround.web.admin.list_form import FREQUENCIES
from paperround.web.admin.session import Visit, back_to, operator_router
from paperround.web.admin_editions import Ref
from paperround.web.signup import digest_page

router = operator_router()


class Reader(BaseModel):
    """The reader of the digest to show: a new one with a language and a frequency, or the
    subscriber with this number."""

    language: str = ""
    frequency: str = Frequency.DAILY
    subscriber: str = ""

    @property
    def preferences(self) -> Preferences:
        """The new reader's choices; an unknown one is the default."""
        frequency = Frequency(self.frequency) if self.frequency in FREQUENCIES else Frequency.DAILY
        return Preferences(frequency=frequency, language=self.language or None)


AsReader = Annotated[Reader, Query()]


def _preview(visit: Visit, ref: Ref, reader: AsReader) -> Preview:
    """Return the digest. Raises NotFound, and InvalidInput for the subscriber."""
    try:
        person = parse_subscriber(reader.subscriber)
        return visit.app.previewer.preview_edition(
            ref, now=visit.now, person=person, preferences=reader.preferences
        )
    except NotFound as error:
        if reader.subscriber:
            raise InvalidInput(error.text, code="subscriber") from error
        raise


@router.get("/editions/{name}/{date}/{cut}/preview")
def show_preview(visit: Visit, ref: Ref, reader: AsReader) -> Response:
    """Show the form for a reader, and their digest in a frame. Its personal links are invalid."""
    with visit.database.reading() as work:
        mailing_list = work[ListStore].get(ref.list_name)
        find_edition(work, ref, now=visit.now)
    error, preview = None, None
    try:
        preview = _preview(visit, ref, reader)
    except InvalidInput as problem:
        error = problem
    skipped = preview.skipped if preview else None
    return visit.page(
        "edition_preview.html",
        mailing_list=mailing_list,
        ref=ref,
        reader=reader,
        languages={one: LANGUAGES[one] for one in mailing_list.languages or LANGUAGES},
        often={one: name for one, name in FREQUENCIES.items() if mailing_list.offers(one)},
        preview=preview,
        why_none=reason_text(skipped) if skipped else "",
        query=visit.request.url.query,
        error=error,
    )


@router.get("/editions/{name}/{date}/{cut}/preview/email")
def show_email(visit: Visit, preview: Annotated[Preview, Depends(_preview)]) -> Response:
    """Return the email for a frame, isolated from the site."""
    return digest_page(visit.app, preview)


# --- sending the edition now ---------------------------------------------------------------------


@router.get("/editions/{name}/{date}/{cut}/send")
def show_send(visit: Visit, ref: Ref) -> Response:
    """Show how many digests would be planned now, and the button."""
    return _send_page(visit, ref)


@router.post("/editions/{name}/{date}/{cut}/send")
def send(visit: Visit, ref: Ref, form: FormFields) -> Response:
    """Plan a digest for every active subscriber without one of that date."""
    try:
        require_sure(form)
        report = _publish(visit, ref)
    except InvalidInput as error:
        return _send_page(visit, ref, status=422, error=error)
    except (Conflict, Misconfigured):  # the page says why
        return _send_page(visit, ref, status=422)
    visit.app.wake()
    edition = report.edition
    return back_to(f"{PATH}/{edition.list_name}/{edition.day}/{edition.cut}")


def _send_page(
    visit: Visit, ref: Ref, *, status: int = 200, error: InvalidInput | None = None
) -> Response:
    report, hurdle = None, ""
    try:
        report = _publish(visit, ref, dry_run=True)
    except (InvalidInput, Conflict, Misconfigured) as problem:
        hurdle = problem.text
    with visit.database.reading() as work:
        mailing_list = work[ListStore].get(ref.list_name)
    return visit.page(
        "edition_send.html",
        status=status,
        mailing_list=mailing_list,
        ref=ref,
        by_hand=MANUAL_CUT,
        report=report,
        hurdle=hurdle,
        error=error,
    )


def _publish(visit: Visit, ref: EditionRef, *, dry_run: bool = False) -> PublishReport:
    """Plan a digest of the edition for every active subscriber without one of its date.

    Raises NotFound, InvalidInput for an archived list, Conflict for an edition that is held or was
    cancelled, and Misconfigured.
    """
    app, now = visit.app, visit.now
    app.settings.require_sender()
    if ref.day is None or ref.cut is None:
        raise NotFound
    require_edition(app.database, ref.list_name, ref.day, ref.cut, now=now)
    return publish(
        database=app.database,
        ranker=app.ranker,
        identity=app.identity,
        list_name=ref.list_name,
        day=ref.day,
        cut=ref.cut,
        now=now,
        dry_run=dry_run,
        gist=app.gist,
        personal_ranking=app.personal_ranking,
        by=visit.by,
    )
