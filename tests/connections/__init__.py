"""Sources and sinks, against real servers and files."""
