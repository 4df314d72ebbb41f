"""The jobs of a process: what each is called, what goes first, and which a tick asks for."""

from paperround.domain.work import Job

NOTICES = Job(task="notices", lock="notices", priority=-20, periodic=True)
DELIVER = Job(task="deliver", lock="deliver", priority=-10, periodic=True)
POSTS = Job(task="posts", lock="posts", priority=-5, periodic=True)
PUBLISH = Job(task="publish", lock="publish", periodic=True)
POLL = Job(task="poll", lock="poll", priority=10, periodic=True)
ENRICH = Job(task="enrich", lock="enrich", priority=20, periodic=True)
SUMMARISE = Job(task="summarise", lock="summarise", priority=30, periodic=True)
RETURNS = Job(task="returns", lock="returns", priority=15, periodic=True)
LEARN = Job(task="learn", lock="learn", priority=40, periodic=True)

ROUNDS = (NOTICES, PUBLISH, POLL, DELIVER, POSTS, RETURNS, ENRICH, SUMMARISE, LEARN)
"""What a tick asks for. Each is harmless when nothing is due."""

JOB_THREADS = 9
"""One for each of them: a slow feed keeps no digest, a long delivery no confirmation, a
hook that does not answer no mail."""
