"""SMTP: one conversation without a socket, and the loop that drives many."""
