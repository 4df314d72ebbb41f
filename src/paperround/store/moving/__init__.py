"""Moving an installation from SQLite to PostgreSQL, whole or not at all.

    target      the PostgreSQL database: empty, then every table in one transaction
    move        the SQLite file, opened so that nobody else can use it, and all of it in order

What a database that takes part in a move says stands in `store.revisions`. At no moment do both
databases work:

    file       works ───────────────────► moved
    database   empty ─► rows, refuses ──────────► works

A move that fails before the file is marked starts again from the beginning.
"""
