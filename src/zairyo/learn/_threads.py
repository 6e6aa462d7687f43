"""Threads: matrices of a few dozen rows are quicker on one, blocks of many candidates on all."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeVar

T = TypeVar("T")


@functools.cache
def _controller() -> Any:
    import scipy.linalg
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # comes with scikit-learn

    assert scipy.linalg  # its own BLAS must be loaded to be found
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """BLAS on one thread: for small matrices, where waking a second costs more than it saves."""
    found: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return found


def on_all_cores(work: Callable[[T], None], items: Iterable[T]) -> None:
    """``work`` on every item, each on one core; NumPy lets go of the interpreter inside."""
    with one_thread(), ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as pool:
        for _ in pool.map(work, items):
            pass
