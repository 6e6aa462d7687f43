"""Microsoft compound files (OLE): their streams by name, each checked before it is read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from zairyo.readers._api import RawInput, ReadError

if TYPE_CHECKING:
    from olefile import OleFileIO

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Compound:
    """The file's streams: ``names`` are tuples of storages and the stream's own name."""

    def __init__(self, src: RawInput) -> None:
        import olefile

        self._name = src.name
        data = src.read_bytes()
        self._size = len(data)
        try:
            self._file: OleFileIO = olefile.OleFileIO(io.BytesIO(data))
            self.names: list[tuple[str, ...]] = [tuple(path) for path in self._file.listdir()]
        except Exception as e:  # olefile raises what its broken input makes it stumble over
            raise ReadError(
                f"{self._name} is damaged: its directory of streams cannot be read ({e})"
            ) from None

    def read(self, *path: str) -> bytes:
        """One stream's bytes."""
        if path not in self.names:
            raise ReadError(
                f"{self._name} has no stream {'/'.join(path)!r}; it is another kind of file or cut off"
            )
        try:
            if self._file.get_size(list(path)) > self._size:
                raise ReadError(f"stream {'/'.join(path)!r} is larger than the file; it is damaged")
            data: bytes = self._file.openstream(list(path)).read()
        except ReadError:
            raise
        except Exception as e:
            raise ReadError(
                f"stream {'/'.join(path)!r} of {self._name} is damaged ({e}). Copy it again."
            ) from None
        return data
