"""What a person sees: one screen a pair of `name.py` and `name.tcss`."""
