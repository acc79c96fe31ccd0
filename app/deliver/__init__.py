"""Delivery: verdicts out to those who wait for them, through the outbox."""
