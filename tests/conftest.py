"""What all tests need, whoever starts them."""

from __future__ import annotations

import signal

# Background jobs of a shell, and some CI runners, hand on ignored signals; oz-install respects that, as
# nohup asks. The tests send signals, to themselves and to programs that inherit from here.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
