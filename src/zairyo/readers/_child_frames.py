"""Length-prefixed messages over a pipe, the same on both ends of the sandbox."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

#: A message longer than this is refused: nothing that a reader says about one file is so long.
MOST_BYTES = 8 * 1024**2
#: The same for what a worker answers, which is passed on behind a header.
MOST_REPLY_BYTES = MOST_BYTES - 64 * 1024
_LENGTH = struct.Struct(">I")


class FrameError(ValueError):
    """The other end closed, or sent what is not a message."""


def send(stream: BinaryIO, data: bytes) -> None:
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def send_json(stream: BinaryIO, message: dict[str, Any]) -> None:
    send(stream, json.dumps(message).encode())


def send_answer(stream: BinaryIO, header: dict[str, Any], reply: bytes) -> None:
    """A trusted header, and behind it what a worker said."""
    send(stream, json.dumps(header).encode() + b"\n" + reply)


def split_answer(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the reply of :func:`send_answer`; JSON has no line breaks of its own."""
    header, _, reply = data.partition(b"\n")
    return parse(header), reply


def receive(stream: BinaryIO) -> bytes:
    """One message; :class:`FrameError` at the end of the stream or for one that is too long."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > MOST_BYTES:
        raise FrameError(f"a message of {length} bytes")
    return _exactly(stream, length)


def receive_json(stream: BinaryIO) -> dict[str, Any]:
    return parse(receive(stream))


def parse(data: bytes) -> dict[str, Any]:
    """A message's JSON object. The data may come from a hostile file's reader."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise FrameError(f"not JSON: {type(e).__name__}") from None
    if not isinstance(message, dict):
        raise FrameError("not a JSON object")
    return message


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = stream.read(count - len(data))
        if not part:
            raise FrameError("closed")
        data += part
    return data
