"""The names of queues, as they are typed and told."""

import pytest

from paperround.core.errors import InvalidInput
from paperround.core.jobs import QueueName, format_queue_names, parse_queue_names
from paperround.ops.cluster import ClusterStatus


def test_queues_are_named_each_once() -> None:
    assert parse_queue_names("mail, notices,mail") == (QueueName.MAIL, QueueName.NOTICES)


@pytest.mark.parametrize("text", ["post", "", " , ", "mail,post"])
def test_another_name_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(InvalidInput, match="notices, mail, posts, editions, papers, upkeep"):
        parse_queue_names(text)


def test_queues_are_told_as_they_are_typed() -> None:
    assert format_queue_names({QueueName.MAIL, QueueName.NOTICES}) == "notices,mail"
    assert parse_queue_names(format_queue_names(set(QueueName))) == tuple(QueueName)


def test_an_installation_without_a_scheduler_says_what_to_start() -> None:
    everybody = {"north/1": frozenset(QueueName)}
    assert "paperround scheduler" in (ClusterStatus(workers=everybody).problem or "")
    assert ClusterStatus(schedulers=("north/2",), workers=everybody).problem is None


def test_a_queue_that_nobody_serves_is_told_with_the_way_out() -> None:
    some = frozenset(QueueName) - {QueueName.MAIL, QueueName.UPKEEP}
    people = ClusterStatus(schedulers=("north/2",), workers={"north/1": some})
    assert people.problem == (
        "no worker serves mail,upkeep: start `paperround worker --queues mail,upkeep`"
    )
    assert (people.serving(QueueName.NOTICES), people.serving(QueueName.MAIL)) == (1, 0)
