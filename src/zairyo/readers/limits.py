"""How much one translation may use."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024**2


@dataclass(frozen=True)
class Limits:
    """What the child process that translates one file is held to.

    Attributes
    ----------
    seconds
        Wall-clock and processor time for one file, s.
    memory
        Bytes beyond what the idle child has (held on Linux).
    input_bytes
        Size of the raw file, or of all files of a folder format together.
    output_bytes
        Size of the standard-form file.
    scratch_bytes, scratch_files
        What a reader may have in its scratch folder at once: bytes on disk, and files and folders (held on Linux).
    files
        The child is replaced by a fresh one after this many files.
    """

    seconds: float = 120.0
    memory: int = 4096 * _MIB
    input_bytes: int = 4096 * _MIB
    output_bytes: int = 4096 * _MIB
    scratch_bytes: int = 1024 * _MIB
    scratch_files: int = 10_000
    files: int = 1000
