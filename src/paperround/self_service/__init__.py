"""What readers do for themselves: choices, library, export, erasure."""
