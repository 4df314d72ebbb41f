"""Which providers are heard: those that the settings give the means to prove themselves."""

import base64
from collections.abc import Callable, Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from paperround.config import LOOPBACK, Settings
from paperround.core.errors import Misconfigured
from paperround.http.model import HttpClient
from paperround.plugins.bounce_hooks.mailgun import MailgunHook
from paperround.plugins.bounce_hooks.postmark import PostmarkHook
from paperround.plugins.bounce_hooks.sendgrid import SendGridHook
from paperround.plugins.bounce_hooks.ses import SesHook
from paperround.plugins.bounce_hooks.sns import Authority, Topic, topic_of

SHORTEST_SECRET = 24
"""Characters of a password that stands in an address."""
SHORTEST_KEY = 16
"""Characters of a key that Mailgun makes; theirs are longer."""

AnyHook = SesHook | PostmarkHook | SendGridHook | MailgunHook


def hooks(settings: Settings, client: Callable[[], HttpClient]) -> MappingProxyType[str, AnyHook]:
    """The hook of each provider that is set, by the name in its address. `client` is asked for
    where one must ask its provider. Raises Misconfigured that names the setting, never a secret.

    What a provider proves itself with may be several values, while one replaces another."""
    found: dict[str, AnyHook] = {}
    if topics := settings.all_of("ses_topic_arn"):
        found["ses"] = SesHook(Authority([_topic(arn) for arn in topics], client()))
    if secrets := settings.all_of("postmark_hook_secret"):
        _require_long("POSTMARK_HOOK_SECRET", secrets, SHORTEST_SECRET)
        parts = urlsplit(settings.public_url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise Misconfigured(
                "PAPERROUND_POSTMARK_HOOK_SECRET would cross the network in the clear: "
                "PAPERROUND_PUBLIC_URL must be https"
            )
        found["postmark"] = PostmarkHook(secrets)
    if keys := settings.all_of("sendgrid_hook_key"):
        found["sendgrid"] = SendGridHook([_public_key(text) for text in keys])
    if keys := settings.all_of("mailgun_hook_key"):
        _require_long("MAILGUN_HOOK_KEY", keys, SHORTEST_KEY)
        found["mailgun"] = MailgunHook(keys)
    return MappingProxyType(found)


def _topic(arn: str) -> Topic:
    found = topic_of(arn)
    if found is None:
        raise Misconfigured(
            f"PAPERROUND_SES_TOPIC_ARN: {arn!r} names no topic of Amazon SNS: write it like "
            "arn:aws:sns:eu-central-1:123456789012:digest-bounces"
        )
    return found


def _require_long(name: str, secrets: Sequence[str], shortest: int) -> None:
    if any(len(secret) < shortest for secret in secrets):
        raise Misconfigured(
            f"PAPERROUND_{name} needs {shortest} characters or more: whoever guesses it can stop "
            "readers' mail"
        )


def _public_key(text: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise Misconfigured(
            "PAPERROUND_SENDGRID_HOOK_KEY is no public key on P-256: copy the Verification Key of "
            "SendGrid's signed event webhook, one line of base64"
        )
    return key
