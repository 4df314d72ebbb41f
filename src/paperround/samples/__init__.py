"""Fictional sample papers, to try Paperround without a network."""
