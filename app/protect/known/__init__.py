"""Known values in other spellings: what to look for (`spellings`), in what (`skeleton`), does it fit (`fitting`)."""
