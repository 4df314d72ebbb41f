"""A route of which many requests come at once, all of them alike: one JSON value, nothing else.

    plain JSON that is as it should be ─► the handler ─► its answer
                        └─► anything else: the framework, which says what is wrong

The framework looks anew at what a handler depends on, and at the shape of what it answers, for each
request; that costs several times what reading the value does. What it would say of a value that is
not as it should be, it still says.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

JSON = "application/json"


class StraightRoute(APIRoute):
    """A route that takes one `asked` and is answered by `answer`."""

    asked: ClassVar[type[BaseModel]]

    def get_route_handler(self) -> Handler:
        """The framework's, behind that."""
        inner = super().get_route_handler()

        async def straight(request: Request) -> Response:
            asked = await self._read(request)
            return await (inner(request) if asked is None else self.answer(request, asked))

        return straight

    async def answer(self, request: Request, asked: Any) -> Response:
        """What the handler answers to what was read."""
        raise NotImplementedError

    async def _read(self, request: Request) -> BaseModel | None:
        """What was asked; None where the framework has to see it."""
        if request.headers.get("content-type") != JSON or request.scope["query_string"]:
            return None
        try:
            return self.asked.model_validate(json.loads(await request.body()))
        except (ValueError, RecursionError):  # pydantic's errors are such too
            return None
