"""Self-service for readers: preferences, feedback, export, erasure."""
