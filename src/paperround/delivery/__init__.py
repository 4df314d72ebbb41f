"""Send email: the ledger, claims, retries, rate limits, SMTP and DKIM."""
