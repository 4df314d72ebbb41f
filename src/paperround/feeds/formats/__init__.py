"""Parse files and responses into records and rejects."""
