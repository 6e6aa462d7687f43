"""Times expressions that read a file, in this process; runs in Zairyo's environment and in each peer's.

Takes lines of JSON ``{"expression": …, "path": …, "seconds": …}`` on standard input, answers each with
``{"cpu": s, "runs": n}`` or ``{"error": …}``. The first run of an expression is not counted: libraries load.
The time is the processor's, the least of the runs: that of a clock on the wall tells of whatever else runs.
"""

from __future__ import annotations

import io
import json
import sys
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout


def main() -> None:
    warnings.simplefilter("ignore")
    answers = sys.stdout
    for line in sys.stdin:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            answer = timed(**json.loads(line))
        print(json.dumps(answer), file=answers, flush=True)


def timed(expression: str, path: str, seconds: float) -> dict[str, object]:
    try:
        code = compile(expression, "benchmark", "eval")
        eval(code, {"path": path})  # expressions of the benchmark's own table
        taken: list[float] = []
        end = time.perf_counter() + seconds
        while len(taken) < 3 or (time.perf_counter() < end and len(taken) < 200):
            began = time.process_time()
            eval(code, {"path": path})
            taken.append(time.process_time() - began)
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"[:300]}
    return {"cpu": min(taken), "runs": len(taken)}


if __name__ == "__main__":
    main()
