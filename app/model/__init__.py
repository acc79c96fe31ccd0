"""The project's words as plain models. Pure: imports no other module of ours."""
