"""From a view to the bytes of a message."""
