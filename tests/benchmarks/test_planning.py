"""What is planned for when planning is measured."""

from benchmarks.ingest import fresh_database
from benchmarks.invented import papers, subscribe
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import SubscriptionId
from paperround.subscribers.store.subscribers import SubscriberStore


def test_readers_with_tastes_named_topics_that_some_of_the_papers_have() -> None:
    texts = [f"{row['title']} {row['summary']}".lower().split() for row in papers(60)]
    with fresh_database() as database:
        subscribe(40, database, tastes=True)
        with database.reading() as work:
            trending = work[ListStore].get("trending")
            readers = work[SubscriberStore].subscriptions_after(
                trending.id, SubscriptionId(0), limit=100
            )
    assert len({one.preferences.topics for one in readers}) == len(readers) == 40
    found = [
        any(topic in words for topic in one.preferences.topics)
        for one in readers
        for words in texts
    ]
    assert 0 < sum(found) < len(found)
