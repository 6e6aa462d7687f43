"""scikit-rf on touchstone files."""

import skrf


def read(path):
    network = skrf.Network(path)
    return {"0/frequency": (network.f, "Hz"), "0/s11": network.s[:, 0, 0]}
