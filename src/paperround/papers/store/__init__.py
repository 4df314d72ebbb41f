"""Store papers and their search index."""
