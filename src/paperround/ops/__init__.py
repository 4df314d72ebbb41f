"""Operate an installation: the tick, alerts, status, cleanup."""
