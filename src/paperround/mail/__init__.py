"""The digest in words and in bytes, and how the bytes leave."""
