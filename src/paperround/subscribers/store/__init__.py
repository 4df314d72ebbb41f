"""The tables of people, and every statement on them."""
