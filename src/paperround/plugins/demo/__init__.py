"""The command `paperround demo`: everything on one machine, with sample papers."""
