"""Summaries of papers by a language model, checked and marked."""
