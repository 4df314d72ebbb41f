"""The ledger, and how messages leave: claims, retries, rates, SMTP, DKIM."""
