"""brukeropus on OPUS files: each block by its short name."""

import brukeropus


def read(path):
    file = brukeropus.read_opus(path)
    found = {}
    for name in file.data_keys:
        block = getattr(file, name)
        found[name], found[f"{name}/x"] = block.y, block.x
    return found
