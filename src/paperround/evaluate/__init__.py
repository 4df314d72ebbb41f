"""Evaluate the models on historical data, next to baselines. Not used when sending mail."""
