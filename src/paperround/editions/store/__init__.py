"""The tables of lists and editions, and every statement on them."""
