"""Sign email with DKIM and manage the keys."""
