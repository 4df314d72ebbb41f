"""Rank the papers of an edition and explain the order.

`score` has the formula, `weights` its constants.
"""
