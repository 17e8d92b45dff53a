"""On the path of a server under test, this monitors the event loops of its workers."""

from __future__ import annotations

import sys

if sys.orig_argv[-1] == "serve":
    from tests.support import loop_monitor

    loop_monitor.install()
