"""Use cases over Protocols: no library that does I/O is named here. See `ports.py`."""
