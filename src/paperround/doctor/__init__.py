"""Check an installation: report what is wrong, and how to fix it.

    machine ─► settings ─► database ─► schedule ─► plugins: site, relays, sample messages, DNS

The checks send no mail, create no installation, and write nothing but a heartbeat. A check that
lacks what it needs is reported as skipped.
"""
