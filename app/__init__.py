"""secondlook: the review desk for high-risk predictions."""

__version__ = "0.1.0"
