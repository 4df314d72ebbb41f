"""Render digest and notice views to the bytes of messages."""
