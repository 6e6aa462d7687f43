"""How many points Bruker's digital filter delays a decay, where the file does not say it itself (GRPDLY)."""

from __future__ import annotations

import math

#: Decimation → delay in points, by the firmware's version (DSPFVS); Bruker's published table.
_DELAYS: dict[int, dict[int, float]] = {
    10: {2: 44.75, 3: 33.5, 4: 66.625, 6: 59.0833, 8: 68.5625, 12: 60.375, 16: 69.5313, 24: 61.0208, 32: 70.0156,
         48: 61.3438, 64: 70.2578, 96: 61.5052, 128: 70.3789, 192: 61.5859, 256: 70.4395, 384: 61.6263, 512: 70.4697,
         768: 61.6465, 1024: 70.4849, 1536: 61.6566, 2048: 70.4924},
    11: {2: 46.0, 3: 36.5, 4: 48.0, 6: 50.1667, 8: 53.25, 12: 69.5, 16: 72.25, 24: 70.1667, 32: 72.75, 48: 70.5,
         64: 73.0, 96: 70.6667, 128: 72.5, 192: 71.3333, 256: 72.25, 384: 71.6667, 512: 72.125, 768: 71.8333,
         1024: 72.0625, 1536: 71.9167, 2048: 72.0313},
    12: {2: 46.0, 3: 36.5, 4: 48.0, 6: 50.1667, 8: 53.25, 12: 69.5, 16: 71.625, 24: 70.1667, 32: 72.125, 48: 70.5,
         64: 72.375, 96: 70.6667, 128: 72.5, 192: 71.3333, 256: 72.25, 384: 71.6667, 512: 72.125, 768: 71.8333,
         1024: 72.0625, 1536: 71.9167, 2048: 72.0313},
    13: {2: 2.75, 3: 2.8333, 4: 2.875, 6: 2.9167, 8: 2.9375, 12: 2.9583, 16: 2.9688, 24: 2.9792, 32: 2.9844,
         48: 2.9896, 64: 2.9922, 96: 2.9948},
}  # fmt: skip


def group_delay(stated: float, firmware: int, decimation: float) -> float | None:
    """The delay in points: as stated, else from the table, else None (no digital filter, or one that is not known)."""
    if math.isfinite(stated) and stated >= 0:
        return stated or None
    if not math.isfinite(decimation) or not 0 < decimation < 1e6:
        return None
    return _DELAYS.get(firmware, {}).get(round(decimation))
