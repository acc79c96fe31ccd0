"""Protection: withhold, pseudonymise, scrub, and make text safe for a terminal."""
