"""The tables of feeds and their runs, and every statement on them."""
