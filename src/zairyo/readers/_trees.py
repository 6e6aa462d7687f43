"""Values within trees of names, as headers and metadata are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def at(tree: Any, path: str) -> Any:
    """What is at a path with '/'; None if nothing is, or it is empty."""
    for name in path.split("/"):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return None if tree == "" else tree


def text_at(tree: Any, *paths: str) -> str:
    """The first text at one of some paths; empty if there is none."""
    found = (at(tree, p) for p in paths)
    return next((v.strip() for v in found if isinstance(v, str) and v.strip()), "")
