"""Self-service of readers: preferences, feedback, export, erasure."""
