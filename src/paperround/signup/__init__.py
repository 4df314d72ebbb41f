"""Signing up: requests, limits, confirmation, the links that emails carry."""
