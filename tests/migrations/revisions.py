"""The revisions there are."""

from paperround.store import revisions

REVISIONS = tuple(sorted(revisions.known()))
