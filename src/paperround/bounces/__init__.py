"""Bounces, complaints and replies: parse them, classify them, act on them."""
