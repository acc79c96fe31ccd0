"""A person's acts: claim, draft, judge, decide, undo, and the lists to find cases in."""
