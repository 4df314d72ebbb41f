"""Store deliveries and system email."""
