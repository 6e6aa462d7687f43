"""xrayutilities on PANalytical's and Rigaku's files."""

import xrayutilities as xu


def read(path):
    if path.endswith(".xrdml"):
        columns = xu.io.XRDMLFile(path).scan.ddict
        # Intensities are per second there.
        return {
            "0/two_theta": (columns["2Theta"], "deg"),
            "0/intensity": columns["detector"] * columns["countTime"],
        }
    found = {}
    for number, scan in enumerate(xu.io.RASFile(path).scans):
        found[f"{number}/two_theta"] = (scan.data[scan.scan_axis], "deg")
        found[f"{number}/intensity"] = scan.data["int"] * scan.data["att"]
    return found
