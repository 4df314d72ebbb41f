"""The library that makes a process read another time than the machine's.

`LIBFAKETIME` names its file where it stands elsewhere than in Debian's package.
"""

import os
from pathlib import Path

import pytest


def library() -> str:
    """The file of libfaketime; skips where there is none."""
    named = [os.environ.get("LIBFAKETIME", "")]
    found = [*named, *map(str, Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))]
    there = next((path for path in found if path and Path(path).exists()), None)
    if there is None:
        pytest.skip("needs libfaketime: install Debian's package faketime")
    return there
