"""What people ask for decides their digests: by their choices, by a saved search, by a file."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations

import pytest

from paperround.core.errors import InvalidInput
from paperround.db.transactions import Database, SqlDatabase
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.plan import Hours, plan_due
from paperround.digests.publish import publish
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Paper, Record
from paperround.papers.search_service import search
from paperround.personal.keyword_index import IndexedPaper, KeywordIndex, bits
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.relevance import by_relevance
from paperround.self_service.preferences import open_choices, save_choices
from paperround.self_service.preview import DigestPreviewer, Preview
from paperround.signup.confirm import confirm
from paperround.signup.context import SignupContext
from paperround.signup.requests import SignupRequest
from paperround.subscribers.choices import MOST_TITLES
from paperround.subscribers.import_files import read_rows
from paperround.subscribers.imports import ImportReport, exported_rows, import_subscribers
from paperround.subscribers.interests import Interest, InterestKind, parse_interest
from paperround.subscribers.keywords import read_keywords
from paperround.subscribers.model import Preferences
from paperround.subscribers.readers import Choices
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address, english
from tests.fakes import SENDER_IDENTITY, NewestFirst, PlainRenderer
from tests.sample_database import IDENTITY, fill, record
from tests.self_service.readers import (
    HOURS,
    digests,
    joined,
    link,
    post,
    signup_context,
    subscribe,
    visitor,
)

KILN = "Glazed pottery is fired in a kiln; the glaze is ash."
PAPERS = (
    {"title": "Graph attention", "abstract": "A survey of graphs.", "categories": ("cs.LG",)},
    {"title": "Attention for trees", "authors": ("Ada Lovelace",), "categories": ("cs.CL",)},
    {"title": "A kiln for pottery", "abstract": KILN, "categories": ("physics.pop-ph",)},
    {"title": "On tides", "abstract": "Tides and the moon.", "categories": ("physics.ao-ph",)},
)


def today(database: SqlDatabase) -> None:
    """Four papers, the first of which comes last in the edition."""
    for number, paper in enumerate(PAPERS, 1):
        fill(database, [record(number, **paper)], NOW + number * timedelta(minutes=1))


def shown(database: SqlDatabase, *, personal_ranking: PersonalRanking | None = None) -> Preview:
    return DigestPreviewer(
        database=database,
        ranker=NewestFirst(),
        identity=IDENTITY,
        sender_identity=SENDER_IDENTITY,
        personal_ranking=personal_ranking,
        renderer=PlainRenderer(),
    ).preview("trending", reader=address(), now=NOW + HOURS)


def told(one: Preview) -> list[tuple[str, str]]:
    assert one.mail is not None
    return [(paper.title, english(paper.reason)) for paper in one.mail.view.papers]


def reader(database: SqlDatabase, *said: str) -> str:
    """Alice, who joined and is interested in these; the token of her choices."""
    here = signup_context(database)
    token = joined(here).preferences_token
    keep(here, token, *said)
    return token


def keep(here: SignupContext, token: str, *said: str) -> Choices:
    interests = [parse_interest(one) for one in said]
    save_choices(here, token, Preferences(), now=NOW, interests=interests)
    saved = open_choices(here, token, now=NOW)
    assert saved is not None
    return saved


def kept(database: SqlDatabase) -> list[str]:
    with database.reading() as work:
        person = work[SubscriberStore].find(address())
        assert person is not None
        return [
            str(one)
            for one in work[SubscriberStore].interests_of_all([person.id]).get(person.id, ())
        ]


# --- digests -----------------------------------------------------------------------------------


@pytest.mark.accept("F13")
def test_a_digest_goes_by_what_its_reader_is_interested_in(database: SqlDatabase) -> None:
    reader(database, "author:ada lovelace", "keyword:graph", "mute:tides")
    today(database)
    assert told(shown(database)) == [
        ("Attention for trees", "By Ada Lovelace, whom you follow"),
        ("Graph attention", "Matches your search “graph”"),
        ("A kiln for pottery", ""),
    ]


@pytest.mark.accept("F13", part="categories")
def test_a_followed_category_is_known_from_the_database(database: SqlDatabase) -> None:
    reader(database, "category:cs.LG")
    today(database)
    assert ("Graph attention", "In cs.LG, which you follow") in told(shown(database))


@pytest.mark.accept("F13", part="seeds")
def test_a_paper_one_gave_speaks_for_those_like_it(database: SqlDatabase) -> None:
    earlier = [record(900, title="Dating pottery", abstract=KILN)]
    others = [record(900 + n, title=f"Of {n}", abstract=f"About word{n}.") for n in range(1, 21)]
    fill(database, earlier + others, NOW - timedelta(days=30))
    reader(database, "seed:2601.00900")
    today(database)
    title, reason = told(shown(database, personal_ranking=PersonalRanking()))[0]
    assert title == "A kiln for pottery"
    assert reason.startswith("Similar to “Dating pottery”, which you added: also about ")


@pytest.mark.accept("F13", part="seeds")
def test_a_paper_that_nobody_knows_speaks_by_its_title(database: SqlDatabase) -> None:
    others = [record(900 + n, title=f"Of {n}", abstract=f"About word{n}.") for n in range(1, 21)]
    fill(database, others, NOW - timedelta(days=30))
    reader(database, "seed:How a kiln for pottery is fired")
    today(database)
    title, reason = told(shown(database, personal_ranking=PersonalRanking()))[0]
    assert title == "A kiln for pottery"
    assert reason.startswith(
        "Similar to “How a kiln for pottery is fired”, which you added: also about "
    )


def test_the_words_of_a_search_are_a_taste(database: SqlDatabase) -> None:
    others = [record(900 + n, title=f"Of {n}", abstract=f"About word{n}.") for n in range(1, 21)]
    fill(database, others, NOW - timedelta(days=30))
    reader(database, "keyword:kiln AND comets")
    today(database)
    title, reason = told(shown(database, personal_ranking=PersonalRanking()))[0]
    assert (title, reason) == ("A kiln for pottery", "")


# --- choices -----------------------------------------------------------------------------------


@pytest.mark.accept("F13", part="seeds")
def test_a_title_that_is_known_becomes_its_paper_and_the_others_are_said(
    database: SqlDatabase,
) -> None:
    today(database)
    given = ("seed:- A Kiln for “pottery”!", "seed:Attention for", "seed:2601.99999")
    saved = keep(signup_context(database), reader(database), *given)
    assert [str(one) for one in saved.interests] == [
        "seed:-arxiv:2601.00003",
        "seed:Attention for",
        "seed:arxiv:2601.99999",
    ]
    assert [(one.title, one.counts) for one in saved.given] == [
        ("A kiln for pottery", False),
        (None, True),
        (None, False),
    ]


def test_of_very_many_titles_the_first_are_looked_for(database: SqlDatabase) -> None:
    today(database)
    many = [f"seed:Title {number}" for number in range(MOST_TITLES)]
    here, token = signup_context(database), reader(database)
    saved = keep(here, token, *many[1:], "seed:On tides", many[0])
    assert str(saved.interests[-2]) == "seed:arxiv:2601.00004"
    late = keep(here, token, *many, "seed:On tides")
    assert str(late.interests[-1]) == "seed:On tides"


# --- a saved search ----------------------------------------------------------------------------


def asks(here: SignupContext, *said: str, now: datetime = NOW) -> None:
    subscribe(
        here,
        SignupRequest(
            address=address(),
            list_name="trending",
            preferences=Preferences(),
            visitor=visitor(),
            source="form",
            interests=tuple(map(parse_interest, said)),
        ),
        now=now,
    )


@pytest.mark.accept("F16", part="a saved search")
def test_the_first_digest_goes_by_the_search_already(database: SqlDatabase) -> None:
    today(database)
    later = NOW + HOURS
    publish(
        database=database,
        ranker=NewestFirst(),
        identity=IDENTITY,
        list_name="trending",
        day=None,
        cut="manual",
        now=later,
    )
    here = signup_context(database)
    asks(here, "keyword:graph", "mute:tides", now=later)
    (mail,) = post(database, now=later)
    confirm(here, link(mail), now=later)
    plan_due(database=database, identity=IDENTITY, hours=Hours(hour=9), now=later)
    (digest,) = digests(database, now=later)
    assert digest.positions == (4, 2, 3)
    assert english(digest.reasons[4]).startswith("Matches your search “graph”")


@pytest.mark.accept("F16", part="a saved search")
def test_a_search_of_a_reader_waits_on_their_page_until_they_keep_it(database: SqlDatabase) -> None:
    here = signup_context(database)
    joined(here)
    asks(here, "keyword:graph NOT survey")
    (mail,) = post(database)
    assert mail.kind is SystemMailKind.PREFERENCES
    opened = [open_choices(here, link(mail), now=NOW) for _ in range(2)]
    wanted = parse_interest("keyword:graph NOT survey")
    assert [(one.asked, one.interests) for one in opened] == [((wanted,), ())] * 2
    assert kept(database) == []
    save_choices(here, link(mail), Preferences(), now=NOW, interests=[wanted])
    assert kept(database) == ["keyword:graph NOT survey"]


@pytest.mark.accept("F16", part="a saved search")
def test_a_search_that_was_taken_out_is_not_offered_again(database: SqlDatabase) -> None:
    here = signup_context(database)
    joined(here)
    asks(here, "keyword:spam")
    (mail,) = post(database)
    save_choices(here, link(mail), Preferences(), now=NOW, interests=[])
    opened = open_choices(here, link(mail), now=NOW)
    assert opened is not None
    assert opened.asked == ()
    assert kept(database) == []


def test_a_search_that_cannot_be_read_is_refused_before_anything_is_written(
    database: SqlDatabase,
) -> None:
    with pytest.raises(InvalidInput, match="needs something to look for"):
        subscribe(
            signup_context(database),
            SignupRequest(
                address=address(),
                list_name="trending",
                preferences=Preferences(),
                visitor=visitor(),
                source="api",
                interests=(Interest(InterestKind.KEYWORD, "a NOT"),),
            ),
            now=NOW,
        )
    assert post(database) == []


WORDS = ("graph", "retrieval", "networks", "knuth", '"neural network"', "retriev*", "title:graph")


def searches() -> Iterator[str]:
    yield from WORDS
    for joint in (" AND ", " OR ", " "):
        yield from (joint.join(pair) for pair in combinations(WORDS, 2))
    leaves_out = [
        word for word in WORDS if word != "retrieval"
    ]  # search leaves "retrieve" out, too
    yield from (f"{one} NOT {other}" for one in WORDS for other in leaves_out)
    yield from (f"+{one} -cost category:cs" for one in WORDS)


SEARCHED: Sequence[Record] = [
    record(number, title=title, abstract=abstract, authors=authors, categories=categories)
    for number, (title, abstract, authors, categories) in enumerate(
        [
            ("Graphs at scale", "Neural networks retrieve.", ("Don Knuth",), ("cs.LG",)),
            ("A neural network", "Of graph retrieval and cost.", (), ("cs",)),
            ("Retrieving text", "A network of graphs.", ("Ada Graph",), ("math.CO",)),
            ("Graphene ribbons", "Nothing else.", (), ("cs.CL",)),
            ("Networks", "Retrieval, graph, neural.", ("Bo Stone",), ()),
        ],
        1,
    )
]


@pytest.mark.accept("F16", part="a saved search")
def test_the_search_page_finds_whatever_a_saved_search_brings(database: SqlDatabase) -> None:
    fill(database, list(SEARCHED), NOW)
    finder = KeywordIndex(
        [
            IndexedPaper(
                paper_id=paper.id,
                title=paper.title,
                abstract=paper.abstract,
                authors=paper.authors,
                categories=paper.categories,
            )
            for paper in everything(database)
        ]
    )
    brought = 0
    for text in searches():
        places = bits(finder.fitting(read_keywords(text).root))
        ours = {finder.papers[place].paper_id for place in places}
        page = search(database, by_relevance, text, limit=50)
        assert ours <= {hit.paper.id for hit in page.hits}, text
        brought += len(ours)
    assert brought > 100


def everything(database: Database) -> list[Paper]:
    page = search(database, by_relevance, "networks OR graphene OR text OR graphs", limit=50)
    assert len(page.hits) == len(SEARCHED)
    return [hit.paper for hit in page.hits]


# --- files -------------------------------------------------------------------------------------


def load(database: SqlDatabase, content: str) -> ImportReport:
    return import_subscribers(
        read_rows(content.encode()),
        database=database,
        keys=IDENTITY.keys,
        list_name="trending",
        now=NOW,
    )


def person(interests: str) -> str:
    return (
        '[{"email": "alice@mail.example", "status": "active", "consent_at": "2026-01-05",'
        f' "consent_source": "a form", "interests": {interests}}}]'
    )


@pytest.mark.accept("F13", part="files")
def test_interests_are_read_from_a_file_and_written_to_one(database: SqlDatabase) -> None:
    said = '["keyword:a AND \\"b; c\\"", "mute:cat:cs.CR"]'
    assert load(database, person(said)).new == 1
    assert kept(database) == ['keyword:a AND "b; c"', "mute:cat:cs.CR"]
    assert load(database, person(said)).unchanged == 1
    with database.reading() as work:
        (row,) = exported_rows(work, work[ListStore].get("trending"))
    assert row["interests"] == 'keyword:a AND "b; c"\nmute:cat:cs.CR'
    assert load(database, person('["author:Ada"]')).changed == 1
    assert load(database, person('""')).changed == 1
    assert kept(database) == []


@pytest.mark.postgres
@pytest.mark.accept("F59", part="files", mutant="a-statement-is-read-back-as-a-title")
def test_what_readers_write_of_their_work_is_read_from_a_file_and_written_to_one(
    database: SqlDatabase,
) -> None:
    said = '["focus:- I work on “kilns”.", "avoid:Polls; surveys", "seed:I work on “kilns”."]'
    assert load(database, person(said)).new == 1
    assert kept(database) == [
        "focus:- I work on “kilns”.",
        "avoid:Polls; surveys",
        "seed:I work on “kilns”.",
    ]
    assert load(database, person(said)).unchanged == 1
    with database.reading() as work:
        (row,) = exported_rows(work, work[ListStore].get("trending"))
    assert str(row["interests"]).splitlines() == kept(database)


@pytest.mark.postgres
def test_a_paper_called_by_the_words_of_a_statement_is_kept_once(database: SqlDatabase) -> None:
    load(database, person('["focus:A kiln", "seed:+A kiln", "avoid:A kiln", "seed:-A kiln"]'))
    assert len(kept(database)) == 2


def test_a_file_without_the_column_leaves_interests_alone(database: SqlDatabase) -> None:
    load(database, person('"author:Ada"'))
    bare = person('"x"').replace(', "interests": "x"', "")
    assert load(database, bare).unchanged == 1
    assert kept(database) == ["author:Ada"]


@pytest.mark.parametrize(
    ("said", "why"), [('"Ada"', "begins with none of"), ('"mute:("', "charac")]
)
def test_a_row_whose_interests_cannot_be_read_is_a_reject(
    database: SqlDatabase, said: str, why: str
) -> None:
    (reject,) = load(database, person(said)).rejects
    assert reject.reason == "bad-interests"
    assert "entry 1: interests: " in reject.detail
