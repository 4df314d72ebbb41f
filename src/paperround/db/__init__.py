"""Connections, transactions, dialects, migrations and backups. Imports no capability."""
