"""The guarded HTTP client: the only way by which Paperround asks other servers for anything."""
