"""Summaries that a language model writes."""
