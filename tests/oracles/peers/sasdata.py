"""sasdata on canSAS XML, NIST's reduced text and SAXSess files."""

from sasdata.dataloader.loader import Loader


def read(path):
    found = {}
    curves = Loader().load(path)
    for number, curve in enumerate(curves):
        found[f"{number}/q"] = curve.x
        found[f"{number}/intensity"] = curve.y
        if curve.dy is not None and curve.dy.any():
            found[f"{number}/intensity.uncertainty"] = curve.dy
        if curve.dx is not None and not path.endswith(".pdh"):
            found[f"{number}/q_resolution"] = curve.dx
        if curve.dxl is not None:
            found[f"{number}/slit_length"] = curve.dxl
        for place, trace in enumerate(getattr(curve, "trans_spectrum", None) or []):
            found[f"{len(curves) + place}/wavelength"] = trace.wavelength
            found[f"{len(curves) + place}/transmission"] = trace.transmission
    return found
