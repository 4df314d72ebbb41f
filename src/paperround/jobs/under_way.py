"""The mails of a run that are on their way, and refusals of what we are among their answers."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from paperround.domain.deliveries import DeliveryId
from paperround.domain.rate_state import MOST_REFUSALS_OF_US


@dataclass(slots=True)
class UnderWay:
    """Mails that were taken up and have no outcome yet.

    Once so many in a row were refused for what we are, `is_refused`. A mail that was on its way
    before the first of them ends no row when it is taken: a storm that begins in the middle of a
    run meets many that are at their dots.
    """

    is_refused: bool = False
    _numbers: dict[DeliveryId, int] = field(default_factory=dict)
    _taken_up: int = 0
    _refusals: int = 0
    _began_after: int = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, delivery: DeliveryId) -> None:
        """A mail was taken up."""
        self._taken_up += 1
        self._numbers[delivery] = self._taken_up

    def drop(self, deliveries: Iterable[DeliveryId]) -> None:
        """Mails that may not go after all."""
        for one in deliveries:
            self._numbers.pop(one, None)

    def end(self, delivery: DeliveryId, *, refuses_us: bool) -> bool:
        """A mail has its outcome. Whether with it there are too many refusals of us in a row."""
        number = self._numbers.pop(delivery, 0)
        if refuses_us:
            self._began_after = self._began_after if self._refusals else self._taken_up
            self._refusals += 1
        elif number > self._began_after:
            self._refusals = 0
        is_too_many = refuses_us and self._refusals >= MOST_REFUSALS_OF_US
        self.is_refused = self.is_refused or is_too_many
        return is_too_many
