"""Write the catalogues anew, in the clone that is the working folder: `./run words`."""

import sys
from pathlib import Path

from paperround.languages.extraction import OTHERS, TEMPLATE, faults, messages, renewed, written


def main(root: Path) -> int:
    """Write all of them; 1 when one is incomplete, and what it lacks on standard error."""
    folder = root / "translations"
    template = messages(root)
    (folder / TEMPLATE).write_bytes(written(template))
    found = []
    for language in OTHERS:
        path = folder / f"{language}.po"
        catalogue = renewed(path, language, template)
        path.write_bytes(written(catalogue))
        found += [f"{path.name}: {fault}" for fault in faults(catalogue, template)]
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
