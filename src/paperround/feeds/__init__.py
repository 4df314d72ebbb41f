"""Feeds: what is polled, when, how it is doing, and how its records become papers."""
