"""Export papers and editions as feeds, citations and Markdown."""
