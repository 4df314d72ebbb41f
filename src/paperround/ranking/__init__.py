"""Orders the papers of an edition and says why: pure functions of their arguments.

The formula stands in `trending`, every constant of it in `weights`.
"""
