"""The child process of the sandbox: ``python -I -m zairyo.readers._child``.

It loads every reader and the libraries once, then serves requests from its standard input. On Linux it never
looks into a raw file itself: that is done by workers that it forks and that lock themselves in (see
``_child_worker``); it checks their results, so that the parent neither spends time on that nor opens what a
hostile file may have made. Elsewhere it translates in this very process, whose results the parent checks, and
the parent replaces it after any failure.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from zairyo.readers import _child_frames as frames
from zairyo.readers import _child_scratch as scratch

FORKS = sys.platform == "linux"


def main() -> None:
    requests, answers = _take_streams()
    settings = frames.receive_json(requests)
    inbox = Path(settings["inbox"])
    scratch.use(inbox)
    registry, problems = _load(settings)
    _warm_up(registry, inbox)
    held = ["process", "environment"]
    if FORKS:
        from zairyo.readers._child_worker import Workers

        workers = Workers(registry, requests, inbox)
        held += workers.protections
    else:
        own = inbox / "scratch"
        own.mkdir()
        scratch.use(own)
    frames.send_json(answers, {"protections": held, "problems": problems})
    try:
        while True:
            request = frames.receive_json(requests)
            if FORKS:
                outcome = workers.translate(request)
            else:
                with open(request["output"], "r+b") as result:
                    outcome = ("done", "", json.dumps(translate(request, registry, result)).encode())
                scratch.empty(own)
            end, detail, reply = outcome
            header = {"id": request["id"], "end": end, "detail": detail}
            if FORKS and end == "done" and b'"summary"' in reply:
                header["fault"] = _fault(request["output"])
            frames.send_answer(answers, header, reply)
    except (frames.FrameError, BrokenPipeError):  # the parent has closed, or is gone
        pass
    finally:
        if FORKS:
            workers.close()


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent, under numbers of their own; what readers print goes nowhere."""
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    os.close(null)
    return requests, answers


def _load(settings: dict[str, Any]) -> tuple[Any, list[dict[str, str]]]:
    from zairyo.readers import registry

    loaded = registry.load([Path(f) for f in settings["folders"]], [Path(f) for f in settings["files"]])
    loaded.prepare()
    return loaded, [{"where": p.where, "message": p.message} for p in loaded.problems]


def _warm_up(registry: Any, inbox: Path) -> None:
    """Look at small files and write a small measurement once, so that everything that is loaded, compiled and kept
    at first use is there before a fork."""
    import numpy as np

    from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
    from zairyo.readers import invariants
    from zairyo.readers import registry as find
    from zairyo.readers._api import RawInput, ReadError

    for own in (b"Zairyo\nx\ty\n1\t2\n2\t3\n", b"<?xml version='1.0'?>\n<zairyo/>\n", bytes(range(256))):
        file = inbox / "own.txt"
        file.write_bytes(own)
        with contextlib.suppress(ReadError):
            find.find(RawInput(file), None, registry)
        file.unlink()
    entry = Entry(
        "scan",
        "xrd",
        axes=(Axis("two_theta", np.arange(4.0), "deg"),),
        signals=(Signal("intensity", np.arange(4.0), "counts", ("two_theta",)),),
        conditions={"temperature": Quantity(300.0, "K"), "xray_tube_voltage": Quantity(4e4, "V")},
    )
    with open(os.devnull, "wb") as nowhere:
        _store(invariants.check(Measurement((entry,))), nowhere)
    gc.collect()
    gc.freeze()


def _fault(path: str) -> str:
    """Why a worker's result is not acceptable; empty if it is. Not asked of the process that made it."""
    from zairyo.measurement import MeasurementError, nexus

    try:
        nexus.check(path, learn=True)
    except (MeasurementError, OSError) as e:
        return str(e)[:2000] or type(e).__name__
    return ""


def _store(measurement: Any, result: BinaryIO) -> dict[str, Any]:
    """Write the standard form to the open file, and give its summary."""
    from zairyo.measurement import nexus
    from zairyo.measurement.summary import summarise
    from zairyo.readers import _child_summary

    result.write(nexus.dumps(measurement))
    result.flush()
    summary: dict[str, Any] = _child_summary.cut(summarise(measurement))
    if len(summary["thumbnail"]) > _child_summary.MOST_THUMBNAIL:
        summary["thumbnail"] = ""
    return summary


def translate(request: dict[str, Any], registry: Any, result: BinaryIO) -> dict[str, Any]:
    """Translate one file: ``{"reader": …, "reader_version": …, "summary": …}`` or ``{"kind": …, "message": …}``."""
    from zairyo.measurement import RawFile
    from zairyo.readers import invariants
    from zairyo.readers import registry as find
    from zairyo.readers._api import ReadError

    path = Path(request["input"])
    known = request["raw_files"]
    try:
        measurement = find.read(
            path,
            request["reader"],
            registry=registry,
            raw_files=None if known is None else tuple(RawFile(*f) for f in known),
            parts=tuple(map(Path, request["parts"])),
        )
    except find.UnknownFormat as e:
        return {"kind": "unknown_format", "message": str(e)}
    except find.Ambiguous as e:
        return {"kind": "ambiguous", "message": str(e)}
    except invariants.InvalidResult as e:
        return {"kind": "invalid", "message": str(e)}
    except ReadError as e:
        return {"kind": "damaged", "message": str(e)}
    except MemoryError:
        return {"kind": "memory", "message": ""}
    except OSError as e:
        return {"kind": "unreadable", "message": f"{path.name} cannot be read: {e.strerror or e}"}
    except Exception as e:
        # A reader lets nothing but ReadError out; one that does has met a file its author had not thought of.
        return {
            "kind": "damaged",
            "message": f"the reader stopped at {path.name}: {type(e).__name__}: {e}"[:500],
        }
    try:
        summary = _store(measurement, result)
    except MemoryError:
        return {"kind": "memory", "message": ""}
    except OSError as e:
        return {"kind": "too_large" if e.errno == errno.EFBIG else "output", "message": str(e)[:500]}
    except Exception as e:
        return {"kind": "invalid", "message": f"{type(e).__name__}: {e}"[:500]}
    source = measurement.source
    assert source is not None
    return {"reader": source.reader, "reader_version": source.reader_version, "summary": summary}


if __name__ == "__main__":
    main()
