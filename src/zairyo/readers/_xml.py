"""XML as readers need it: safe to parse, names without their namespace, and a tree to keep verbatim."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, fromstring

from zairyo.readers._api import RawInput, ReadError

_BEFORE = b"\xef\xbb\xbf\xff\xfe \t\r\n"
_DEEPEST = 28  # below what original metadata may be
#: An encoding in which markup is written as in ASCII, and which the parser itself knows.
_ENCODING = re.compile(rb"""\s+encoding\s*=\s*["'](utf-8|us-ascii|iso-8859-1)["']""", re.IGNORECASE)


def is_markup(src: RawInput) -> bool:
    """Whether the file is text that begins with a ``<``: no other need be looked through for elements."""
    return src.text_head[:1000].lstrip(_BEFORE).startswith(b"<")


def parse_xml(data: bytes, what: str) -> Element:
    """Parse a document; no entities, no DTD retrieval. ``what`` names the file or part in errors."""
    # What must be refused is declared in a DTD. Where there can be none, the plain parser will do, which is
    # twice as fast.
    parse = ElementTree.fromstring if _has_no_dtd(data) else fromstring
    with parsing(what):
        root: Element = parse(data)
    return root


@contextmanager
def parsing(what: str) -> Iterator[None]:
    """What a parser says of damaged, forbidden or wrongly encoded XML, as errors for people."""
    try:
        yield
    except ParseError as e:
        line, column = e.position
        raise ReadError(
            f"{what} is not complete XML (line {line}, column {column}: {e}); it may be cut off. Copy it again."
        ) from None
    except ReadError:
        raise
    except (
        ValueError,
        LookupError,
        EOFError,
        OSError,
    ) as e:  # forbidden entities, an unknown or wrong encoding
        raise ReadError(f"{what} cannot be read as XML: {e}") from None


def _has_no_dtd(data: bytes) -> bool:
    """Whether it is sure that a document declares no types and entities."""
    if b"\0" in data or b"<!DOCTYPE" in data:
        return False
    if b"<?xml" not in data[:10]:
        return True  # no declaration: UTF-8
    declaration, end, _ = data[:1000].partition(b"?>")
    return bool(end) and (b"encoding" not in declaration or _ENCODING.search(declaration) is not None)


def local(name: str) -> str:
    """The name without its namespace: schema versions differ in nothing else."""
    return name.rpartition("}")[2]


def find(parent: Element | None, path: str) -> Element | None:
    """First descendant at ``path`` (local names with '/'), whatever its namespace."""
    for name in path.split("/"):
        if parent is None:
            return None
        ending = "}" + name
        for element in parent:
            tag = element.tag
            if tag == name or tag.endswith(ending):
                parent = element
                break
        else:
            return None
    return parent


def find_all(parent: Element | None, path: str) -> list[Element]:
    """All descendants at ``path`` (local names with '/'), in document order."""
    found = [] if parent is None else [parent]
    for name in path.split("/"):
        ending = "}" + name
        found = [e for p in found for e in p if e.tag == name or e.tag.endswith(ending)]
    return found


def text(parent: Element | None, path: str = "") -> str:
    """Stripped text of the element at ``path``; empty if there is none."""
    element = find(parent, path) if path else parent
    return (element.text or "").strip() if element is not None else ""


def attribute(element: Element | None, name: str) -> str:
    """Value of an attribute by its local name, stripped; empty if there is none."""
    if element is None:
        return ""
    return next((v.strip() for k, v in element.attrib.items() if local(k) == name), "")


def tree(element: Element, skip: Collection[str] = (), depth: int = 0) -> Any:
    """The element as nested dictionaries, to be kept as original metadata.

    Attributes get a leading '@', an element with only text becomes the text, repeated elements a list.
    Elements whose local name is in ``skip`` (the arrays, read elsewhere) are left out.
    """
    content = (element.text or "").strip()
    if depth >= _DEEPEST:
        return "".join(element.itertext()).strip()
    if len(element) == 0 and not element.attrib:
        return content
    out: dict[str, Any] = {f"@{local(k)}": v for k, v in element.attrib.items()}
    repeated: set[str] = set()
    for child in element:
        name = local(child.tag)
        if name in skip:
            continue
        value = tree(child, skip, depth + 1)
        if name in repeated:
            out[name].append(value)
        elif name in out:
            out[name] = [out[name], value]
            repeated.add(name)
        else:
            out[name] = value
    if content:
        out["#text"] = content
    return out
