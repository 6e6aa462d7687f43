"""The language of rules: parsed by Python's own grammar, every node checked, computed on whole columns by NumPy.

Nothing is ever passed to ``eval``.
"""

from __future__ import annotations

import ast
import difflib
import operator
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError
from zairyo.campaign._columns import Coded, Columns, listed

_LONGEST = 4000
_DEEPEST = 100


_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.divide,
    ast.Pow: np.float_power,
    ast.Mod: np.mod,
}
_ORDER: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUAL = (ast.Eq, ast.NotEq)
_MEMBER = (ast.In, ast.NotIn)
_FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "min": (np.minimum, 2),
    "max": (np.maximum, 2),
    "abs": (np.abs, 1),
    "sqrt": (np.sqrt, 1),
    "exp": (np.exp, 1),
    "log": (np.log, 1),
    "log10": (np.log10, 1),
}
_QUOTED = re.compile(r"`([^`]+)`")


def parsed(text: Any) -> tuple[ast.expr, dict[str, str]]:
    """The tree, and what stands in it for the names in backquotes."""
    if not isinstance(text, str) or not text.strip():
        raise CampaignError(f"a rule is a text such as 'temperature < 900', not {text!r}")
    if len(text) > _LONGEST:
        raise CampaignError(f"a rule may have {_LONGEST} letters, not {len(text)}; write it as several rules")
    quoted: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        word = f"_quoted_{len(quoted)}_"
        quoted[word] = match[1]
        return word

    plain = _QUOTED.sub(stand_in, text)
    try:
        return ast.parse(plain.strip(), mode="eval").body, quoted
    except SyntaxError as e:
        at = (e.offset or 1) - 1
        near = plain.strip()[max(0, at - 2) : at + 12].strip() or plain.strip()
        for word, name in quoted.items():
            near = near.replace(word, f"`{name}`")
        raise CampaignError(f"rule {text!r} cannot be read near {near!r}: {e.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise CampaignError(f"rule {text[:60]!r}… cannot be read; make it simpler") from None


def check(tree: ast.expr, text: str, quoted: Mapping[str, str], names: dict[str, None]) -> None:
    """Every node is one of those allowed; names are gathered, and put back where they stood in backquotes."""
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise CampaignError(f"rule {text[:60]!r}… has too many parts within parts; make it simpler")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = quoted.get(node.id, node.id)
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if id(node) not in called:
                names[node.id] = None
        elif isinstance(node, ast.Call):
            word = ast.unparse(node.func)
            if not isinstance(node.func, ast.Name) or word not in _FUNCTIONS or node.keywords:
                raise CampaignError(
                    f"rule {text!r}: there is no function {word!r}; there are {listed(list(_FUNCTIONS))}"
                )
            count, least = len(node.args), _FUNCTIONS[word][1]
            if count < least or (least == 1 and count > 1):
                raise CampaignError(
                    f"rule {text!r}: {word} needs {least}{' or more' * (least > 1)} numbers, not {count}"
                )
        elif isinstance(node, ast.Constant):
            if not isinstance(node.value, (bool, int, float, str)):
                raise CampaignError(
                    f"rule {text!r}: {ast.unparse(node)!r} is neither a number nor text in quotes"
                )
            if isinstance(node.value, int) and abs(node.value) > 1e300:
                raise CampaignError(f"rule {text!r}: {str(node.value)[:20]}… is too large")
        elif not isinstance(node, _ALLOWED):
            what = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
            raise CampaignError(
                f"rule {text!r}: {what!r} may not stand in a rule; write comparisons of settings with numbers or "
                "text, joined by and, or, not"
            )


_ALLOWED = (
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.BinOp, ast.Compare),
    *(ast.Tuple, ast.List, ast.Load, *_ARITHMETIC, *_ORDER, *_EQUAL, *_MEMBER),
)


def compute(node: ast.expr, columns: Columns, text: str) -> Any:
    """The value of a checked node: a scalar, an array (m,), or kinds."""
    if isinstance(node, ast.Constant):
        value = node.value
        return value if isinstance(value, (bool, str)) else float(value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        if node.id not in columns:
            near = difflib.get_close_matches(node.id, list(columns), n=2, cutoff=0.6)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {listed(list(columns))}"
            raise CampaignError(f"rule {text!r}: there is no parameter {node.id!r}; {hint}")
        return columns[node.id]
    if isinstance(node, ast.BoolOp):
        parts = [_truth(compute(v, columns, text), v, text) for v in node.values]
        return reduce(np.logical_and if isinstance(node.op, ast.And) else np.logical_or, parts)
    if isinstance(node, ast.UnaryOp):
        inner = compute(node.operand, columns, text)
        if isinstance(node.op, ast.Not):
            return np.logical_not(_truth(inner, node.operand, text))
        number = _number(inner, node.operand, text)
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.BinOp):
        left, right = (_number(compute(n, columns, text), n, text) for n in (node.left, node.right))
        return _ARITHMETIC[type(node.op)](np.asarray(left, float), np.asarray(right, float))
    if isinstance(node, ast.Call):
        parts = [_number(compute(a, columns, text), a, text) for a in node.args]
        function, least = _FUNCTIONS[ast.unparse(node.func)]
        return reduce(function, parts) if least > 1 else function(parts[0])
    if isinstance(node, ast.Compare):
        return _compared(node, columns, text)
    raise CampaignError(f"rule {text!r}: {ast.unparse(node)!r} may only stand behind in")


def _compared(node: ast.Compare, columns: Columns, text: str) -> Any:
    result: Any = True
    left_node = node.left
    left = compute(left_node, columns, text)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, _MEMBER):
            if not isinstance(right_node, (ast.Tuple, ast.List)):
                raise CampaignError(f"rule {text!r}: behind in stands a list such as ('a', 'b')")
            parts = [_same(left, compute(n, columns, text), text) for n in right_node.elts]
            found = reduce(np.logical_or, parts, np.asarray(False))
            result = np.logical_and(result, found if isinstance(op, ast.In) else np.logical_not(found))
            continue
        right = compute(right_node, columns, text)
        if isinstance(op, _EQUAL):
            equal = _same(left, right, text)
            found = equal if isinstance(op, ast.Eq) else np.logical_not(equal)
        else:
            found = _ORDER[type(op)](_number(left, left_node, text), _number(right, right_node, text))
        result = np.logical_and(result, found)
        left, left_node = right, right_node
    return result


def _same(left: Any, right: Any, text: str) -> Any:
    if isinstance(right, Coded) and not isinstance(left, Coded):
        left, right = right, left
    if isinstance(left, Coded):
        if isinstance(right, Coded):
            words = np.array([str(v) for v in right.values], object)[right.codes]
            return np.array([str(v) for v in left.values], object)[left.codes] == words
        if not isinstance(right, (str, bool, int, float)):
            raise CampaignError(f"rule {text!r} compares kinds with numbers")
        known = np.array([_alike(v, right) for v in left.values], bool)
        if not known.any():
            raise CampaignError(f"rule {text!r}: {right!r} is none of {listed(left.values)}")
        return known[left.codes]
    if isinstance(left, str) is not isinstance(right, str):
        word = left if isinstance(left, str) else right
        raise CampaignError(f"rule {text!r} compares a number with the text {word!r}")
    return np.equal(left, right) if not isinstance(left, str) else left == right


def _alike(value: Any, word: Any) -> bool:
    """Whether a kind is the one that a rule names, be it a number or its text."""
    if isinstance(word, str):
        return str(value) == word
    return not isinstance(value, str) and bool(value == word)


def _number(value: Any, node: ast.expr, text: str) -> Any:
    if isinstance(value, (Coded, str)):
        raise CampaignError(
            f"rule {text!r}: {ast.unparse(node)!r} is a kind, not a number; compare it by == or in"
        )
    return value


def _truth(value: Any, node: ast.expr, text: str) -> Any:
    if isinstance(value, (bool, np.bool_)) or getattr(getattr(value, "dtype", None), "kind", "") == "b":
        return value
    raise CampaignError(
        f"rule {text!r}: {ast.unparse(node)!r} is neither true nor false; compare it with something"
    )
