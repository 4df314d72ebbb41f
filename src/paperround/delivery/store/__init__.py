"""The tables of deliveries, system mail and channels, and every statement on them."""
