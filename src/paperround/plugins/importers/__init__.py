"""Subscribers from the files of other list software."""
