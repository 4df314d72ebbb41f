"""Connections, transactions, dialects, migrations. Knows no capability."""
