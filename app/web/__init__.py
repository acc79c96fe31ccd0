"""The desk in a browser on this machine, on textual-serve. Needs the extra `web`; nothing else imports it."""
