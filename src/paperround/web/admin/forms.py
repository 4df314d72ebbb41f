"""The fields of forms of admin pages."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from paperround.core.errors import InvalidInput
from paperround.core.languages import marked


async def _read_form(request: Request) -> dict[str, str]:
    sent = await request.form()
    return {name: value.strip() for name, value in sent.items() if isinstance(value, str)}


FormFields = Annotated[Mapping[str, str], Depends(_read_form)]
"""The fields of a form whose names are not known beforehand, without white space around them. Of
fields of one name, the last counts."""


def require_sure(form: Mapping[str, str]) -> None:
    """Raise InvalidInput unless the box "I am sure" is ticked."""
    if not form.get("sure"):
        raise InvalidInput(marked("Tick that you are sure."), code="sure")
