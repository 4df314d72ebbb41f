"""The command `paperround db move`: from SQLite to PostgreSQL."""
