"""bioRxiv and medRxiv."""
