"""Papers: identifiers, merging, text repair, gists, search."""
