"""Where papers come from. Each reader is pure: the bytes of one answer or file -> a ParsedBatch."""
