"""The hub: the desk over HTTP. Needs the extra `hub`; the terminal never imports it."""
