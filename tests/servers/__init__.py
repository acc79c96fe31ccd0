"""Suites against real servers: run with `python -m pytest -m servers`."""
