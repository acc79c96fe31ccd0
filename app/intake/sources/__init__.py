"""Sources: one small file each."""
