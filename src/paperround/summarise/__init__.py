"""Optional: machines that sum papers up, and what they said so far."""
