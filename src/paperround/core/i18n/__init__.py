"""Locales and catalogues: texts in the language of the person who reads them."""
