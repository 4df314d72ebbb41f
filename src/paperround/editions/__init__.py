"""Editions of a list: frozen rankings, the archive, exports."""
