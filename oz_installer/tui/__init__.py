"""The wizard: screens that edit answers and show events. The only room that imports Textual."""

import os

os.environ.setdefault("TEXTUAL_FPS", "240")  # the second frame after a key waits 4 ms, not 17
