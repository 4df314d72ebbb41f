"""Figures of papers, from a source that lets others show them."""
