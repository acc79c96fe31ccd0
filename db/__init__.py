"""What is kept. The only place that knows SQL."""
