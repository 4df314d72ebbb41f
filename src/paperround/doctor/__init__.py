"""Checks of an installation: what is wrong with it, and the way out.

    machine ─► settings ─► database ─► routine ─► site ─► relay

It sends no mail, makes no installation, and changes nothing but its own sign of life. What a check
needs and does not find it skips, and says so.
"""
