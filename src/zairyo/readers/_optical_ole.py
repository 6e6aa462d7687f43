"""Microsoft compound files ("OLE") as spectrometers' programs write them: streams by name, bounded."""

from __future__ import annotations

import io

from zairyo.readers._api import ReadError

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_STREAMS = 10_000


def wide(name: str) -> bytes:
    """A name as the directory of a compound file holds it, to look for in the file's beginning."""
    return name.encode("utf-16-le")


def read_streams(data: bytes, name: str, most: int = 512 * 1024**2) -> dict[str, bytes]:
    """All streams by their path (``Spectra/IndexTable``), at most ``most`` bytes of them.

    Raises
    ------
    ReadError
        If the file is no compound file, is damaged, or holds more than ``most`` bytes.
    """
    import olefile

    found: dict[str, bytes] = {}
    total = 0
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            for path in ole.listdir()[:_MOST_STREAMS]:
                total += ole.get_size(path)
                if total > most:
                    raise ReadError(f"{name} holds more than {most // 1024**2} MiB; it is damaged")
                found["/".join(path)] = ole.openstream(path).read()
    except ReadError:
        raise
    except Exception as e:  # olefile raises whatever a damaged table leads it to
        raise ReadError(
            f"{name} is not a whole compound file ({e}); copy it again from the instrument"
        ) from None
    return found
