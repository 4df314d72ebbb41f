"""Replays of the past: how well the models do on data whose outcome is known, beside what others
do, in one run. Nothing here is asked while mail is made."""
