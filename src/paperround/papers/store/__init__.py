"""The tables of papers and their search index, and every statement on them."""
