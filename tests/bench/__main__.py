"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from .figures import Bench, Figure, clean_environment

# Benchmark → its module. A module is imported when it runs, so that one cannot slow another's start.
_MODULES = {
    "startup": "startup",
    "submit_next": "submit_next",
    "claim_decide": "claim_decide",
    "audit_share": "audit_share",
    "inbox": "inbox",
    "import": "importing",
    "import_text": "importing_text",
    "export": "exporting",
    "audit_verify": "audit_verify",
    "detect": "detecting",
    "safe_text": "safe_text",
    "pull": "pulling",
    "deliver": "delivering",
    "postgres": "postgres_cycles",
    "hub": "hub_load",
}


def main() -> int:
    """Runs the named benchmarks, or all."""
    arguments = _arguments()
    if arguments.list:
        sys.stdout.write("\n".join(_MODULES) + "\n")
        return 0
    clean_environment()
    with tempfile.TemporaryDirectory(prefix="secondlook-bench-", ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder), arguments.n)
        done = [_run(name, bench, arguments.json) for name in arguments.names or _MODULES]
    return 0 if all(done) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmarks; they assert nothing.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    parser.add_argument("--n", type=int, help="size: cases, records or repetitions, as the benchmark counts")
    parser.add_argument("--json", action="store_true", help="one JSON line a figure")
    parser.add_argument("--list", action="store_true", help="list the names")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in _MODULES]
    if unknown:
        parser.error(f"no benchmark '{unknown[0]}'; there are {', '.join(_MODULES)}")
    if arguments.n is not None and arguments.n < 1:
        parser.error("--n is a whole number from 1")
    return arguments


def _run(name: str, bench: Bench, as_json: bool) -> bool:
    """One benchmark. One that breaks does not keep the others from running."""
    module = importlib.import_module(f".{_MODULES[name]}", __package__)
    figures: Iterator[Figure] = module.run(bench)
    try:
        for figure in figures:
            _print(figure, as_json)
    except Exception:  # noqa: BLE001  # whatever it is, it is shown whole
        traceback.print_exc()
        return False
    return True


def _print(figure: Figure, as_json: bool) -> None:
    facts = figure.as_dict()
    if as_json:
        print(json.dumps(facts), flush=True)
        return
    # There is no ratio to a baseline of nothing, as where the cases did not last.
    ratio = "" if facts["ratio"] is None else f"   ratio {facts['ratio']:g}"
    baseline = "" if facts["baseline"] is None else f"baseline {facts['baseline']:>10,g}{ratio}"
    print(
        f"{figure.figure:34} n={figure.n:<10,} {facts['value']:>12,g} {figure.unit:10} {baseline}".rstrip(), flush=True
    )


if __name__ == "__main__":
    raise SystemExit(main())
