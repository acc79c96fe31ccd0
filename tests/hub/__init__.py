"""The hub: who may do what, what comes in, what is refused."""
