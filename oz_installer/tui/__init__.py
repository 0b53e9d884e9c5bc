"""The wizard: screens that edit answers and show events. The one room that knows Textual."""

import os

os.environ.setdefault("TEXTUAL_FPS", "240")  # a key's second frame waits 4 ms for its turn, not 17
