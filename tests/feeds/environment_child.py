"""Stands in for the process that reads wild feeds: says which variables it was given."""

import json
import os
import sys

if __name__ == "__main__":
    seen = sorted(set(os.environ) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"})
    sys.stdout.write(json.dumps([{"seen": seen}]))
