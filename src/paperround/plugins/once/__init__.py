"""The command `paperround once`: one reader's digest from one file, without a server."""
