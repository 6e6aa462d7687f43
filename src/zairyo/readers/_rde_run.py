"""Finding an RDE structuring program in its folder, and running it on one input by rdetoolkit's workflow."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import logging
import os
import shutil
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._rde_invoice import EMPTY_SCHEMA, invoice_of

#: Where a program's code and its ``tasksupport`` are, in the layouts that RDE's own tools make.
_CODE = (".", "container")
_TASKSUPPORT = (
    "data/tasksupport",
    "container/data/tasksupport",
    "tasksupport",
    "container/tasksupport",
    "templates/tasksupport",
    "template/tasksupport",
)
_INPUTS = ("inputdata", "invoice", "tasksupport")
_TOOLKIT = ("rdetoolkit.workflows", "rdetoolkit.modeproc", "rdetoolkit.rde2util", "jsonschema")
#: The workflow works in the process' current folder, and imports go by names that two programs may share.
_one_at_a_time = threading.Lock()


class ProgramError(ValueError):
    """A program cannot be found as described; the message begins with the key of the description."""


@dataclass(frozen=True)
class Program:
    """A structuring program: its ``folder``, the folder of its ``code``, its function and its ``tasksupport``."""

    folder: Path
    code: Path
    module: str
    function: str
    tasksupport: Path

    def definitions(self) -> dict[str, dict[str, Any]]:
        """What ``metadata-def.json`` (and variants of it beside it) say of each key of the metadata."""
        found: dict[str, dict[str, Any]] = {}
        for path in sorted(self.tasksupport.glob("metadata-def*.json")):
            said = _json(path)
            found |= {k: v for k, v in said.items() if isinstance(v, dict)} if isinstance(said, dict) else {}
        return found


def find(folder: Path, function: str, tasksupport: str) -> Program:
    """The program in a folder.

    Raises
    ------
    ProgramError
        Something of it is not there; the message says what, and where it was sought.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise ProgramError(f"rde: there is no folder {folder}")
    module, _, name = function.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), name)):
        raise ProgramError(f"function: {function!r} is not of the form module:name")
    stem = module.replace(".", "/")
    for place in _CODE:
        if any((folder / place / end).is_file() for end in (f"{stem}.py", f"{stem}/__init__.py")):
            return Program(
                folder, (folder / place).resolve(), module, name, _tasksupport(folder, tasksupport)
            )
    raise ProgramError(f"function: there is no {stem}.py in {folder} or its folder container")


def _tasksupport(folder: Path, named: str) -> Path:
    if named:
        if not (folder / named).is_dir():
            raise ProgramError(f"tasksupport: there is no folder {named} in {folder}")
        return folder / named
    usual = [folder / place for place in _TASKSUPPORT if (folder / place).is_dir()]
    if usual:
        return usual[0]
    others = sorted(p for p in (*folder.glob("*/tasksupport"), *folder.glob("*/*/tasksupport")) if p.is_dir())
    if len(others) == 1:
        return others[0]
    if others:
        listed = ", ".join(p.relative_to(folder).as_posix() for p in others)
        raise ProgramError(f"tasksupport: the program has several; name one of {listed}")
    raise ProgramError(f"tasksupport: {folder} has none; name the folder that holds metadata-def.json")


def prepare(program: Program) -> None:
    """Load rdetoolkit and the libraries that the program's code imports, but nothing of the program itself."""
    os.environ["MPLBACKEND"] = "agg"
    os.environ["MPLCONFIGDIR"] = str(Path(tempfile.gettempdir(), "matplotlib"))
    for name in _TOOLKIT:
        importlib.import_module(name)
    for name in sorted(_imports(program.code)):
        with contextlib.suppress(Exception):  # what is missing is told when the program runs
            importlib.import_module(name)


def _imports(code: Path) -> set[str]:
    """Modules that the Python files below a folder import and that are not in it."""
    found: set[str] = set()
    for path in code.rglob("*.py"):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    own = _own_names(code)
    return {name for name in found if name.partition(".")[0] not in own}


def run(program: Program, raw: RawInput, folder: Path, invoice: Mapping[str, Any]) -> list[str]:
    """Run the program on an input in an empty folder; its results are in ``folder/data``.

    Parameters
    ----------
    invoice
        Values for the invoice over those that its schema gives.

    Returns
    -------
    list of str
        What went wrong with tiles that the program's settings allow to fail.

    Raises
    ------
    ReadError
        The program refused the input, or stopped.
    """
    with _one_at_a_time:
        lay_out(program, raw, folder, invoice)
        with _quiet(), _working_in(folder), _importable(program.code):
            try:
                said = _call(program)
            except MemoryError:
                raise
            except (Exception, SystemExit) as e:
                raise _refusal(program, raw, e) from None
    return _failed_tiles(said)


def lay_out(program: Program, raw: RawInput, folder: Path, invoice: Mapping[str, Any]) -> None:
    """Make RDE's ``data/`` in a folder: the input, the program's ``tasksupport``, and an invoice."""
    data = folder / "data"
    for name in _INPUTS[:2]:
        (data / name).mkdir(parents=True)
    shutil.copytree(program.tasksupport, data / "tasksupport")
    settings = program.code / "pyproject.toml"  # the workflow looks for its settings there too
    if settings.is_file():
        shutil.copyfile(settings, folder / settings.name)
    schema_file = data / "tasksupport" / "invoice.schema.json"
    if not schema_file.exists():
        schema_file.write_text(json.dumps(EMPTY_SCHEMA), encoding="utf-8")
    made = invoice_of(_json(schema_file), Path(raw.name).stem, invoice)
    (data / "invoice" / "invoice.json").write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    if raw.is_folder:
        for name in raw.members:
            target = data / "inputdata" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(raw.member_path(name), target)
    else:
        with raw.open() as source, (data / "inputdata" / raw.name).open("wb") as target_file:
            shutil.copyfileobj(source, target_file)


def _call(program: Program) -> object:
    """Import the function and give it to the workflow; what the workflow says of each tile."""
    function: Any = getattr(importlib.import_module(program.module), program.function)
    if not inspect.signature(function).parameters:
        return function()
    from rdetoolkit import workflows

    return workflows.run(custom_dataset_function=function)


def _failed_tiles(said: object) -> list[str]:
    try:
        statuses = json.loads(said)["statuses"] if isinstance(said, str) else []
        return [
            f"Tile {s['run_id']} failed and was left out: {s['error_message']}"
            for s in statuses
            if s["status"] == "failed"
        ]
    except (ValueError, KeyError, TypeError):
        return []


# --- what a program raised ---------------------------------------------------------------------------------------


def _refusal(program: Program, raw: RawInput, error: BaseException) -> ReadError:
    """What the program said, and where in it: rdetoolkit wraps it several times and then ends the process."""
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None and inner not in chain:
        chain.append(inner)
    if any(isinstance(e, MemoryError) for e in chain):
        raise MemoryError
    raised = [e for e in chain if not isinstance(e, SystemExit)]
    if not raised:
        return ReadError(
            f"The RDE program ended itself at {raw.name}, with status {getattr(error, 'code', '')}."
        )
    cause = raised[-1]
    text = " ".join(str(cause).split()) or "no message"
    # A program's own words, which say more than the exception they were raised for.
    own = next((" ".join(str(e).split()) for e in raised[:-1] if _is_worded(e)), "")
    said = (
        f"{own.removeprefix('Error: ')} ({type(cause).__name__}: {text})" if own and text not in own else text
    )
    if isinstance(cause, ModuleNotFoundError):
        said = f"it needs the Python package {cause.name}, which is not installed here"
    return ReadError(f"The RDE program refused {raw.name}: {said[:1500]}{_place(program, raised)}")


def _is_worded(error: BaseException) -> bool:
    """Whether the program raised it with words of its own, rather than rdetoolkit around another."""
    return type(error).__name__ == "StructuredError" and "Unexpected error in" not in str(error)


def _place(program: Program, raised: list[BaseException]) -> str:
    """The program's line in which the innermost error came about."""
    for error in reversed(raised):
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            path = Path(frame.filename)
            if path.is_relative_to(program.folder):
                return f" [{path.relative_to(program.folder).as_posix()}, line {frame.lineno}]"
    return ""


# --- the process a program runs in -------------------------------------------------------------------------------


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        _close_logs(folder)


def _close_logs(folder: Path) -> None:
    """Close the log files that rdetoolkit and the program opened in the folder, which is going."""
    known = list(logging.root.manager.loggerDict.values())
    for logger in (logging.root, *(item for item in known if isinstance(item, logging.Logger))):
        for handler in list(logger.handlers):
            own = isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).is_relative_to(
                folder
            )
            if own or isinstance(getattr(handler, "stream", None), io.StringIO):
                logger.removeHandler(handler)
                handler.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What a program prints goes nowhere; rdetoolkit warns of its own functions."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()):
            yield


@contextlib.contextmanager
def _importable(code: Path) -> Iterator[None]:
    """Let the program's modules be imported, and be gone afterwards: every program calls them ``modules``."""
    own = _own_names(code)

    def loaded() -> dict[str, Any]:
        return {name: m for name, m in sys.modules.items() if name.partition(".")[0] in own}

    before, writes = loaded(), sys.dont_write_bytecode
    for name in before:
        del sys.modules[name]
    sys.path.insert(0, str(code))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        sys.path.remove(str(code))
        for name in loaded():
            del sys.modules[name]
        sys.modules.update(before)
        importlib.invalidate_caches()


def _own_names(code: Path) -> set[str]:
    """Top-level names of the modules and packages in a folder."""
    packages = {p.name for p in code.iterdir() if p.is_dir() and any(p.rglob("*.py"))}
    return packages | {p.stem for p in code.glob("*.py")}


def _json(path: Path) -> Any:
    """A program's JSON file; :class:`ReadError` if it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as e:
        raise ReadError(f"{path.name} of the RDE program is no JSON: {e}") from None
