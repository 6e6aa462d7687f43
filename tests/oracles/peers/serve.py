"""Runs inside a peer's environment: reads files with that peer, one a line of standard input, until it ends.

Each line is ``{"path": …}``; the answer, a line of JSON, names an ``.npz`` of the arrays and gives their units, or says
what went wrong. ``serve.py PEER FOLDER`` loads ``PEER.py``, which stands beside this file and imports only the peer and
NumPy; its ``read(path)`` gives arrays by name, each alone or with its unit: ``{"0/intensity": (values, "counts")}``.
"""

import importlib.util
import json
import os
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    warnings.simplefilter("ignore")
    name, folder = sys.argv[1:]
    try:
        # By its file name, under another name than the library's own.
        spec = importlib.util.spec_from_file_location(f"peer_{name}", Path(__file__).with_name(f"{name}.py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except Exception:
        say(answers, {"import_error": traceback.format_exc()})
        return
    say(answers, {"ready": True})
    for number, line in enumerate(sys.stdin):
        target = Path(folder) / f"{name}_{number}.npz"
        try:
            say(answers, save(module.read(json.loads(line)["path"]), target))
        except Exception:
            say(answers, {"error": traceback.format_exc()})


def save(arrays: dict, target: Path) -> dict:
    units, plain = {}, {}
    for name, given in arrays.items():
        values, unit = given if isinstance(given, tuple) else (given, None)
        plain[name] = np.asarray(values)
        if unit is not None:
            units[name] = unit
    names = list(plain)
    # Names go in the answer: a name with a slash or a dot would become another one inside the archive.
    np.savez(target, **{f"a{i}": plain[name] for i, name in enumerate(names)})
    return {"npz": str(target), "names": names, "units": units}


def say(answers: object, answer: dict) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.path.pop(0)  # this folder: its modules are named like the libraries they ask
    main()
