"""Breaks the code on purpose, one patch at a time, to see that the named test turns red."""
