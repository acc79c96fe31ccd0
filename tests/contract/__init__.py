"""What every Desk must do, whatever stands behind it."""
