"""API access: keys, the audit log, idempotency, rate limits of visitors."""
