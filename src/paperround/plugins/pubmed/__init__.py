"""The source `pubmed` and its file format."""
