"""Sinks: one small file each."""
