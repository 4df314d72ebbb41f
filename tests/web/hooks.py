"""What a provider tells of a message."""

from dataclasses import dataclass, field

from paperround.bootstrap import AppContext
from paperround.http.model import HttpClient
from tests.fakes import FakeClient
from tests.plugins.bounce_hooks.providers import (
    web_of_sns,
)


@dataclass(frozen=True)
class Told(AppContext):
    """An installation whose providers are asked on a web of our own."""

    web: FakeClient = field(default_factory=web_of_sns)

    def provider_client(self) -> HttpClient:
        return self.web
