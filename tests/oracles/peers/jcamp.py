"""jcamp on JCAMP-DX with one spectrum a file."""

import jcamp


def read(path):
    file = jcamp.readfile(path)
    return {"x": file["x"], "y": file["y"]}
