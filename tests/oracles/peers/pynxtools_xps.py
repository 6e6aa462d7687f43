"""pynxtools-xps on PHI's, SPECS', Scienta's and irregular VAMAS files."""

from pathlib import Path

from pynxtools_xps.parsers.phi.parser import PHIParser
from pynxtools_xps.parsers.scienta.txt_parser import ScientaTXTParser
from pynxtools_xps.parsers.specs.xy.parser import SPECSXYParser
from pynxtools_xps.parsers.vms.parser import VamasParser

PARSERS = {
    "phi-spe": PHIParser,
    "specs-xy": SPECSXYParser,
    "scienta-txt": ScientaTXTParser,
    "vamas": VamasParser,
}


def read(path):
    kind = Path(path).parent.name
    parser = PARSERS[kind]()
    parser.parse(path)
    found = {}
    for number, spectrum in enumerate(parser.data.values()):
        values = spectrum.data.values  # cycles, scans, energies
        energy = spectrum.data.coords.get("energy")
        if kind == "specs-xy":
            # Of two regions of a name only the later is kept: the first and the fourth of the file are missing.
            number += 1 if number < 2 else 2
            found[f"{number}/{'scan_intensity' if values.shape[1] > 1 else 'intensity'}"] = plain(values)
        else:
            found[f"{number}/intensity"] = plain(values)
        if energy is not None:
            ours = "kinetic_energy" if kind == "vamas" else "binding_energy"
            found[f"{number}/{ours}"] = (energy.values, "eV")
    return found


def plain(values):
    for dimension in (1, 0):
        if values.shape[dimension] == 1:
            values = values.squeeze(dimension)
    return values
