"""Use cases over stores and Protocols: no library that does I/O is named here."""
