"""Papers and editions for other programs: feeds, citations, Markdown."""
