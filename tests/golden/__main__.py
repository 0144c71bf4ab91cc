"""`python -m tests.golden`: what changed since the golden decisions were written; `--write` writes them anew."""

from __future__ import annotations

import argparse
import sys

from tests.golden.decided import DECISIONS, decided, differences, write, written


def main() -> int:
    """1 where something differs and is not written down."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {DECISIONS.name} anew")
    wanted = parser.parse_args()
    changed = 0
    for post_id in dict.fromkeys((*written(), *decided())):
        before, now = written().get(post_id), decided().get(post_id)
        if before is not None and now is not None:
            lines = list(differences(before, now))
        else:
            lines = ["new" if before is None else "gone"]
        changed += bool(lines)
        for line in lines:
            sys.stdout.write(f"{post_id}: {line}\n")
    if wanted.write:
        write()
    sys.stdout.write(f"{changed} of {len(decided())} decisions differ{', written' if wanted.write else ''}\n")
    return int(changed > 0 and not wanted.write)


if __name__ == "__main__":
    sys.exit(main())
