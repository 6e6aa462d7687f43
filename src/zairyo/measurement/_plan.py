"""What a standard-form file will hold, and its bytes.

An instrument's files are alike: the same groups, names and units, other numbers. HDF5 takes 6 ms to put such a
file together from its hundred small objects, and as long to look through it. So the bytes of a file are kept as
a *template*: a further file with the same objects is that template with its own numbers in their places, which
are the same bytes as HDF5 would write. For the same reason a file that is a known template but for its numbers
needs no second look (:func:`is_known`).

Nothing here is learned from a file somebody else made: templates are only what this process wrote itself.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from zairyo.measurement import _hdf5 as hdf5
from zairyo.measurement.arrays import Array

#: Bytes. Below, packing costs more time than it saves room.
LEAST_COMPRESSED = 64 * 1024
#: Texts are given room in such steps, so that "9.5 s" and "10.5 s" fit into the same place.
_TEXT_STEP = 32
#: Letters of texts whose encoded form is remembered.
_SHORT = 64
_MOST_TEMPLATES = 64
MOST_TEMPLATE_BYTES = 512 * 1024


@dataclass(frozen=True)
class _Template:
    """A file whose datasets' values are zero, and where they belong: offset and size in bytes, in order."""

    image: bytes
    places: tuple[tuple[int, int], ...]

    def filled(self, values: list[Array]) -> bytes:
        image = bytearray(self.image)
        for (offset, size), array in zip(self.places, values, strict=True):
            image[offset : offset + size] = array.tobytes()
        return bytes(image)

    def is_of(self, image: bytes) -> bool:
        return _blank(image, self.places) == self.image


def _blank(image: bytes, places: Iterable[tuple[int, int]]) -> bytes:
    blank = bytearray(image)
    for offset, size in places:
        blank[offset : offset + size] = bytes(size)
    return bytes(blank)


class _Templates:
    """The templates used last, by the steps that make them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], _Template] = OrderedDict()

    def get(self, steps: tuple[Any, ...]) -> _Template | None:
        with self._lock:
            if (template := self._kept.get(steps)) is not None:
                self._kept.move_to_end(steps)
            return template

    def keep(self, steps: tuple[Any, ...], template: _Template) -> None:
        with self._lock:
            self._kept[steps] = template
            if len(self._kept) > _MOST_TEMPLATES:
                self._kept.popitem(last=False)

    def of_size(self, size: int) -> list[_Template]:
        with self._lock:
            return [t for t in self._kept.values() if len(t.image) == size]


_templates = _Templates()


def is_known(image: bytes) -> bool:
    """Whether a file is one that this process has written, but for the values in its datasets."""
    return any(template.is_of(image) for template in _templates.of_size(len(image)))


class Plan:
    """The objects of one file in the order in which they are made; paths are from the root, without a first '/'."""

    def __init__(self) -> None:
        self._steps: list[tuple[Any, ...]] = []
        self._values: list[Array] = []
        self._packed = False

    def group(self, path: str, nx_class: str) -> None:
        self._steps.append((_make_group, path))
        self.attribute(path, "NX_class", nx_class)

    def attribute(self, path: str, name: str, value: Any) -> None:
        """A text, a number, or a one-dimensional array of either; ``path`` is empty for the root."""
        is_short = isinstance(value, str) and len(value) <= _SHORT
        self._steps.append(
            (_put_attribute, path, name, *(_short_text(value) if is_short else _stored(value)))
        )

    def dataset(self, path: str, value: Any) -> None:
        """A dataset of any dtype the standard form holds."""
        array = hdf5.encoded(value, _TEXT_STEP)
        packed = array.nbytes >= LEAST_COMPRESSED
        if packed and array.ndim == 0:
            array = array.reshape(1)  # only what has a dimension can be compressed
        self._packed |= packed
        self._values.append(array)
        self._steps.append((_put_dataset, path, array.dtype.str, array.shape, packed))

    def link(self, path: str, target: str) -> None:
        """One more name for the same object."""
        self._steps.append((_put_link, path, target))

    def to_bytes(self) -> bytes:
        """The file."""
        steps = tuple(self._steps)
        template = None if self._packed else _templates.get(steps)
        if template is not None:
            return template.filled(self._values)
        image, places = self._build()
        if not self._packed and len(image) <= MOST_TEMPLATE_BYTES:
            _templates.keep(steps, _Template(_blank(image, places), places))
        return image

    def _build(self) -> tuple[bytes, tuple[tuple[int, int], ...]]:
        file = hdf5.new_file(sum(array.nbytes for array in self._values))
        try:
            made = {"": hdf5.open_root(file)}
            values = iter(self._values)
            datasets = []
            for make, path, *rest in self._steps:
                thing = make(made, values, path, *rest)
                if make is _put_dataset:
                    datasets.append(thing)
            image = hdf5.take_bytes(file)
            places = tuple((d.get_offset() or 0, d.get_storage_size()) for d in datasets)
            return image, places
        finally:
            file.close()


def _stored(value: Any) -> tuple[str, tuple[int, ...], bytes]:
    """An attribute's type, shape and bytes."""
    array = hdf5.encoded(value)
    return array.dtype.str, array.shape, array.tobytes()


#: Names of classes and units come again in every file.
_short_text = lru_cache(maxsize=1024)(_stored)


def _place(made: dict[str, Any], path: str) -> tuple[Any, str]:
    folder, _, name = path.rpartition("/")
    return made[folder], name


def _make_group(made: dict[str, Any], _values: Any, path: str) -> None:
    made[path] = hdf5.new_group(*_place(made, path))


def _put_attribute(
    made: dict[str, Any], _values: Any, path: str, name: str, dtype: str, shape: tuple[int, ...], data: bytes
) -> None:
    hdf5.put_attribute(made[path], name, np.frombuffer(data, dtype).reshape(shape))


def _put_dataset(made: dict[str, Any], values: Any, path: str, _dtype: str, _shape: Any, packed: bool) -> Any:
    made[path] = dataset = hdf5.put_dataset(*_place(made, path), next(values), packed=packed)
    return dataset


def _put_link(made: dict[str, Any], _values: Any, path: str, target: str) -> None:
    folder, _, name = path.rpartition("/")
    hdf5.link(made[folder], name, made[""], target)
