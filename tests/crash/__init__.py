"""Kills, crowds and threads: what must hold however a process ends and however many there are."""
