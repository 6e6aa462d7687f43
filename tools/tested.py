"""Write docs/tested.tsv anew: on how many real files, of which programs' versions, each reader was tested.

    .venv/bin/python tools/tested.py

Translates everything in shared/data/instruments and examples/ as users' files are, and notes what the files say
wrote them. Prints what is not translated, with the reason.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from zairyo.measurement import nexus
from zairyo.readers import registry
from zairyo.readers.sandbox import Sandbox, Translated

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZAIRYO_SHARED", ROOT.parent / "shared" / "data")) / "instruments"
MOST_PROGRAMS = 6


def main() -> None:
    if not SHARED.is_dir():
        sys.exit(f"real files are not here ({SHARED}); set ZAIRYO_SHARED to their folder")
    files: dict[str, int] = defaultdict(int)
    programs: dict[str, set[str]] = defaultdict(set)
    failed = total = 0
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        for raw in registry.inputs([SHARED, ROOT / "examples"]):
            if raw.name in ("INDEX.tsv", "NOTICE"):
                continue
            total += 1
            result = sandbox.translate(raw.path, Path(folder), parts=raw.parts, name="r.nxs", group="")
            if not isinstance(result, Translated):
                failed += 1
                base = SHARED.parent if raw.path.is_relative_to(SHARED) else ROOT
                print(f"{raw.path.relative_to(base)}: {result.kind}: {result.message}")
                continue
            files[result.reader] += 1
            for entry in nexus.read(result.path):
                said = (entry.conditions.get(name) for name in ("software", "software_version"))
                if text := " ".join(str(q.value) for q in said if q is not None):
                    programs[result.reader].add(" ".join(text.split())[:40])
    lines = ["reader\tfiles\tprograms"]
    for reader in sorted(files):
        some = sorted(programs[reader])[:MOST_PROGRAMS]
        lines.append(f"{reader}\t{files[reader]}\t{'; '.join(some)}")
    (ROOT / "docs" / "tested.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{total - failed} of {total} translated, by {len(files)} readers")


if __name__ == "__main__":
    main()
