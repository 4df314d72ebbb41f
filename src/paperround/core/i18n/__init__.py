"""Locales and translations."""
