"""Personal ranking: preferences, scores and selection of papers for one reader."""
