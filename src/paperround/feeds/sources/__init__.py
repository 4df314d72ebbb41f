"""Read papers from live services."""
