"""The webhooks of email providers that report bounces; each provider is a plugin."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from paperround.bounces.model import ProviderHook
from paperround.core.plugins import plugins
from paperround.http.model import HttpClient


def provider_hooks(
    given: Callable[[str], Sequence[str]], public_url: str, client: Callable[[], HttpClient]
) -> Mapping[str, ProviderHook]:
    """The hook of each provider that is set, by the name in its address.

    `given` returns the values of a setting, several while one replaces another. `client` makes a
    client for a provider that must be asked. Raises Misconfigured with the name of a setting,
    never its value.
    """
    made = {
        name: make(given, public_url, client) for name, make in plugins("bounce_providers").items()
    }
    return MappingProxyType({name: hook for name, hook in made.items() if hook is not None})
