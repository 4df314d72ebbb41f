"""People: addresses, consent, choices, suppressions."""
