"""The library that makes a process read another time than the machine's.

`LIBFAKETIME` names its file where it stands elsewhere than in Debian's package.
"""

import os
from collections.abc import Mapping
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


def with_the_machines_clock(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without the library."""
    return {name: value for name, value in environment.items() if name != "LD_PRELOAD"}
