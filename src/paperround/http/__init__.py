"""The guarded HTTP client: the only way to other servers."""
