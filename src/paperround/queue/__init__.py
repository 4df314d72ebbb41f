"""How jobs run: in threads of this process, or in any number of processes that share PostgreSQL.
A job carries ids; the rows they name are the truth."""
