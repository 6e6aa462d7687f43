"""Which settings are allowed: linear inequalities, rules in a small language, Python functions.

A rule is parsed once by Python's own grammar, every node is checked against a short list of what may stand there, and
what is left is computed on whole columns by NumPy. Nothing is ever passed to ``eval``.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from zairyo.campaign._base import CampaignError, Floats, Mask

#: By which share of its terms' size a linear constraint may be missed through rounding.
SLACK = 1e-6
_LONGEST = 4000


def listed(names: Sequence[Any], most: int = 12) -> str:
    """Names for a message, not too many."""
    text = ", ".join(str(n) for n in names[:most])
    return f"{text} and {len(names) - most} more" if len(names) > most else text or "none"


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of kinds: places, shape (m,), in the values that they can have."""

    codes: NDArray[np.integer[Any]]
    values: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Any) -> Coded:
        """Some of its rows."""
        return Coded(self.codes[rows], self.values)


#: A column of settings: numbers, or kinds.
Column: TypeAlias = Floats | Coded
Columns: TypeAlias = Mapping[str, Column]


def rows_of(columns: Columns) -> int:
    """How many rows columns have."""
    return len(next(iter(columns.values()))) if columns else 0


def take(columns: Columns, rows: Any) -> dict[str, Column]:
    """Some rows of columns."""
    return {k: c.take(rows) if isinstance(c, Coded) else c[rows] for k, c in columns.items()}


@runtime_checkable
class Constraint(Protocol):
    """What must hold of settings."""

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that it needs; empty if that cannot be known."""
        ...

    def allows(self, columns: Columns) -> Mask:
        """Which rows it allows, shape (m,)."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        ...


_SENSES = {"<=": "<=", "≤": "<=", "<": "<=", ">=": ">=", "≥": ">=", ">": ">=", "==": "==", "=": "=="}


@dataclass(frozen=True)
class Linear:
    """A weighted sum of numbers that stays below, above or at a bound: ``Linear({"a": 1, "b": 2}, "<=", 5)``.

    Attributes
    ----------
    coefficients
        Setting (a number, or an ingredient) → its weight.
    sense
        ``<=``, ``>=`` or ``==``.
    bound
        Of the sum. It may be missed by a millionth, through rounding.
    """

    coefficients: Mapping[str, float]
    sense: str
    bound: float

    def __post_init__(self) -> None:
        if not isinstance(self.coefficients, Mapping) or not self.coefficients:
            raise CampaignError(
                f"a linear constraint needs weights such as {{'a': 1}}, not {self.coefficients!r}"
            )
        weights = {str(k): _finite(v, f"the weight of {k!r}") for k, v in self.coefficients.items()}
        if self.sense not in _SENSES:
            raise CampaignError(f"a linear constraint is <=, >= or ==, not {self.sense!r}")
        object.__setattr__(self, "coefficients", weights)
        object.__setattr__(self, "sense", _SENSES[self.sense])
        object.__setattr__(self, "bound", _finite(self.bound, f"the bound of {list(weights)}"))

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that it sums."""
        return tuple(self.coefficients)

    def allows(self, columns: Columns) -> Mask:
        """Which rows it allows, shape (m,)."""
        total = np.zeros(rows_of(columns))
        size = np.full(len(total), abs(self.bound))
        for name, weight in self.coefficients.items():
            term = weight * _numbers(columns[name], name, str(self))
            total += term
            size = np.maximum(size, np.abs(term))
        slack = SLACK * size
        above = total <= self.bound + slack if self.sense != ">=" else np.ones(len(total), bool)
        below = total >= self.bound - slack if self.sense != "<=" else np.ones(len(total), bool)
        return np.asarray(above & below)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"linear": dict(self.coefficients), "sense": self.sense, "bound": self.bound}

    def __str__(self) -> str:
        return (
            " + ".join(f"{w:g}·{n}" for n, w in self.coefficients.items()) + f" {self.sense} {self.bound:g}"
        )


@dataclass(frozen=True)
class Rule:
    """An expression over settings: ``Rule("temperature < 900 or time > 2")``.

    Numbers, text in quotes, ``+ - * / ** %``, comparisons (also ``1 < a < 2``), ``in (…)``, ``and``, ``or``, ``not``,
    and ``min max abs sqrt exp log log10``. A name with spaces or signs stands in backquotes: ```T (degC)` < 900``.

    Attributes
    ----------
    text
        The expression.
    """

    text: str
    _tree: ast.expr = field(init=False, repr=False, compare=False)
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tree, quoted = _parsed(self.text)
        names: dict[str, None] = {}
        _check(tree, self.text, quoted, names)
        object.__setattr__(self, "_tree", tree)
        object.__setattr__(self, "names", tuple(names))

    def value(self, columns: Columns) -> NDArray[Any]:
        """What the expression gives for each row, shape (m,).

        Raises
        ------
        CampaignError
            A name is no setting, or kinds stand where numbers must.
        """
        with np.errstate(all="ignore"):
            found = _compute(self._tree, columns, self.text)
        if isinstance(found, (Coded, str)):
            raise CampaignError(f"rule {self.text!r} gives a kind, where a number or a comparison is needed")
        result: NDArray[Any] = np.broadcast_to(np.asarray(found), (rows_of(columns),))
        return result

    def allows(self, columns: Columns) -> Mask:
        """Which rows it allows, shape (m,); what cannot be computed (0/0) is not allowed."""
        found = self.value(columns)
        if found.dtype != bool:
            raise CampaignError(
                f"rule {self.text!r} gives a number, not yes or no; compare it with something, e.g. {self.text} <= 1"
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"rule": self.text}

    def __str__(self) -> str:
        return repr(self.text)


@dataclass(frozen=True)
class Function:
    """A Python function of one experiment's settings that says whether it is allowed; it cannot be stored.

    Attributes
    ----------
    allowed
        Called once for every candidate with its settings, a dict: slow for large pools, where a rule is not.
    """

    allowed: Callable[[Mapping[str, Any]], Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Empty: a function does not tell."""
        return ()

    def allows(self, columns: Columns) -> Mask:
        """Which rows it allows, shape (m,)."""
        plain = {
            name: [c.values[i] for i in c.codes.tolist()] if isinstance(c, Coded) else c.tolist()
            for name, c in columns.items()
        }
        found = np.empty(rows_of(columns), bool)
        for i in range(len(found)):
            settings = {name: column[i] for name, column in plain.items()}
            try:
                found[i] = bool(self.allowed(settings))
            except Exception as e:
                raise CampaignError(
                    f"constraint {self} failed for {settings}: {type(e).__name__}: {e}"
                ) from e
        return found

    def to_dict(self) -> dict[str, Any]:
        """Never: a function cannot be stored."""
        raise CampaignError(
            f"constraint {self} is a Python function, which cannot be stored in a file; write it as "
            "Rule('…') or Linear(…), or keep the campaign in memory"
        )

    def __str__(self) -> str:
        return str(getattr(self.allowed, "__name__", self.allowed))


def as_constraint(given: Any) -> Constraint:
    """A constraint from what people write: itself, the text of a rule, a function, or what JSON holds.

    Raises
    ------
    CampaignError
        It is none of these.
    """
    if isinstance(given, (Linear, Rule, Function)):
        return given
    if isinstance(given, str):
        return Rule(given)
    if isinstance(given, Mapping) and set(given) == {"rule"}:
        return Rule(given["rule"])
    if isinstance(given, Mapping) and set(given) == {"linear", "sense", "bound"}:
        return Linear(given["linear"], given["sense"], given["bound"])
    if isinstance(given, Constraint):
        return given
    if callable(given):
        return Function(given)
    raise CampaignError(
        f"{given!r} is no constraint; write Linear({{'a': 1}}, '<=', 5), Rule('a < 5') or a function"
    )


# The language of rules ---------------------------------------------------------------------------------------------

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


def _parsed(text: Any) -> tuple[ast.expr, dict[str, str]]:
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


def _check(tree: ast.expr, text: str, quoted: Mapping[str, str], names: dict[str, None]) -> None:
    """Every node is one of those allowed; names are gathered, and put back where they stood in backquotes."""
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


def _compute(node: ast.expr, columns: Columns, text: str) -> Any:
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
        parts = [_truth(_compute(v, columns, text), v, text) for v in node.values]
        return reduce(np.logical_and if isinstance(node.op, ast.And) else np.logical_or, parts)
    if isinstance(node, ast.UnaryOp):
        inner = _compute(node.operand, columns, text)
        if isinstance(node.op, ast.Not):
            return np.logical_not(_truth(inner, node.operand, text))
        number = _number(inner, node.operand, text)
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.BinOp):
        left, right = (_number(_compute(n, columns, text), n, text) for n in (node.left, node.right))
        return _ARITHMETIC[type(node.op)](np.asarray(left, float), np.asarray(right, float))
    if isinstance(node, ast.Call):
        parts = [_number(_compute(a, columns, text), a, text) for a in node.args]
        function, least = _FUNCTIONS[ast.unparse(node.func)]
        return reduce(function, parts) if least > 1 else function(parts[0])
    if isinstance(node, ast.Compare):
        return _compared(node, columns, text)
    raise CampaignError(f"rule {text!r}: {ast.unparse(node)!r} may only stand behind in")


def _compared(node: ast.Compare, columns: Columns, text: str) -> Any:
    result: Any = True
    left_node = node.left
    left = _compute(left_node, columns, text)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, _MEMBER):
            if not isinstance(right_node, (ast.Tuple, ast.List)):
                raise CampaignError(f"rule {text!r}: behind in stands a list such as ('a', 'b')")
            parts = [_same(left, _compute(n, columns, text), text) for n in right_node.elts]
            found = reduce(np.logical_or, parts, np.asarray(False))
            result = np.logical_and(result, found if isinstance(op, ast.In) else np.logical_not(found))
            continue
        right = _compute(right_node, columns, text)
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


def _numbers(column: Column, name: str, where: str) -> Floats:
    if isinstance(column, Coded):
        raise CampaignError(f"constraint {where}: {name!r} is a kind, not a number; use a Rule with == or in")
    return column


def _finite(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or isinstance(value, str):
        raise CampaignError(f"{what} must be a finite number, not {value!r}")
    return number
