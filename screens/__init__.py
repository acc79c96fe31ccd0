"""What a person sees: one screen a pair of `name.py` and `name.tcss`.

A key waits for the next frame. Textual draws 60 a second unless its variable TEXTUAL_FPS says otherwise;
it is read when Textual is imported, so it is set here, before any screen imports it.
"""

from __future__ import annotations

import os

os.environ.setdefault("TEXTUAL_FPS", "240")
