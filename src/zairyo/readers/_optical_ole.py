"""Microsoft compound files ("OLE") as spectrometers' programs write them: streams by name, bounded."""

from __future__ import annotations

import io
import struct

from zairyo.readers._api import CERTAIN, HEAD_BYTES, NO, POSSIBLE, RawInput, ReadError

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_STREAMS = 10_000


def sniff_names(src: RawInput, names: tuple[str, ...], endings: tuple[str, ...]) -> float:
    """How sure a compound file is one that has these names: certain where they are in the file's beginning.

    The directory of names may lie behind what is looked at; then the ending is all there is.
    """
    head = src.head
    if not head.startswith(MAGIC) or len(head) < 512:
        return NO
    if all(name.encode("utf-16-le") in head for name in names):
        return CERTAIN
    shift, sector = struct.unpack_from("<H", head, 0x1E)[0], struct.unpack_from("<I", head, 0x30)[0]
    is_behind = shift in (9, 12) and (sector + 1) << shift >= len(head) == HEAD_BYTES
    return POSSIBLE if is_behind and src.suffix in endings else NO


def read_streams(data: bytes, name: str, most: int = 512 * 1024**2, within: str = "") -> dict[str, bytes]:
    """All streams by their path (``Spectra/IndexTable``), at most ``most`` bytes of them.

    ``within`` is how the paths of those that are wanted begin.

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
                if not "/".join(path).startswith(within):
                    continue
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
