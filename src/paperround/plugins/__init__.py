"""What the core can live without."""
