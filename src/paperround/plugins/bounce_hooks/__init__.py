"""Webhooks of mail providers that report bounces."""
