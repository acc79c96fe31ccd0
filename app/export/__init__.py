"""Corrections out, as datasets."""
