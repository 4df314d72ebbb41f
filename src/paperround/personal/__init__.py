"""What one reader gets of an edition: preferences, scores, selection."""
