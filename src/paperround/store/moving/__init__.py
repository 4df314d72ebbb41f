"""Moving an installation from SQLite to PostgreSQL, whole or not at all.

    marks       what both databases know of a move, and the refusal to work meanwhile
    departure   the SQLite file: nobody else has it open, and then it refuses everybody
    reading     its rows in order, and a look for values that PostgreSQL cannot hold
    lines       a row as a line of COPY, and the checksum of many
    vacancy     whether the PostgreSQL database can be moved into
    arrival     the PostgreSQL database: rows in, rows read back, sequences, the end
    move        all of it in order

At no moment may both databases be worked with:

    file       at rest ─► moving ───────────────────────────────► moved
    database   empty ─────────────► moving ─► copied, compared ─────────► at work

Whoever is killed on the way runs the same command again.
"""
