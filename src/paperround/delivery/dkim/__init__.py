"""DKIM signatures and their keys."""
