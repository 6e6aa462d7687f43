"""gsffile on Gwyddion's simple fields."""

import gsffile


def read(path):
    data, _ = gsffile.read_gsf(path)
    return {"data": data[0] if len(data) == 1 else data}
