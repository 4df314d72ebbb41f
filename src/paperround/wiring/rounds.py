"""The jobs of an installation: what each is called, what goes first, which a tick asks for."""

from paperround.domain.work import DELIVER, NOTICES, Job, Line

POSTS = Job(task="posts", lock="posts", priority=-5, line=Line.POSTS)
PUBLISH = Job(task="publish", lock="publish", line=Line.EDITIONS)
POLL = Job(task="poll", lock="poll", priority=10, line=Line.PAPERS)
ENRICH = Job(task="enrich", lock="enrich", priority=20, line=Line.PAPERS)
SUMMARISE = Job(task="summarise", lock="summarise", priority=30, line=Line.PAPERS)
RETURNS = Job(task="returns", lock="returns", priority=15, line=Line.UPKEEP)
LEARN = Job(task="learn", lock="learn", priority=40, line=Line.UPKEEP)

ROUNDS = (NOTICES, PUBLISH, POLL, DELIVER, POSTS, RETURNS, ENRICH, SUMMARISE, LEARN)
"""What a tick asks for. Each is harmless when nothing is due."""

MAIL = (NOTICES, DELIVER, POSTS)
"""What is asked for between two ticks."""

JOB_THREADS = 9
"""One for each of them: a slow feed keeps no digest, a long delivery no confirmation, a hook that
does not answer no mail."""

__all__ = [
    "DELIVER",
    "ENRICH",
    "JOB_THREADS",
    "LEARN",
    "MAIL",
    "NOTICES",
    "POLL",
    "POSTS",
    "PUBLISH",
    "RETURNS",
    "ROUNDS",
    "SUMMARISE",
]
