"""All tables, a module for each group."""
