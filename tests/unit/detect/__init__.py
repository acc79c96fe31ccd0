"""What is personal data in texts, and what only looks like it."""
