"""Files and responses read into records and rejects."""
