"""If these fail, a plot lacks a peak, a table a digit, or a download a byte."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sqlalchemy import select
from tests.server.catalogue import Catalogue

from zairyo.measurement import Axis, Entry, Measurement, Signal, nexus, table
from zairyo.server import models
from zairyo.server.api.schemas import ArrayBody
from zairyo.server.arrays import Cache, DataError, extract
from zairyo.server.objects import LocalObjects

API = "/api/v1"


def numbers(body: ArrayBody | dict[str, Any]) -> Any:
    """As a client reads them."""
    body = body if isinstance(body, dict) else body.model_dump()
    return np.frombuffer(base64.b64decode(body["data"]), "<f8").reshape(body["shape"])


def line(y: Any, x: Any = None, **more: Any) -> Entry:
    """A curve."""
    y = np.asarray(y)
    x = np.arange(len(y), dtype=float) if x is None else np.asarray(x)
    return Entry("scan", "xrd", (Axis("x", x, "deg"),), (Signal("y", y, "counts", ("x",)),), **more)


def image() -> Entry:
    """A map of 3 × 4 spectra of 5 channels."""
    axes = (
        Axis("row", np.arange(3.0), "mm"),
        Axis("column", np.arange(4.0), "mm"),
        Axis("energy", np.arange(5.0)),
    )
    values = np.arange(60.0).reshape(3, 4, 5)
    height = Signal("height", np.arange(12.0).reshape(3, 4), "um", ("row", "column"))
    return Entry(
        "map", "raman", axes, (Signal("intensity", values, "counts", ("row", "column", "energy")), height)
    )


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(np.float64, st.integers(1, 300)), st.integers(10, 400))
def test_thinning_keeps_ends_and_extremes(y: Any, points: int) -> None:
    data = extract(line(y), ["x", "y"], points=points)
    x, shown = numbers(data.arrays[0]), numbers(data.arrays[1])
    assert len(x) <= points + 4
    assert data.total_points == len(y)
    assert data.decimated == (len(x) < len(y))
    assert (x[0], x[-1]) == (0, len(y) - 1)
    assert np.all(np.diff(x) > 0)
    np.testing.assert_array_equal(shown, y[x.astype(int)])
    if np.isfinite(y).any():
        assert (np.nanmin(shown), np.nanmax(shown)) == (np.nanmin(y), np.nanmax(y))


def test_a_single_spike_among_a_million_points_is_drawn() -> None:
    y = np.zeros(1_000_000)
    y[654_321], y[123_456] = 5.0, -3.0
    data = extract(line(y), ["x", "y"], points=1000)
    x, shown = (numbers(a) for a in data.arrays)
    assert len(x) < 1100
    assert {654_321.0, 123_456.0} <= set(x)
    assert (shown.max(), shown.min()) == (5.0, -3.0)


def test_of_several_curves_each_keeps_its_peaks() -> None:
    a, b = np.zeros(10_000), np.zeros(10_000)
    a[5000], b[5003] = 1, 1
    entry = Entry(
        "scan",
        "xrd",
        (Axis("x", np.arange(10_000.0)),),
        (Signal("a", a, axes=("x",)), Signal("b", b, axes=("x",))),
    )
    data = extract(entry, ["x", "a", "b"], points=100)
    assert [numbers(array).max() for array in data.arrays] == [9999, 1, 1]
    assert len({array.shape[0] for array in data.arrays}) == 1


def test_a_range_is_thinned_by_itself() -> None:
    y = np.sin(np.arange(100_000))
    whole = extract(line(y), ["x", "y"], points=1000, within=(500, 900))
    np.testing.assert_array_equal(numbers(whole.arrays[0]), np.arange(500, 901))
    assert not whole.decimated
    part = extract(line(y), ["x", "y"], points=100, within=(500, 9000))
    assert part.decimated
    assert (numbers(part.arrays[0])[0], numbers(part.arrays[0])[-1]) == (500, 9000)
    nothing = extract(line(y), ["x", "y"], points=100, within=(-5, -1))
    assert [a.shape for a in nothing.arrays] == [[0], [0]]
    loop = line([1, 2, 3, 4], x=[0.0, 1.0, 0.5, np.nan])
    np.testing.assert_array_equal(
        numbers(extract(loop, ["x", "y"], points=10, within=(0, 0.6)).arrays[1]), [1, 3]
    )


def test_numbers_come_exactly() -> None:
    y = np.array([0.1, np.nan, np.inf, -np.inf, 5e-324, -0.0, 1.7976931348623157e308])
    assert numbers(extract(line(y), ["y"], points=10).arrays[0]).tobytes() == y.tobytes()
    for dtype in ("i1", "u2", "i8", ">f4", "f2", "?"):
        values = np.array([0, 1, 1, 0], dtype)
        assert numbers(extract(line(values), ["y"], points=10).arrays[0]).tolist() == [0, 1, 1, 0]
    [shown] = extract(line([1 + 2j, -3j]), ["y"], points=10).arrays
    assert numbers(shown).tolist() == [1, 0], "the real part"


def test_times_and_texts() -> None:
    times = np.array(["2026-01-01T00:00:00.5", "NaT", "1969-12-31T23:59:59"], "datetime64[us]")
    columns = [
        Signal("t", times),
        Signal("note", np.array(["a", "β", "試料"])),
        Signal("v", np.arange(3.0), "V"),
    ]
    data = extract(table("log", "cycling", columns, x="t", default="v"), ["t", "note", "v"], points=10)
    t, note, v = data.arrays
    assert (t.dtype, note.dtype, v.dtype) == ("time", "text", "<f8")
    np.testing.assert_array_equal(numbers(t), [1767225600500.0, np.nan, -1000.0])
    assert (note.values, note.data) == (["a", "β", "試料"], None)
    assert (v.unit, v.label) == ("V", "v (V)")


def test_slices_and_means_of_a_map() -> None:
    values = np.arange(60.0).reshape(3, 4, 5)

    def shown(name: str = "intensity", **more: Any) -> Any:
        return numbers(extract(image(), [name], points=10, **more).arrays[0])

    np.testing.assert_array_equal(shown(), values)
    np.testing.assert_array_equal(shown(at={"row": 1, "column": 2}), values[1, 2])
    np.testing.assert_array_equal(shown(at={"energy": -1}), values[..., -1])
    np.testing.assert_array_equal(shown(mean="energy"), values.mean(axis=2))
    np.testing.assert_array_equal(shown(at={"row": 0}, mean="energy"), values[0].mean(axis=1))
    np.testing.assert_array_equal(shown("height", at={"row": 2, "energy": 0}), [8, 9, 10, 11])
    assert shown(at={"row": 0, "column": 0, "energy": 3}).tolist() == 3
    both = extract(image(), ["energy", "intensity"], points=10, at={"row": 1, "column": 2})
    np.testing.assert_array_equal(numbers(both.arrays[1]), values[1, 2])


@pytest.mark.parametrize(
    ("names", "more", "field"),
    [
        ([], {}, "names"),
        (["nothing"], {}, "names"),
        (["intensity"], {"at": {"nothing": 0}}, "slice"),
        (["intensity"], {"at": {"row": 3}}, "slice"),
        (["intensity"], {"at": {"row": 10**30}}, "slice"),
        (["intensity"], {"mean": "nothing"}, "mean"),
    ],
)
def test_what_is_not_in_a_map_is_named(names: list[str], more: dict[str, Any], field: str) -> None:
    with pytest.raises(DataError) as error:
        extract(image(), names, points=10, **more)
    assert error.value.field == field


def test_a_range_or_mean_of_text_is_refused() -> None:
    notes = table(
        "log", "cycling", [Signal("a", np.array(["x", "y"])), Signal("b", np.arange(2.0))], x="a", default="b"
    )
    with pytest.raises(DataError, match="not of numbers"):
        extract(notes, ["a", "b"], points=10, within=(0, 1))
    with pytest.raises(DataError, match="not of numbers"):
        extract(notes, ["a"], points=10, mean="row")


def test_what_would_fill_the_browser_is_refused() -> None:
    axes = (Axis("a", np.arange(2100.0)), Axis("b", np.arange(2000.0)))
    entry = Entry("map", "raman", axes, (Signal("z", np.zeros((2100, 2000), "u1"), axes=("a", "b")),))
    with pytest.raises(DataError, match="take a slice"):
        extract(entry, ["z"], points=10)
    assert extract(entry, ["z"], points=5000, mean="a").arrays[0].shape == [2000]


def test_the_cache_keeps_what_was_looked_at_last(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    shas = [objects.put([nexus.dumps(Measurement((line(np.zeros(1000) + i),)))])[0].sha256 for i in range(3)]
    cache = Cache(objects, most_bytes=2 * 16_000)
    first = cache.get(shas[0])
    cache.get(shas[1])
    assert cache.get(shas[0]) is first
    cache.get(shas[2])
    assert cache.get(shas[0]) is first, "the one in between had to go"
    objects.close()


@pytest.fixture
def marie(world: Any) -> Any:
    return world.as_(world.account("marie@example.org"))


@pytest.fixture
def project(world: Any, marie: Any) -> models.Project:
    with world.db.read() as session:
        account = session.scalar(select(models.Account))
    made: models.Project = world.project("cathodes", viewer=account)
    return made


def test_arrays_over_the_api(catalogue: Catalogue, marie: Any, project: models.Project) -> None:
    uid = catalogue.add(project, [line(np.arange(5000) ** 2.0), image()]).uid
    path = f"{API}/measurements/{uid}/entries"
    data = marie.get(f"{path}/scan/data", params={"names": "x,y"}).json()
    assert data["decimated"]
    assert data["total_points"] == 5000
    assert (data["arrays"][1]["unit"], data["arrays"][1]["label"]) == ("counts", "y (counts)")
    data = marie.get(f"{path}/scan/data", params={"names": "x,y", "range": "3,1"}).json()
    assert numbers(data["arrays"][1]).tolist() == [1, 4, 9]
    data = marie.get(f"{path}/map/data", params={"names": "intensity", "slice": "row:1,column:2"}).json()
    assert numbers(data["arrays"][0]).tolist() == [30, 31, 32, 33, 34]
    data = marie.get(f"{path}/map/data", params={"names": "intensity", "mean": "energy"}).json()
    assert data["arrays"][0]["shape"] == [3, 4]
    for params, field in (
        ({"names": "x,nothing"}, "names"), ({"names": ","}, "names"), ({}, "names"),
        ({"names": "x", "range": "1"}, "range"),
        ({"names": "x", "range": "a,b"}, "range"), ({"names": "x", "slice": "row"}, "slice"),
        ({"names": "x", "slice": "row:a"}, "slice"), ({"names": "y", "mean": "a\x00"}, "mean"),
        ({"names": "x", "points": 5}, "points"), ({"names": "x" * 3000}, "names"),
    ):  # fmt: skip
        answer = marie.get(f"{path}/scan/data", params=params)
        assert (answer.status_code, answer.json()["field"]) == (422, field), params
    assert marie.get(f"{path}/nothing/data", params={"names": "x"}).status_code == 404


def test_metadata_comes_as_the_vendor_wrote_it(
    catalogue: Catalogue, marie: Any, project: models.Project
) -> None:
    said = {
        "a": {"b": [1, 2.5, None, True, "é", {"=x": "<script>"}]},
        "big": 10**30,
        "n": float("nan"),
        "": "",
    }
    entry = line([1.0, 2.0], original_metadata={"Wave/length": "1,54", "i": float("inf")})
    uid = catalogue.add(project, [entry], metadata=said).uid
    body = marie.get(f"{API}/measurements/{uid}/metadata").json()
    assert body == {
        "measurement": {**said, "n": "nan"},
        "entries": {"scan": {"Wave/length": "1,54", "i": "inf"}},
    }


def test_a_raw_file_comes_byte_for_byte(catalogue: Catalogue, marie: Any, project: models.Project) -> None:
    data = bytes(range(256)) * 1000
    name = 'scan "1" 試料\u2028<b>.ras'
    uid = catalogue.add(project, path="x/y.ras", raw={name: data, "sub/folder.txt": b"<script>"}).uid
    [raw] = [r for r in marie.get(f"{API}/measurements/{uid}").json()["raw_files"] if r["size"] > 100]
    path = f"{API}/measurements/{uid}/raw/{quote(name)}"
    answer = marie.get(path)
    assert answer.content == data
    digest = hashlib.sha256(data).digest()
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest).decode()}:"
    assert raw["sha256"] == digest.hex()
    is_inert(answer)
    assert "script" not in answer.headers["content-type"]
    assert answer.headers["content-disposition"].startswith('attachment; filename="scan _1_ ___')
    assert (
        "filename*=UTF-8''scan%20_1_%20%E8%A9%A6%E6%96%99_%3Cb%3E.ras"
        in answer.headers["content-disposition"]
    )
    tail = marie.get(path, headers={"Range": "bytes=-5"})
    assert (tail.status_code, tail.content) == (206, data[-5:])
    middle = marie.get(path, headers={"Range": "bytes=100-199", "If-Range": answer.headers["etag"]})
    assert (middle.status_code, middle.content) == (206, data[100:200])
    assert marie.get(path, headers={"Range": "bytes=100-199", "If-Range": '"other"'}).content == data
    assert marie.get(path, headers={"Range": "bytes=999999999-"}).status_code == 416
    assert marie.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert marie.get(f"{API}/measurements/{uid}/raw/sub/folder.txt").content == b"<script>"
    is_inert(marie.get(f"{API}/measurements/{uid}/raw/sub/folder.txt"))
    for wrong in ("nothing", "..%2F..%2Fzairyo.sqlite", "sub", "%00"):
        assert marie.get(f"{API}/measurements/{uid}/raw/{wrong}").status_code == 404


def is_inert(answer: Any) -> None:
    """A browser neither shows nor runs it, and asks again before it shows a copy."""
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert "immutable" not in answer.headers["cache-control"]


def test_the_standard_form_opens(
    catalogue: Catalogue, marie: Any, project: models.Project, tmp_path: Path
) -> None:
    made = catalogue.add(project, [line([1.0, 2.0])], title='A/B\n"q"')
    answer = marie.get(f"{API}/measurements/{made.uid}/standard")
    is_inert(answer)
    assert 'filename="A_B__q_.nxs"' in answer.headers["content-disposition"]
    (tmp_path / "a.nxs").write_bytes(answer.content)
    assert nexus.read(tmp_path / "a.nxs")["scan"] == line([1.0, 2.0])


def test_a_table_as_csv(catalogue: Catalogue, marie: Any, project: models.Project) -> None:
    uid = catalogue.add(project, [line([1.5, 2.0], title="cycle 1, charge")]).uid
    answer = marie.get(f"{API}/measurements/{uid}/entries/scan.csv")
    is_inert(answer)
    assert answer.text == "\ufeffx (deg),y (counts)\r\n0.0,1.5\r\n1.0,2.0\r\n"
    assert 'filename="cycle 1, charge.csv"' in answer.headers["content-disposition"]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


def test_archives(catalogue: Catalogue, marie: Any, project: models.Project) -> None:
    one = catalogue.add(project, [line([1.0])], path="a/run.txt", raw={"run.txt": b"one"})
    two = catalogue.add(project, path="b/RUN.txt", raw={"RUN.txt": b"two"})
    folder = catalogue.add(project, path="c/日本.D", raw={"x.txt": b"x" * 3_000_000, "deep/y.txt": b""})

    def unzip(answer: Any) -> dict[str, bytes]:
        is_inert(answer)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}

    def download(*uids: str, what: str = "raw") -> Any:
        return marie.post(f"{API}/download", json={"uids": uids, "what": what})

    files = unzip(download(two.uid, one.uid, folder.uid, one.uid))
    assert files == {
        "RUN.txt": b"two",
        f"run-{one.uid[-8:]}.txt": b"one",
        "日本.D/x.txt": b"x" * 3_000_000,
        "日本.D/deep/y.txt": b"",
    }
    assert list(unzip(download(one.uid, two.uid, what="standard"))) == ["run.txt.nxs"]
    assert download(two.uid, what="standard").json()["code"] == "not_translated"
    assert set(unzip(marie.get(f"{API}/measurements/{folder.uid}/raw.zip"))) == {"x.txt", "deep/y.txt"}
    assert download().status_code == download(one.uid, what="all").status_code == 422


def test_a_crate_holds_the_files_and_says_what_they_are(
    catalogue: Catalogue, marie: Any, project: models.Project
) -> None:
    """Whoever is given it without Zairyo can tell raw file, standard form and operator, and check each byte."""
    raw = {"run.D/x.txt": b"one" * 1000, "run.D/y.txt": b"two"}
    made = catalogue.add(project, [line([1.0])], path="a/run.D", raw=raw, operator="Marie", title="Run 7")
    answer = marie.get(f"{API}/measurements/{made.uid}/ro-crate.zip")
    is_inert(answer)
    assert 'filename="run.D.ro-crate.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    assert list(files) == ["ro-crate-metadata.json", "raw/run.D/x.txt", "raw/run.D/y.txt", "run.D.nxs"]
    assert {name: files[f"raw/{name}"] for name in raw} == raw
    assert files["run.D.nxs"] == marie.get(f"{API}/measurements/{made.uid}/standard").content
    graph = {item["@id"]: item for item in json.loads(files["ro-crate-metadata.json"])["@graph"]}
    assert graph["./"]["name"] == "Run 7"
    for name, content in files.items():
        if name != "ro-crate-metadata.json":
            assert graph[name]["sha256"] == hashlib.sha256(content).hexdigest()
    assert "Marie" in {item.get("name") for item in graph.values() if item["@type"] == "Person"}
    bare = catalogue.add(project, path="b/none.txt", raw={"none.txt": b"two"})
    refused = marie.get(f"{API}/measurements/{bare.uid}/ro-crate.zip")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_translated")


def test_a_file_that_the_server_lost_is_said_to_be_gone(
    app: FastAPI, catalogue: Catalogue, marie: Any, project: models.Project
) -> None:
    """Rather than an archive that ends in the middle."""
    made = catalogue.add(project, [line([1.0])], raw={"run.txt": b"one"})
    objects: LocalObjects = app.state.platform.objects
    for sha256 in list(objects):
        (objects.folder / sha256[:2] / sha256).unlink()
    answers = [
        marie.get(f"{API}/measurements/{made.uid}/{path}")
        for path in ("raw/run.txt", "raw.zip", "ro-crate.zip", "standard", "metadata", "entries/scan.csv")
    ]
    answers.append(marie.post(f"{API}/download", json={"uids": [made.uid]}))
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(410, "gone")}


def test_what_is_hidden_is_hidden_in_every_form(
    world: Any, catalogue: Catalogue, marie: Any, project: models.Project
) -> None:
    hidden = catalogue.add(world.project("hidden"), [line([1.0])], raw={"run.txt": b"one"}).uid
    paths = (
        "entries/scan/data?names=x",
        "metadata",
        "entries/scan.csv",
        "standard",
        "raw/run.txt",
        "raw.zip",
        "ro-crate.zip",
    )
    answers = [marie.get(f"{API}/measurements/{uid}/{path}") for uid in (hidden, "0" * 32) for path in paths]
    assert {(a.status_code, a.text) for a in answers} == {(404, answers[0].text)}
