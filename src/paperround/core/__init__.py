"""Errors, times, languages and ids for every package. Uses the standard library and Babel only."""
