"""Running an installation: the tick, alerts, status, cleanup."""
