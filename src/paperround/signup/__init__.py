"""Sign-up: requests, rate limits, confirmation, the links in emails."""
