"""Who may do what: API keys, the audit, requests that come twice, limits of visitors."""
