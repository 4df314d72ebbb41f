"""Moving an installation from SQLite to PostgreSQL, whole or not at all.

    marks       what a database that takes part in a move says, and the refusal to work with it
    source      the SQLite file, opened so that nobody else can use it
    vacancy     whether the PostgreSQL database is empty
    target      the PostgreSQL database: every table in one transaction
    move        all of it in order

At no moment do both databases work:

    file       works ───────────────────► moved
    database   empty ─► rows, refuses ──────────► works

A move that fails before the file is marked starts again from the beginning.
"""
