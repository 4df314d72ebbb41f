"""The checks of `paperround doctor` that are plugins."""
