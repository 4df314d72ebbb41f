"""When refusals of us are too many in a row, with others on their way meanwhile."""

from paperround.delivery.rate_state import MOST_REFUSALS_OF_US
from paperround.delivery.transitions import InFlight
from paperround.editions.model import DeliveryId


def taken_up(count: int) -> InFlight:
    mails = InFlight()
    for number in range(count):
        mails.add(DeliveryId(number))
    return mails


def ended(mails: InFlight, *numbers: int, refuses_us: bool) -> list[bool]:
    return [mails.end(DeliveryId(number), refuses_us=refuses_us) for number in numbers]


def test_the_tenth_refusal_in_a_row_is_one_too_many() -> None:
    mails = taken_up(20)
    found = ended(mails, *range(MOST_REFUSALS_OF_US), refuses_us=True)
    assert found == [False] * (MOST_REFUSALS_OF_US - 1) + [True]
    assert mails.is_refused


def test_a_mail_that_is_taken_after_that_is_no_refusal() -> None:
    mails = taken_up(20)
    ended(mails, *range(MOST_REFUSALS_OF_US), refuses_us=True)
    assert ended(mails, 15, refuses_us=False) == [False]
    assert mails.is_refused


def test_what_was_on_its_way_before_the_first_refusal_ends_no_row() -> None:
    mails = taken_up(20)
    ended(mails, 0, refuses_us=True)
    ended(mails, 1, 2, refuses_us=False)
    found = ended(mails, *range(3, 3 + MOST_REFUSALS_OF_US - 1), refuses_us=True)
    assert found[-1]


def test_a_mail_taken_up_later_and_taken_ends_the_row() -> None:
    mails = taken_up(1)
    ended(mails, 0, refuses_us=True)
    mails.add(DeliveryId(1))
    ended(mails, 1, refuses_us=False)
    for number in range(2, 2 + MOST_REFUSALS_OF_US - 1):
        mails.add(DeliveryId(number))
        assert ended(mails, number, refuses_us=True) == [False]
