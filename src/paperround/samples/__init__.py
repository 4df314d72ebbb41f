"""Invented sample papers, for a first look at Paperround without a network."""
