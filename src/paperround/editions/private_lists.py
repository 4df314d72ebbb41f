"""Create and check the links in a private list's emails, which open its archive.

The token is a keyed hash of the list's name, the same for all its readers. The pages it opens show
no personal data. It works as long as its secret is in the key ring.
"""

import hmac

from paperround.core.tokens import KeyRing

PURPOSE = "list-access"
_LENGTH = 24


def access_token(keys: KeyRing, list_name: str, key_id: str | None = None) -> str:
    """Return the token that opens the archive of a list."""
    return keys.digest(PURPOSE, list_name, key_id)[:_LENGTH]


def opens(keys: KeyRing, list_name: str, token: str) -> bool:
    """Return whether a token opens the archive of a list. Each comparison takes constant time."""
    given = token.encode(errors="replace")
    wanted = (access_token(keys, list_name, key_id).encode() for key_id in keys.key_ids)
    return any(hmac.compare_digest(given, one) for one in wanted)
