"""Figures of papers that a source gives and lets others show."""
