"""The learned prior: the expected votes of a paper from its text and authors."""
