"""The desk in a browser: who gets in, what is drawn, what a closed tab leaves behind."""
