"""Feature tables: rows are samples, columns their composition, process, measured descriptors and properties.

    from zairyo.tables import Table

    table = Table.read("alloys.csv", roles={"property": "hardness"})
    table.schema                 # what was understood; correct it, save it, read with it again
    X = table.features()         # numbers to learn from, with names and units

Each cell knows where it came from, each row what became of its sample.
"""

from zairyo.tables._base import TableError
from zairyo.tables._cells import STATES
from zairyo.tables._store import Origin, Source
from zairyo.tables.composition import Composition, parse
from zairyo.tables.features import Block, Features, Plan
from zairyo.tables.schema import KINDS, ROLES, Column, Mixture, Schema
from zairyo.tables.table import Table

__all__ = [
    "KINDS",
    "ROLES",
    "STATES",
    "Block",
    "Column",
    "Composition",
    "Features",
    "Mixture",
    "Origin",
    "Plan",
    "Schema",
    "Source",
    "Table",
    "TableError",
    "parse",
]
