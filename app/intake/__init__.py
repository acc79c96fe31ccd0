"""Predictions in: read → parse → validate → protect → route → keep, or quarantine."""
