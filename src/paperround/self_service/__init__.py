"""Self-service of readers: preferences, library, export, erasure."""
