"""Write requirements/*.txt anew from pyproject.toml: exact versions with hashes, for every platform.

Run ``make lock`` after a change to the dependencies. Needs ``uv`` (``pip install uv``); no registry's
address is written, so that whoever installs uses their own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {
    "all.txt": ["--all-extras", "--group", "dev", "--group", "docs"],
    "node.txt": ["--group", "node"],
}


def main() -> None:
    for name, what in LOCKS.items():
        # node.txt is only the group: it is installed into an environment that already holds the rest.
        source = ["pyproject.toml"] if name == "all.txt" else []
        subprocess.run(  # noqa: S603
            [
                sys.executable, "-m", "uv", "pip", "compile", *source, *what, "--universal", "--python-version", "3.11",
                "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header",
                "--quiet", "-o", f"requirements/{name}", *sys.argv[1:],
            ],
            cwd=ROOT,
            check=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
