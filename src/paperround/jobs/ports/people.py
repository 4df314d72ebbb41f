"""Lists, their editions, and the people who read them."""

from typing import Protocol

from paperround.domain.subscribers import Address


class AddressBook(Protocol):
    """Judges what somebody wrote as an e-mail address."""

    def read(self, written: str) -> Address:
        """The address; raises InvalidInput that says what is wrong with it."""
        ...
