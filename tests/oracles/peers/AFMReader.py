"""AFMReader on WSxM's images."""

from AFMReader.stp import load_stp


def read(path):
    image, _ = load_stp(path)
    return {"0/height": (image, "nm")}
