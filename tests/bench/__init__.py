"""Benchmarks. `python -m tests.bench [NAME …] [--n N] [--json]`; they measure and assert nothing.

Times on a machine that does other things as well are noise: read the ratios. Each baseline is the
raw limit (bare sqlite3, bare polars, an empty Textual application) measured in the same run, in
turns with what it is held against.
"""
