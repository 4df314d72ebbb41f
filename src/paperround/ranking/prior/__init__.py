"""What a text and its authors let one expect before anybody has voted."""
