"""Optional features, which register themselves as plugins of the core."""
