"""All tables of the database. Import the metadata from here, so that it is complete.

    feeds ─ runs ─ rejects                  subscribers ─ subscriptions ─ lists
      │                                          │    └── interests, feedback
    listings ─ papers ─ identifiers              │    └── standings, returned, quarantine
                 ├──── observations         deliveries ─ editions ─ edition_papers, behind_papers,
                 ├──── paper_versions            │              edition_tails, shards
                 ├──── joined_papers             ├────── sent_papers (never the same paper twice)
                 ├──── paper_references          └────── told_withdrawals (each reported once)
                 └──── enrichments

`models`, `suppressions`, `notices`, `signup_requests`, `rate_windows`, `limiter`, `paces`, `slots`,
`api_keys`, `answers`, `audit`, `day_counts` and `search_words` have no foreign keys shown here, and
`edition_figures` belongs to `editions`. Old rows move from `deliveries` to `past_deliveries`, and
from `sent_papers` to `past_papers`. A subscriber of another kind has a row in `channels`
instead of an address, and `post_progress` counts the sent messages of a post.
Links and sessions end with their row of `operators`. The search index is in
`db.schema.search`.
"""

from paperround.db.schema.columns import metadata
from paperround.db.schema.figures import day_counts, edition_figures
from paperround.db.schema.mail import (
    answers,
    api_keys,
    audit,
    channels,
    deliveries,
    feedback,
    interests,
    limiter,
    notices,
    paces,
    past_deliveries,
    past_papers,
    post_progress,
    quarantine,
    rate_windows,
    returned,
    sent_papers,
    signup_requests,
    slots,
    standings,
    subscribers,
    subscriptions,
    suppressions,
    told_withdrawals,
)
from paperround.db.schema.operators import operator_links, operator_sessions, operators
from paperround.db.schema.papers import (
    behind_papers,
    edition_papers,
    edition_tails,
    editions,
    enrichments,
    feeds,
    identifiers,
    joined_papers,
    listings,
    lists,
    models,
    observations,
    paper_references,
    paper_versions,
    papers,
    rejects,
    runs,
    shards,
)
from paperround.db.schema.search import search_words

RETIRED = frozenset({"page_changes"})
"""Unused tables, kept until the next release for the previous one."""
