"""Features of molecules written as SMILES, by RDKit (extra ``smiles``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zairyo.tables._base import Floats, TableError, listed, needs

if TYPE_CHECKING:
    from zairyo.tables.features import Part
    from zairyo.tables.table import Table

DEFAULT_SMILES = ("descriptors", "fingerprint")
_RADIUS = 2
_FOLDED = 2048
#: Title, unit and RDKit's function in ``rdMolDescriptors`` (or ``Crippen``).
_DESCRIPTORS = (
    ("molar mass", "g/mol", "CalcExactMolWt"),
    ("log P (Crippen)", "", "CalcCrippenDescriptors"),
    ("polar surface", "angstrom**2", "CalcTPSA"),
    ("hydrogen-bond donors", "", "CalcNumHBD"),
    ("hydrogen-bond acceptors", "", "CalcNumHBA"),
    ("rotatable bonds", "", "CalcNumRotatableBonds"),
    ("rings", "", "CalcNumRings"),
    ("aromatic rings", "", "CalcNumAromaticRings"),
    ("share of sp3 carbon", "", "CalcFractionCSP3"),
    ("heavy atoms", "", "CalcNumHeavyAtoms"),
)


@lru_cache(maxsize=4096)
def molecule(smiles: str) -> Any:
    """RDKit's molecule.

    Raises
    ------
    TableError
        RDKit is not installed, or it is no SMILES of a possible molecule.
    """
    try:
        from rdkit import Chem, rdBase
    except ImportError:
        raise needs("RDKit", "smiles", "reading SMILES") from None
    with rdBase.BlockLogs():
        found = Chem.MolFromSmiles(smiles)
    if found is None or not found.GetNumAtoms():
        raise TableError(f"{smiles!r} is not a SMILES of a possible molecule")
    return found


def canonical(smiles: str) -> str:
    """The one SMILES that RDKit writes for a molecule, however it was written.

    Raises
    ------
    TableError
        As :func:`molecule`.
    """
    from rdkit import Chem

    return str(Chem.MolToSmiles(molecule(smiles)))


def smiles_maker(table: Table, name: str, wanted: Sequence[str]) -> Part:
    """The part for a column of SMILES; of the fingerprint, only fragments that the table's molecules differ in.

    Raises
    ------
    TableError
        RDKit is not installed; or a cell is no SMILES, and the message says which.
    """
    from zairyo.tables.features import Part

    if unknown := sorted(set(wanted) - set(DEFAULT_SMILES)):
        raise TableError(
            f"there are no features {listed(unknown)} of SMILES; there are descriptors, fingerprint, levels"
        )
    _, distinct = _checked(table, name)
    names: list[str] = []
    units: list[str | None] = []
    bits = np.zeros(0, np.int64)
    if "descriptors" in wanted:
        names += [f"{name}: {title}" for title, _, _ in _DESCRIPTORS]
        units += [unit for _, unit, _ in _DESCRIPTORS]
    if "fingerprint" in wanted:
        counts = _fingerprints(distinct)
        bits = np.flatnonzero(np.ptp(counts, axis=0)) if len(counts) else bits
        names += [f"{name}: fragment {b}" for b in bits]
        units += [""] * len(bits)

    make = partial(_of_molecules, name=name, wanted=tuple(wanted), bits=bits)
    return Part("molecule", name, tuple(names), tuple(units), make)


def _of_molecules(table: Table, name: str, wanted: tuple[str, ...], bits: NDArray[np.int64]) -> Floats:
    codes, texts = _checked(table, name)
    parts = [_physical(texts)] if "descriptors" in wanted else []
    if "fingerprint" in wanted:
        parts.append(_fingerprints(texts)[:, bits])
    numbers = np.concatenate(parts, axis=1)
    result: Floats = np.vstack([numbers, np.full((1, numbers.shape[1]), np.nan)])[codes]
    return result


def _checked(table: Table, name: str) -> tuple[Any, tuple[str, ...]]:
    """Codes and texts that are used; every one a SMILES."""
    codes, distinct = table.codes(name)
    used = np.unique(codes[codes >= 0])
    problems = []
    for code in used:
        try:
            molecule(distinct[code])
        except TableError as e:
            if "installed" in str(e):
                raise
            row = int(table.rows[np.flatnonzero(codes == code)[0]])
            problems.append(f"{table.where(row, name)}: {e}; correct it, or make the column a category")
    if problems:
        raise TableError(*problems)
    translate = np.full(len(distinct) + 1, -1, np.int64)
    translate[used] = np.arange(len(used))
    return translate[codes], tuple(distinct[i] for i in used)


@lru_cache(maxsize=4096)
def _physical_of(text: str) -> tuple[float, ...]:
    from rdkit.Chem import rdMolDescriptors

    values = (getattr(rdMolDescriptors, function)(molecule(text)) for _, _, function in _DESCRIPTORS)
    return tuple(float(v[0] if isinstance(v, tuple) else v) for v in values)


def _physical(texts: Sequence[str]) -> Floats:
    return np.array([_physical_of(t) for t in texts], np.float64).reshape(len(texts), len(_DESCRIPTORS))


@lru_cache(maxsize=4096)
def _fingerprint_of(text: str) -> NDArray[np.uint32]:
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=_RADIUS, fpSize=_FOLDED)
    found: NDArray[np.uint32] = generator.GetCountFingerprintAsNumPy(molecule(text))
    return found


def _fingerprints(texts: Sequence[str]) -> Floats:
    """How often each fragment of up to radius 2 occurs (Morgan), folded to 2048; shape (k, 2048)."""
    return np.array([_fingerprint_of(t) for t in texts], np.float64).reshape(len(texts), _FOLDED)
