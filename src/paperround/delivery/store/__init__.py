"""Store deliveries, system email and channels."""
