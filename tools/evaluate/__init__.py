"""Measure parts of Paperround on collections with known answers, next to baselines."""
