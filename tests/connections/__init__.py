"""Sources and sinks against real servers of their systems, on free ports of this machine."""
