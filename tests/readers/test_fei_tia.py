"""FEI TIA: what a microscopist would lose if the reader were wrong."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.fei_tia import READER

FOLDER = "fei-tia"
MAP = "16x16-diffraction_imagel_5x5x256x256_EDS"


def read(*paths: Path) -> Measurement:
    src = RawInput(paths[0], paths if len(paths) > 1 else ())
    assert READER.sniff(src) == CERTAIN
    return READER.read(src)


# --- real files; the series' values are those of rosettasciio 0.15.0, which reads no .emi without its .ser --


def test_a_map_with_its_document(instruments: Path) -> None:
    folder = instruments / FOLDER
    m = read(folder / f"{MAP}.emi", folder / f"{MAP}_1.ser")
    e = m[0]
    assert (e.technique, e.title) == ("eds", "EDX Spectrum image")
    assert e.signal.axes == ("y", "x", "energy")
    assert e.signal.values.shape == (5, 5, 4000)
    assert (e.signal.values.sum(), e.signal.values.max(), e.signal.unit) == (23, 1, "counts")
    assert e["energy"].values[[0, 1, -1]].tolist() == [0, 5, 19995]
    assert e["energy"].unit == "eV"
    assert np.diff(e["x"].values) == pytest.approx(1.873900423719105)
    assert np.diff(e["y"].values) == pytest.approx(-1.873900423719105)
    assert (e["x"].unit, e["y"].unit) == ("nm", "nm")
    # where the beam stood, as the tags of the elements say
    assert (e["x"].values[0], e["y"].values[0]) == pytest.approx((-1.79173497, 2.15177926))
    c = e.conditions
    assert c["accelerating_voltage"] == Quantity(200.0, "kV")
    assert c["camera_length"] == Quantity(0.26, "m")
    assert c["magnification"] == Quantity(115000.0, "")
    assert c["exposure_time"] == Quantity(0.05, "s")
    assert c["stage_x"] == Quantity(0.15, "um")
    assert c["operating_mode"] == Quantity("STEM nP SA Zoom Diffraction")
    assert e.original_metadata["Manufacturer"] == "FEI-Edx"
    assert (m.operator, m.instrument) == ("ERIC", "TalosF200X 200 kV D6308 XTwin")
    assert str(m.started) == "2016-02-22 19:20:24"
    assert "EDS_2.ser" in m.warnings[0]
    assert "EDS_1.ser" not in m.warnings[0]


def test_what_only_the_document_holds(instruments: Path) -> None:
    """The survey image, the diffraction pattern on the screen, the detectors' signals at each place."""
    m = read(instruments / FOLDER / f"{MAP}.emi")
    assert [e.name for e in m.entries][:5] == [
        "spectrum_image_scanning",
        "edx_spectrum_image",
        "ccd_spectrum_image",
        "stem_bf",
        "stem_haadf",
    ]
    assert m["spectrum_image_scanning"].signal.values.sum() == 645135
    assert m["spectrum_image_scanning"].conditions["dwell_time"] == Quantity(5.0, "us")
    pattern = m["ccd_spectrum_image"]
    assert (pattern.technique, pattern["k_x"].unit) == ("electron_diffraction", "1/nm")
    assert (pattern.signal.values.shape, pattern.signal.values.max()) == ((256, 256), 492)
    assert m["stem_haadf"].technique == "stem"
    assert m["stem_haadf"]["x"].values[0] == pytest.approx(-2.7286851880611365)
    assert m["stem_haadf"]["y"].values[-1] == pytest.approx(-6.280772639119873)


def test_documents_without_their_series(instruments: Path) -> None:
    (e,) = (m := read(instruments / FOLDER / "128x128-TEM_search.emi")).entries
    assert (e.technique, e.signal.values.shape, e.signal.values.sum()) == ("tem", (128, 128), 169637782)
    assert e["x"].values[1] - e["x"].values[0] == pytest.approx(5.261214205047081)
    assert "128x128-TEM_search_1.ser" in m.warnings[0]
    assert e.conditions["exposure_time"] == Quantity(0.1, "s")
    assert e.conditions["detector"] == Quantity("BM-Ceta")
    (e,) = read(instruments / FOLDER / "128x128x5-diffraction_preview.emi").entries
    assert (e.technique, e.signal.values.max()) == ("electron_diffraction", 1317)
    assert e["k_y"].values[-1] == pytest.approx(-2.7177046152139455)


def test_a_series_without_its_document(instruments: Path) -> None:
    m = read(instruments / FOLDER / "128x128_TEM_acquire-sum1_1.ser")
    e = m[0]
    assert (e.technique, e.signal.values.shape) == ("tem", (128, 128))
    assert (e.signal.values.sum(), e.signal.values.max(), e.signal.values.min()) == (464056, 482, -473)
    assert e.signal.values[0, 0] == 64
    assert e["x"].values[1] - e["x"].values[0] == pytest.approx(21.479317511461325)
    assert "emi" in m.warnings[0]
    e = read(instruments / FOLDER / f"{MAP}_1.ser")[0]
    assert (e.technique, e.signal.values.sum()) == ("eds", 23)


@pytest.mark.parametrize("name", [f"{MAP}.emi", f"{MAP}_1.ser", "128x128-TEM_search.emi"])
def test_damaged_files(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    assert 19 not in broken_files.cut(READER, data, tmp_path / name)
    broken_files.damage(READER, data, tmp_path / name, within=600)


# --- what no real file here shows ----------------------------------------------------------------------------


def element(values: np.ndarray, *calibrations: tuple[float, float, int]) -> bytes:
    code = {"u1": 1, "u2": 2, "i4": 6, "f4": 7, "c8": 9}[values.dtype.str[1:]]
    head = b"".join(struct.pack("<ddi", *c) for c in calibrations)
    return head + struct.pack(f"<h{values.ndim}i", code, *reversed(values.shape)) + values.tobytes()


def dimension(size: int, offset: float, step: float, text: str, unit: str) -> bytes:
    return struct.pack("<iddi", size, offset, step, 0) + b"".join(
        struct.pack("<i", len(t)) + t.encode() for t in (text, unit)
    )


def series(
    elements: list[bytes],
    dimensions: list[bytes],
    kind: int,
    *,
    total: int | None = None,
    places: list[tuple[float, float]] | None = None,
    wide: bool = True,
    padding: int = 0,
) -> bytes:
    total = total or len(elements)
    letter, version = ("q", 0x220) if wide else ("i", 0x210)
    at = 22 + struct.calcsize(letter) + 4 + sum(map(len, dimensions))
    start = at + 2 * total * struct.calcsize(letter)
    offsets, tags, body = [], [], b""
    for i, e in enumerate(elements):
        offsets.append(start + len(body))
        body += e
        tags.append(start + len(body))
        body += struct.pack("<ii", 0x4142 if places else 0x4152, 1_000_000_000 + 2 * i)
        body += struct.pack("<dd", *places[i]) if places else b""
        body += b"\0" * padding * (i % 3)
    fill = [0] * (total - len(elements))
    head = struct.pack(
        "<4sHiiii",
        b"II\x97\x01",
        version,
        kind,
        0x4142 if places else 0x4152,
        total,
        len(elements),
    )
    table = struct.pack(f"<{2 * total}{letter}", *offsets, *fill, *tags, *fill)
    return (
        head
        + struct.pack("<" + letter, at)
        + struct.pack("<i", len(dimensions))
        + b"".join(dimensions)
        + table
        + body
    )


@pytest.mark.parametrize(("wide", "padding"), [(True, 0), (False, 0), (True, 3)])
def test_scanned_diffraction(tmp_path: Path, wide: bool, padding: int) -> None:
    """4D-STEM, in old and new places, evenly spaced in the file or not: every pattern at its place."""
    patterns = np.arange(6 * 20, dtype="u2").reshape(6, 4, 5)
    places = [(1e-9 * (x + 0.5), -2e-9 * (y + 0.5)) for y in range(2) for x in range(3)]
    data = series(
        [element(p, (-2e9, 1e9, 0), (0.0, 1e9, 1)) for p in patterns],
        [dimension(3, 0, 1e-9, "Position", "meters"), dimension(2, 0, -2e-9, "Position", "meters")],
        0x4122,
        places=places,
        wide=wide,
        padding=padding,
    )
    (tmp_path / "a_1.ser").write_bytes(data)
    e = read(tmp_path / "a_1.ser")[0]
    assert (e.technique, e.signal.axes) == ("stem_4d", ("y", "x", "k_y", "k_x"))
    np.testing.assert_array_equal(e.signal.values, patterns.reshape(2, 3, 4, 5)[:, :, ::-1])  # stored upwards
    assert e["x"].values == pytest.approx([0.5, 1.5, 2.5])
    assert e["y"].values == pytest.approx([-1, -3])
    assert e["k_x"].values == pytest.approx([-2, -1, 0, 1, 2])
    assert e["k_y"].values == pytest.approx([2, 1, 0, -1])  # the calibration is of element 1


def test_line_scan_of_loss_spectra_keeps_where_and_when(tmp_path: Path) -> None:
    spectra = np.arange(3 * 8, dtype="f4").reshape(3, 8)
    data = series(
        [element(s, (-10.0, 0.5, 0)) for s in spectra],
        [dimension(3, 0, 5e-9, "Position", "meters")],
        0x4120,
        places=[(3e-9 * i, 4e-9 * i) for i in range(3)],
    )
    (tmp_path / "a_1.ser").write_bytes(data)
    e = read(tmp_path / "a_1.ser")[0]
    assert (e.technique, e.signal.axes) == ("eels", ("distance", "energy_loss"))
    assert e["energy_loss"].values[[0, -1]].tolist() == [-10, -6.5]
    assert e["distance"].values == pytest.approx([0, 5, 10])
    assert (e["x"].values, e["y"].values) == (pytest.approx([0, 3, 6]), pytest.approx([0, 4, 8]))
    assert e["time"].values.tolist() == [0, 2, 4]
    assert e.started is not None


def test_frames_of_a_stopped_acquisition(tmp_path: Path) -> None:
    frames = np.arange(2 * 6, dtype="i4").reshape(2, 2, 3)
    elements = [element(f, (0, 1e-9, 0), (0, 1e-9, 0)) for f in frames]
    (tmp_path / "a_1.ser").write_bytes(series(elements, [dimension(5, 0, 1, "Number", "")], 0x4122, total=5))
    m = read(tmp_path / "a_1.ser")
    assert m[0].signal.axes == ("frame", "y", "x")
    np.testing.assert_array_equal(m[0].signal.values, frames[:, ::-1])
    assert "2 of 5" in m.warnings[1]


def test_a_stopped_map_keeps_its_whole_rows(tmp_path: Path) -> None:
    spectra = np.arange(5 * 4, dtype="u1").reshape(5, 4)
    two = [dimension(2, 0, 1e-9, "Position", "meters"), dimension(4, 0, 1e-9, "Position", "meters")]
    elements = [element(s, (0, 10, 0)) for s in spectra]
    (tmp_path / "a_1.ser").write_bytes(series(elements, two, 0x4120, total=8))
    m = read(tmp_path / "a_1.ser")
    np.testing.assert_array_equal(m[0].signal.values, spectra[:4].reshape(2, 2, 4))
    assert "5 of 8" in m.warnings[1]


def test_elements_of_different_sizes_are_refused(tmp_path: Path) -> None:
    elements = [element(np.zeros(n, "u1"), (0, 10, 0)) for n in (4, 5)]
    (tmp_path / "a_1.ser").write_bytes(series(elements, [dimension(2, 0, 1, "Number", "")], 0x4120))
    with pytest.raises(ReadError, match=r"element 2 .* another size"):
        read(tmp_path / "a_1.ser")


def test_a_count_larger_than_the_file_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    data = bytearray(series([element(np.zeros(4, "u1"), (0, 10, 0))], [], 0x4120))
    at = data.rindex(struct.pack("<hi", 1, 4))
    data[at : at + 6] = struct.pack("<hi", 1, 2**31 - 1)
    (tmp_path / "a_1.ser").write_bytes(data)
    with pytest.raises(ReadError, match="cut off or damaged"):
        read(tmp_path / "a_1.ser")


def record(code: int, number: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", code, number) + content


def words(number: int, value: str) -> bytes:
    return record(0x60, number, struct.pack("<I", len(value)) + value.encode())


def document(*inner: bytes, after: bytes = b"\0\0") -> bytes:
    return b"JK\0\2\0\0\0\0" + record(0x4D04, 1) + words(0x100, "Doc") + b"".join(inner) + after


def profile(name: str, space: str, info: str, values: np.ndarray, ser: str = "") -> bytes:
    content = struct.pack("<I", len(values)) + values.astype("<u4").tobytes()
    calibration = record(0x41, 0x100, struct.pack("<d", -3.0)) + record(0x41, 0x120, struct.pack("<d", 0.25))
    return (
        record(0x4700, 0x610)
        + words(0x100, name)
        + record(0x20, 0x200, b"\3")
        + record(0x210A, 0x202, struct.pack("<I", len(content)) + content)
        + record(0x4100, 0x300)
        + calibration
        + b"\0\0"
        + words(0x400, space)
        + words(0x440, ser)
        + words(0x419, info)
        + b"\0\0"
    )


def test_a_renamed_set_still_belongs_together(tmp_path: Path) -> None:
    """The document names D:\\old_2.ser; the laboratory renamed the files."""
    info = "<ObjectInfo><Uuid>1</Uuid><Manufacturer>Gatan EELS</Manufacturer></ObjectInfo>"
    values = np.arange(6)
    (tmp_path / "new.emi").write_bytes(document(profile("Loss", "EELS", info, values, "D:\\old_2.ser")))
    (tmp_path / "new_2.ser").write_bytes(
        series([element(np.arange(4, dtype="f4"), (-1, 0.5, 0))], [], 0x4120)
    )
    names = ("new.emi", "new_2.ser", "newer_1.ser", "other.emi")
    assert list(READER.sets(names)) == [("new.emi", "new_2.ser")]  # type: ignore[misc]
    m = read(tmp_path / "new.emi", tmp_path / "new_2.ser")
    (e,) = m.entries
    assert (e.technique, e.title, e.signal.values.tolist()) == ("eels", "Loss", [0, 1, 2, 3])
    assert m.warnings == ()
    (alone,) = read(tmp_path / "new.emi").entries
    assert alone["energy_loss"].values.tolist() == [-3, -2.75, -2.5, -2.25, -2, -1.75]


def test_unknown_records_cost_what_follows_them_only(tmp_path: Path) -> None:
    info = "<ObjectInfo><Uuid>1</Uuid></ObjectInfo>"
    strange = record(0x99, 0x1) + b"12345678"
    (tmp_path / "a.emi").write_bytes(document(profile("P", "EDX", info, np.arange(3)), after=strange))
    m = read(tmp_path / "a.emi")
    assert m[0].signal.values.tolist() == [0, 1, 2]
    assert "unknown kind" in m.warnings[0]


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.emi").write_bytes(b"JK, a text\n")
    (tmp_path / "a.ser").write_bytes(b"II*\0 a tiff")
    assert READER.sniff(RawInput(tmp_path / "a.emi")) == NO
    assert READER.sniff(RawInput(tmp_path / "a.ser")) == NO
    assert READER.sniff(RawInput(tmp_path)) == NO
