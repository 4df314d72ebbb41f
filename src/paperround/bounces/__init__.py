"""What comes back: read, judged, and what it means for a reader."""
