"""The chemical elements: symbols, atomic weights and the properties that features are made of.

The numbers are those that the package ``mendeleev`` carries (extra ``learn``), with its sources. They are read
from its database directly, in milliseconds; importing it would load SQLAlchemy and pandas first.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from zairyo.tables._base import Floats, TableError, listed, needs


@dataclass(frozen=True)
class Property:
    """A property of the elements.

    Attributes
    ----------
    name, title, unit
        As features name it, for people, and as Pint spells it (``""`` for plain numbers).
    source
        Where the values are from.
    column
        SQL over mendeleev's table ``elements``; empty for what is derived here.
    """

    name: str
    title: str
    unit: str
    source: str
    column: str = ""


#: What can be asked for; those that nearly every element has are used unless others are chosen.
PROPERTIES = {
    p.name: p
    for p in (
        Property("atomic_number", "Atomic number", "", "", "atomic_number"),
        Property("atomic_weight", "Atomic weight", "g/mol", "IUPAC", "atomic_weight"),
        Property("period", "Period", "", "", "period"),
        Property("mendeleev_number", "Mendeleev number", "", "Villars et al. 2004", "mendeleev_number"),
        Property("atomic_radius", "Atomic radius", "pm", "Slater 1964", "atomic_radius"),
        Property("covalent_radius", "Covalent radius", "pm", "Pyykkö 2009", "covalent_radius_pyykko"),
        Property("electronegativity", "Electronegativity", "", "Pauling's scale", "en_pauling"),
        Property(
            "first_ionisation_energy",
            "First ionisation energy",
            "eV",
            "NIST",
            "(SELECT ionization_energy FROM ionizationenergies AS i "
            "WHERE i.atomic_number = elements.atomic_number AND ion_charge = 0)",
        ),
        Property(
            "polarisability", "Dipole polarisability", "bohr**3", "Schwerdtfeger 2023", "dipole_polarizability"
        ),
        Property("valence_electrons", "Valence electrons", "", "electron configuration"),
        Property(
            "melting_point",
            "Melting point (triple point where it sublimes)",
            "K",
            "CRC Handbook 2016",
            "(SELECT max(coalesce(melting_point, triple_point_temperature)) FROM phasetransitions AS t "
            "WHERE t.atomic_number = elements.atomic_number)",
        ),
        Property("density", "Density at 295 K", "g/cm**3", "CRC Handbook 2014", "density"),
        Property(
            "atomisation_enthalpy", "Enthalpy of the gaseous atom", "kJ/mol", "CRC Handbook 2014", "heat_of_formation"
        ),
        Property("electron_affinity", "Electron affinity", "eV", "CRC Handbook 2014", "electron_affinity"),
        Property("metallic_radius", "Metallic radius, 12 neighbours", "pm", "mendeleev", "metallic_radius_c12"),
        Property("vdw_radius", "Van der Waals radius", "pm", "mendeleev", "vdw_radius"),
        Property("molar_heat_capacity", "Molar heat capacity", "J/(mol*K)", "CRC Handbook 2014", "molar_heat_capacity"),
        Property("thermal_conductivity", "Thermal conductivity", "W/(m*K)", "mendeleev", "thermal_conductivity"),
        Property("price", "Price per kilogram", "USD/kg", "mendeleev", "price_per_kg"),
    )
}  # fmt: skip
#: Used unless others are chosen: known of nearly every element that solids are made of.
DEFAULT_PROPERTIES = tuple(PROPERTIES)[:13]


@dataclass(frozen=True)
class Elements:
    """The table: ``symbols`` in the order of their atomic numbers, and an array a property, NaN where unknown."""

    symbols: tuple[str, ...]
    index: dict[str, int]
    values: dict[str, Floats]

    @property
    def weights(self) -> Floats:
        """Atomic weights in g/mol."""
        return self.values["atomic_weight"]

    def property(self, name: str) -> Floats:
        """A property of every element, shape (118,).

        Raises
        ------
        TableError
            There is no such property.
        """
        if name not in self.values:
            raise TableError(
                f"there is no element property {name!r}; there are {listed(list(PROPERTIES), 99)}"
            )
        return self.values[name]

    def positions(self, symbols: tuple[str, ...]) -> list[int]:
        return [self.index[s] for s in symbols]


@cache
def elements() -> Elements:
    """The table of elements; read once a process.

    Raises
    ------
    TableError
        ``mendeleev`` is not installed, or its database is not as expected.
    """
    spec = find_spec("mendeleev")
    if spec is None or not spec.submodule_search_locations:
        raise needs("mendeleev", "learn", "the table of elements")
    path = Path(spec.submodule_search_locations[0]) / "elements.db"
    stored = {p.name: p.column for p in PROPERTIES.values() if p.column}
    wanted = ", ".join(("symbol", "electronic_configuration", *stored.values()))
    query = f"SELECT {wanted} FROM elements ORDER BY atomic_number"  # noqa: S608
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            rows = database.execute(query).fetchall()
    except sqlite3.Error as e:
        raise TableError(f"the table of elements in {path} cannot be read ({e}); reinstall mendeleev") from e
    symbols = tuple(row[0] for row in rows)
    values = {
        name: np.array([np.nan if row[i] is None else row[i] for row in rows], np.float64)
        for i, name in enumerate(stored, 2)
    }
    values["valence_electrons"] = np.array([_valence_electrons(row[1]) for row in rows], np.float64)
    return Elements(symbols, {s: i for i, s in enumerate(symbols)}, {n: values[n] for n in PROPERTIES})


def _valence_electrons(configuration: str) -> int:
    """Electrons outside the noble gas, without f electrons and without the d shell below p electrons.

    As for the valence electron concentration of alloys (Guo et al., J. Appl. Phys. 109 (2011) 103505): Fe 8,
    Zn 12, Ga 3.
    """
    counts = dict.fromkeys("spdf", 0)
    for shell, number in re.findall(r"\d([spdf])(\d*)", configuration.partition("]")[2] or configuration):
        counts[shell] += int(number or 1)
    return counts["s"] + (counts["p"] or counts["d"])
