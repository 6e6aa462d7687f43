"""Why an upload was not taken."""

from __future__ import annotations


class Refused(Exception):
    """An upload, or a step of it, that was not taken; nothing that was confirmed before is lost.

    Attributes
    ----------
    status, code
        HTTP status and the stable slug of the api's problems.
    detail
        A sentence for the person who uploads: what is wrong and what to do.
    field
        The header or the metadata key that is at fault, if one is.
    offset
        How many bytes of the upload are safe, where the sender may go on from there.
    """

    def __init__(
        self, status: int, code: str, detail: str, field: str | None = None, offset: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field
        self.offset = offset


def disk_full(offset: int | None = None) -> Refused:
    return Refused(
        507,
        "disk_full",
        "The server's disk is full. What was confirmed is safe; go on when there is room again.",
        offset=offset,
    )
