"""Digests: built, planned, published and sent."""
