"""Every table, one module for each group of them."""
