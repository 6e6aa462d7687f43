"""agilent-format on single images and mosaics."""

import agilent_format


def read(path):
    if path.endswith(".dmt"):
        image = agilent_format.agilentMosaic(path)
    else:
        image = agilent_format.agilentImage(path.replace(".bsp", ".dat"))
    return {"0/absorbance": image.data, "0/wavenumber": (image.wavenumbers, "1/cm")}
