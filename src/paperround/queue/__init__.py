"""How jobs run: in threads of this process. A job carries ids; the rows they name are the truth."""
