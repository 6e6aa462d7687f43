"""TDMS: a user would lose channels, their scales or their times, or read a stopped recording as damaged."""

from __future__ import annotations

import struct
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.ni_tdms import READER

RAW, NEW, META, INTERLEAVED, BIG, DAQMX = 8, 4, 2, 32, 64, 128
CODES = {
    "i1": 1,
    "i2": 2,
    "i4": 3,
    "i8": 4,
    "u1": 5,
    "u2": 6,
    "u4": 7,
    "u8": 8,
    "f4": 9,
    "f8": 10,
    "b1": 0x21,
}
NEVER = 0xFFFF_FFFF_FFFF_FFFF


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


# --- a writer of TDMS, from NI's page -----------------------------------------------------------------------------


def text(value: str, order: str) -> bytes:
    data = value.encode()
    return struct.pack(order + "I", len(data)) + data


def stamp(value: datetime, order: str) -> bytes:
    since = value - datetime(1904, 1, 1, tzinfo=UTC)
    seconds, fraction = since.days * 86400 + since.seconds, int(since.microseconds / 1e6 * 2**64)
    return struct.pack("<Qq", fraction, seconds) if order == "<" else struct.pack(">qQ", seconds, fraction)


def prop(name: str, value: Any, order: str) -> bytes:
    head = text(name, order)
    if isinstance(value, bool):
        return head + struct.pack(order + "I?", 0x21, value)
    if isinstance(value, int):
        return (
            head + struct.pack(order + "Ii", 3, value)
            if value < 2**31
            else head + struct.pack(order + "II", 7, value)
        )
    if isinstance(value, float):
        return head + struct.pack(order + "Id", 10, value)
    if isinstance(value, datetime):
        return head + struct.pack(order + "I", 0x44) + stamp(value, order)
    return head + struct.pack(order + "I", 0x20) + text(value, order)


def thing(path: str, index: bytes, properties: dict[str, Any], order: str = "<") -> bytes:
    body = text(path, order) + index + struct.pack(order + "I", len(properties))
    return body + b"".join(prop(k, v, order) for k, v in properties.items())


def numbers(kind: str, count: int, order: str = "<") -> bytes:
    return struct.pack(order + "IIIQ", 20, CODES[kind], 1, count)


NOTHING, SAME = struct.pack("<I", 0xFFFFFFFF), struct.pack("<I", 0)


def segment(
    objects: list[bytes], raw: bytes, flags: int = META | NEW | RAW, *, stopped: bool = False
) -> bytes:
    order = ">" if flags & BIG else "<"
    meta = struct.pack(order + "I", len(objects)) + b"".join(objects) if flags & META else b""
    following = NEVER if stopped else len(meta) + len(raw)
    return (
        b"TDSm"
        + struct.pack("<I", flags)
        + struct.pack(order + "IQQ", 4713, following, len(meta))
        + meta
        + raw
    )


def written(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path


# --- real files ---------------------------------------------------------------------------------------------------


def test_real_digital_lines(instruments: Path) -> None:
    # npTDMS 1.13.0 agrees to the last value.
    source = RawInput(instruments / "ni-tdms" / "Digital_Input.tdms")
    assert READER.sniff(source) == CERTAIN
    m = read(source.path)
    assert [len(e.signal.values) for e in m.entries] == [20000, 400, 8]
    first = m[m.default]
    assert first.signal.values.dtype == np.uint8
    assert int(first.signal.values.sum(dtype=np.int64)) == 10000
    assert first["time"].values[[0, -1]] == pytest.approx([0, 9.9995])
    assert first["time"].unit == "s"
    assert first.started == datetime(2012, 7, 9, 23, 58, 24, 593733, tzinfo=UTC)
    assert first.conditions["sampling_interval"].value == 0.0005
    assert m.original_metadata["file"]["TimeZone"] == "Central Daylight Time"
    assert not m.warnings


def test_real_big_endian_waveforms(instruments: Path) -> None:
    m = read(instruments / "ni-tdms" / "big_endian.tdms")
    (entry,) = m.entries
    assert [s.name for s in entry.signals] == ["amplitude_sweep", "phase_sweep"]
    assert entry["amplitude_sweep"].values[-1] == pytest.approx(5.06798657, rel=1e-8)
    assert entry["amplitude_sweep"].values.sum() == pytest.approx(AMPLITUDE_SUM, rel=1e-9)
    assert entry["phase_sweep"].values[1] == pytest.approx(0.06341759, rel=1e-6)
    assert entry["time"].values[-1] == pytest.approx(3.499)
    assert entry.started is None, "1904 is LabVIEW's way to say that there is no time"


AMPLITUDE_SUM = 92.4168263064218


# --- the format ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", CODES)
def test_every_number_in_both_byte_orders(tmp_path: Path, kind: str, order: str) -> None:
    values = np.array([0, 1, 1, 0, 1] if kind == "b1" else [0, 1, 2, 100, 7]).astype(kind)
    raw = values.astype(np.dtype(kind).newbyteorder(order)).tobytes()
    part = thing("/'g'/'c'", numbers(kind, 5, order), {"unit_string": "mV"}, order)
    flags = META | NEW | RAW | (BIG if order == ">" else 0)
    entry = read(written(tmp_path / "a.tdms", segment([part], raw, flags)))[0]
    assert entry["c"].values.tolist() == values.tolist()
    assert entry["c"].unit == "mV"
    assert entry["index"].values.tolist() == [0, 1, 2, 3, 4]


def test_segments_say_only_what_changes(tmp_path: Path) -> None:
    a, b = np.arange(4.0), np.arange(4, dtype="i4") * 10
    first = segment(
        [
            thing("/", NOTHING, {"name": "run 7"}),
            thing("/'g'", NOTHING, {"Sensor": "A"}),
            thing("/'g'/'a'", numbers("f8", 2), {"unit_string": "Volts"}),
            thing("/'g'/'b'", numbers("i4", 2), {}),
        ],
        a[:2].tobytes() + b[:2].tobytes(),
    )
    again = segment([], a[2:].tobytes() + b[2:].tobytes(), RAW)  # nothing changed, no metadata
    one = segment([thing("/'g'/'a'", NOTHING, {"gain": 2.5})], b[:2].tobytes(), META | RAW)
    both = segment([thing("/'g'/'a'", SAME, {})], a[:2].tobytes() + b[:2].tobytes(), META | RAW)
    m = read(written(tmp_path / "a.tdms", first, again, one, both))
    by_name = {s.name: s for e in m.entries for s in e.signals}
    assert by_name["a"].values.tolist() == [0, 1, 2, 3, 0, 1]
    assert by_name["b"].values.tolist() == [0, 10, 20, 30, 0, 10, 0, 10]
    assert by_name["a"].unit == "V"
    assert m.title == "run 7"
    assert m[0].original_metadata["channels"]["a"]["gain"] == 2.5


def test_large_files_give_the_same_as_small_ones(tmp_path: Path) -> None:
    """Small files are read, large ones mapped; neither may leave the values in the file."""
    values = np.arange(200_000, dtype=">f8")
    data = segment([thing("/'g'/'a'", numbers("f8", len(values), ">"), {"unit_string": "V"}, ">")],
                   values.tobytes(), META | NEW | RAW | BIG)  # fmt: skip
    path = written(tmp_path / "a.tdms", data)
    assert path.stat().st_size > 2**20
    signal = read(path)[0].signal
    path.write_bytes(bytes(len(data)))
    np.testing.assert_array_equal(signal.values, values.astype(float))
    assert signal.unit == "V"


def test_a_segment_holds_several_chunks(tmp_path: Path) -> None:
    a, b = np.arange(6.0), np.arange(6.0) * -1
    raw = b"".join(a[i : i + 2].tobytes() + b[i : i + 2].tobytes() for i in (0, 2, 4))
    objects = [thing("/'g'/'a'", numbers("f8", 2), {}), thing("/'g'/'b'", numbers("f8", 2), {})]
    entry = read(written(tmp_path / "a.tdms", segment(objects, raw)))[0]
    assert entry["a"].values.tolist() == a.tolist()
    assert entry["b"].values.tolist() == b.tolist()


def test_interleaved_rows(tmp_path: Path) -> None:
    rows = np.zeros(5, dtype=[("a", "<f8"), ("b", "<i2")])
    rows["a"], rows["b"] = np.linspace(0, 1, 5), np.arange(5) - 2
    objects = [thing("/'g'/'a'", numbers("f8", 5), {}), thing("/'g'/'b'", numbers("i2", 5), {})]
    entry = read(
        written(tmp_path / "a.tdms", segment(objects, rows.tobytes(), META | NEW | RAW | INTERLEAVED))
    )[0]
    assert entry["a"].values.tolist() == rows["a"].tolist()
    assert entry["b"].values.tolist() == rows["b"].tolist()


@pytest.mark.parametrize("order", ["<", ">"])
def test_texts_and_times(tmp_path: Path, order: str) -> None:
    words = ["weld", "", "溶接 2"]
    data = [w.encode() for w in words]
    ends = np.cumsum([len(d) for d in data]).astype(order + "u4").tobytes()
    raw = ends + b"".join(data)
    times = [datetime(2024, 5, 1, 12, 0, s, 250000, tzinfo=UTC) for s in range(3)]
    raw += b"".join(stamp(t, order) for t in times) + np.arange(3.0).astype(order + "f8").tobytes()
    size = struct.pack(order + "IIIQQ", 28, 0x20, 1, 3, len(ends) + sum(map(len, data)))
    when = struct.pack(order + "IIIQ", 20, 0x44, 1, 3)
    objects = [
        thing("/'g'/'note'", size, {}, order),
        thing("/'g'/'clock'", when, {}, order),
        thing("/'g'/'level'", numbers("f8", 3, order), {}, order),
    ]
    flags = META | NEW | RAW | (BIG if order == ">" else 0)
    entry = read(written(tmp_path / "a.tdms", segment(objects, raw, flags)))[0]
    assert entry["note"].values.tolist() == words
    assert entry["clock"].values.tolist() == [t.replace(tzinfo=None) for t in times]
    assert (entry.x, entry.default) == ("clock", "level")


def test_a_channel_of_time_is_the_x_of_a_table(tmp_path: Path) -> None:
    objects = [
        thing("/'g'/'Force'", numbers("f8", 3), {"unit_string": "kN"}),
        thing("/'g'/'Time'", numbers("f8", 3), {"unit_string": "s"}),
    ]
    raw = np.array([5.0, 6, 7, 0, 0.5, 1]).tobytes()
    entry = read(written(tmp_path / "a.tdms", segment(objects, raw)))[0]
    assert entry.is_table
    assert (entry.x, entry.default) == ("time", "force")
    assert entry["force"].unit == "kN"


def test_channels_that_share_a_clock_are_one_entry(tmp_path: Path) -> None:
    start = datetime(2023, 2, 3, 4, 5, 6, tzinfo=UTC)
    timing: dict[str, Any] = {"wf_increment": 0.25, "wf_start_offset": 1.0, "wf_start_time": start}
    objects = [
        thing("/'fast'/'a'", numbers("f8", 4), timing),
        thing("/'fast'/'b'", numbers("f8", 4), timing),
        thing("/'fast'/'time'", numbers("f8", 4), {**timing, "wf_increment": 0.5}),
    ]
    m = read(written(tmp_path / "a.tdms", segment(objects, np.arange(12.0).tobytes())))
    assert [[s.name for s in e.signals] for e in m.entries] == [["a", "b"], ["time_2"]]
    assert m[0]["time"].values.tolist() == [1, 1.25, 1.5, 1.75]
    assert m[0].started == start
    assert [e.title for e in m.entries] == ["fast", "fast"]


def test_quotes_in_names(tmp_path: Path) -> None:
    part = thing("/'Dr. T''s Events'/'a/b'", numbers("f8", 2), {})
    m = read(written(tmp_path / "a.tdms", segment([part], np.arange(2.0).tobytes())))
    assert m[0].title == "Dr. T's Events"
    assert m[0].signal.long_name == "a/b"


SCALES = {
    "linear": (
        {
            "NI_Number_Of_Scales": 1,
            "NI_Scale[0]_Scale_Type": "Linear",
            "NI_Scale[0]_Linear_Slope": 2.0,
            "NI_Scale[0]_Linear_Y_Intercept": -1.0,
            "NI_Scale[0]_Linear_Input_Source": 0xFFFFFFFF,
        },
        [-1, 1, 3, 5],
    ),
    "polynomial of a linear": (
        {
            "NI_Number_Of_Scales": 2,
            "NI_Scale[0]_Scale_Type": "Linear",
            "NI_Scale[0]_Linear_Slope": 2.0,
            "NI_Scale[0]_Linear_Y_Intercept": 0.0,
            "NI_Scale[1]_Scale_Type": "Polynomial",
            "NI_Scale[1]_Polynomial_Coefficients_Size": 3,
            "NI_Scale[1]_Polynomial_Coefficients[0]": 1.0,
            "NI_Scale[1]_Polynomial_Coefficients[1]": 0.0,
            "NI_Scale[1]_Polynomial_Coefficients[2]": 0.5,
            "NI_Scale[1]_Polynomial_Input_Source": 0,
        },
        [1, 3, 9, 19],
    ),
    "table": (
        {
            "NI_Number_Of_Scales": 1,
            "NI_Scale[0]_Scale_Type": "Table",
            "NI_Scale[0]_Table_Scaled_Values_Size": 2,
            "NI_Scale[0]_Table_Pre_Scaled_Values_Size": 2,
            "NI_Scale[0]_Table_Scaled_Values[0]": 10.0,
            "NI_Scale[0]_Table_Scaled_Values[1]": 40.0,
            "NI_Scale[0]_Table_Pre_Scaled_Values[0]": 0.0,
            "NI_Scale[0]_Table_Pre_Scaled_Values[1]": 3.0,
        },
        [10, 20, 30, 40],
    ),
    "already applied": (
        {
            "NI_Scaling_Status": "scaled",
            "NI_Number_Of_Scales": 1,
            "NI_Scale[0]_Scale_Type": "Linear",
            "NI_Scale[0]_Linear_Slope": 2.0,
            "NI_Scale[0]_Linear_Y_Intercept": -1.0,
        },
        [0, 1, 2, 3],
    ),
}


@pytest.mark.parametrize("name", SCALES)
def test_scales_are_applied(tmp_path: Path, name: str) -> None:
    properties, expected = SCALES[name]
    part = thing("/'g'/'c'", numbers("i2", 4), properties)
    m = read(written(tmp_path / "a.tdms", segment([part], np.arange(4, dtype="i2").tobytes())))
    assert m[0]["c"].values.tolist() == expected
    assert not m.warnings


@pytest.mark.parametrize(
    "properties",
    [
        {"NI_Number_Of_Scales": 1, "NI_Scale[0]_Scale_Type": "Thermocouple", "unit_string": "Deg C"},
        {"NI_Number_Of_Scales": 1, "NI_Scale[0]_Scale_Type": "Linear"},
        {
            "NI_Number_Of_Scales": 1,
            "NI_Scale[0]_Scale_Type": "AdvancedAPI",
            "NI_Scale[0]_AdvancedAPI_Input_Source": 0,
        },
        {"NI_Number_Of_Scales": 3},
    ],
)
def test_a_scale_that_is_not_read_leaves_raw_numbers_and_says_so(
    tmp_path: Path, properties: dict[str, Any]
) -> None:
    part = thing("/'g'/'c'", numbers("i2", 4), properties)
    m = read(written(tmp_path / "a.tdms", segment([part], np.arange(4, dtype="i2").tobytes())))
    assert m[0]["c"].values.tolist() == [0, 1, 2, 3]
    assert m[0]["c"].unit is None, "raw counts are not degrees"
    assert "not read" in m.warnings[0]


def daqmx_index(
    count: int, scalers: list[tuple[int, int, int, int]], widths: list[int], head: int = 0x1269
) -> bytes:
    data = struct.pack("<IIIQI", head, 0xFFFFFFFF, 1, count, len(scalers))
    form = "<IIIII" if head == 0x1269 else "<IIIBI"
    for kind, buffer, offset, scale in scalers:
        data += struct.pack(form, kind, buffer, offset, 0, scale)
    return data + struct.pack("<I", len(widths)) + struct.pack(f"<{len(widths)}I", *widths)


def linear(n: int, slope: float, source: int) -> dict[str, Any]:
    scale = f"NI_Scale[{n}]_Linear"
    return {
        f"NI_Scale[{n}]_Scale_Type": "Linear",
        f"{scale}_Slope": slope,
        f"{scale}_Y_Intercept": 0.5,
        f"{scale}_Input_Source": source,
    }


def test_daqmx_data_of_two_cards(tmp_path: Path) -> None:
    # Card 0: int16 and uint8 in rows of 3 bytes; card 1: int32. Two chunks of 2 rows. npTDMS 1.13.0 agrees.
    card0 = np.array([(-5, 200), (6, 201), (-7, 202), (8, 203)], dtype=[("a", "<i2"), ("b", "u1")])
    card1 = np.array([100000, -100001, 100002, -100003], dtype="<i4")
    raw = b"".join(card0[i : i + 2].tobytes() + card1[i : i + 2].tobytes() for i in (0, 2))
    objects = [
        thing(
            "/'g'/'a'",
            daqmx_index(2, [(3, 0, 0, 0)], [3, 4]),
            {"NI_Number_Of_Scales": 2, **linear(1, 0.1, 0)},
        ),
        thing("/'g'/'b'", daqmx_index(2, [(0, 0, 2, 0)], [3, 4]), {"NI_Number_Of_Scales": 1}),
        thing("/'g'/'c'", daqmx_index(2, [(5, 1, 0, 0)], [3, 4]), {"NI_Number_Of_Scales": 1}),
    ]
    entry = read(written(tmp_path / "a.tdms", segment(objects, raw, META | NEW | RAW | DAQMX)))[0]
    assert entry["a"].values == pytest.approx([0, 1.1, -0.2, 1.3])
    assert entry["b"].values.tolist() == [200, 201, 202, 203]
    assert entry["c"].values.tolist() == card1.tolist()


@pytest.mark.parametrize("head", [0x126A, 0x1369])
def test_daqmx_digital_lines(tmp_path: Path, head: int) -> None:
    objects = [
        thing("/'g'/'l0'", daqmx_index(4, [(0, 0, 0, 0)], [1], head), {"NI_Number_Of_Scales": 1}),
        thing("/'g'/'l3'", daqmx_index(4, [(0, 0, 3, 0)], [1], head), {"NI_Number_Of_Scales": 1}),
    ]
    raw = bytes([0b0000, 0b0001, 0b1000, 0b1001])
    entry = read(written(tmp_path / "a.tdms", segment(objects, raw, META | NEW | RAW | DAQMX)))[0]
    assert entry["l0"].values.tolist() == [0, 1, 0, 1]
    assert entry["l3"].values.tolist() == [0, 0, 1, 1]


# --- what goes wrong ----------------------------------------------------------------------------------------------


def test_a_stopped_recording_is_read_with_a_warning(tmp_path: Path) -> None:
    objects = [thing("/'g'/'a'", numbers("f8", 4), {}), thing("/'g'/'b'", numbers("f8", 4), {})]
    first = segment(objects, np.arange(8.0).tobytes())
    stopped = segment([], np.arange(5.0).tobytes() + b"\x01\x02", RAW, stopped=True)
    m = read(written(tmp_path / "a.tdms", first, stopped))
    by_name = {s.name: s.values.tolist() for e in m.entries for s in e.signals}
    assert by_name == {"a": [0, 1, 2, 3, 0, 1, 2, 3], "b": [4, 5, 6, 7, 4]}
    assert "not ended properly" in m.warnings[0]


def test_a_copy_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = segment([thing("/'g'/'a'", numbers("f8", 4), {})], np.arange(4.0).tobytes())
    with pytest.raises(ReadError, match="cut off"):
        read(written(tmp_path / "a.tdms", whole[:-5]))


def test_an_index_file_names_what_to_take_instead(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tdms_index", b"TDSh" + bytes(40))
    assert READER.sniff(RawInput(path)) == CERTAIN
    with pytest.raises(ReadError, match=r"ends with \.tdms"):
        read(path)


def test_the_index_beside_a_file_belongs_to_it(tmp_path: Path) -> None:
    assert READER.sets is not None
    assert list(READER.sets(("a.tdms", "a.tdms_index", "b.tdms"))) == [("a.tdms", "a.tdms_index")]
    main = written(
        tmp_path / "a.tdms", segment([thing("/'g'/'a'", numbers("f8", 2), {})], np.arange(2.0).tobytes())
    )
    index = written(tmp_path / "a.tdms_index", b"TDSh" + bytes(40))
    source = RawInput(main, (main, index))
    assert READER.sniff(source) == CERTAIN
    assert READER.read(source)[0]["a"].values.tolist() == [0, 1]


@pytest.mark.parametrize(
    "index",
    [
        struct.pack("<IIIQ", 20, 10, 1, 2**61),  # more values than the file can hold
        struct.pack("<IIIQ", 20, 0x4F, 1, 4),  # fixed point
        struct.pack("<IIIQ", 20, 0x777, 1, 4),
        struct.pack("<IIIQQ", 28, 0x20, 1, 2**40, 32),
        SAME,
        daqmx_index(2**60, [(3, 0, 0, 0)], [2**31]),
        daqmx_index(4, [(3, 5, 0, 0)], [2]),
        daqmx_index(4, [], []),
    ],
)
def test_impossible_descriptions_are_refused_or_tell(tmp_path: Path, index: bytes) -> None:
    path = written(tmp_path / "a.tdms", segment([thing("/'g'/'a'", index, {})], np.arange(4.0).tobytes()))
    with suppress(ReadError):
        assert read(path).warnings


def test_a_file_without_values_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no values"):
        read(written(tmp_path / "a.tdms", segment([thing("/", NOTHING, {})], b"", META | NEW)))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    target = tmp_path / "damaged.tdms"
    for name in ("Digital_Input.tdms", "big_endian.tdms"):
        whole = (instruments / "ni-tdms" / name).read_bytes()
        ends = [*np.linspace(0, len(whole) - 1, 20).astype(int), *range(28, 900, 60)]
        for end in ends:
            target.write_bytes(whole[:end])
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)
        for turn in range(50):
            bad = bytearray(whole)
            for at in random.integers(0, 3000 if turn % 2 else len(bad), 4):
                bad[at] = random.integers(256)
            if turn % 10 == 9:
                bad[40:] = random.bytes(len(bad) - 40)
            target.write_bytes(bytes(bad))
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)


def test_other_files_are_not_taken(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(written(tmp_path / "a.tdms", b"TDMS is a format"))) == NO
