"""The revisions there are."""

from paperround.db import revisions

REVISIONS = tuple(sorted(revisions.known()))
