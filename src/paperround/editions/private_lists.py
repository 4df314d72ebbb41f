"""Links that open the archive of a private list: those in its own emails, which its readers share.

The token is a keyed hash of the list's name. It opens pages that show no reader, and works as long
as the secret it was made with is in the key ring.
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
