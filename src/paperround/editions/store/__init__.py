"""Store lists and editions."""
