"""Store feeds, their runs and rejects."""
