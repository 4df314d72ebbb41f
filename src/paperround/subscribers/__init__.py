"""Subscribers: addresses, consent, preferences, suppressions."""
