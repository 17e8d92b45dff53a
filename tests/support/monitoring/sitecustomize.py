"""Python runs this first wherever this folder is on its path: the event loop of a server's worker is watched."""

from __future__ import annotations

import sys

if sys.orig_argv[-1] == "serve":
    from tests.support import loop_monitor

    loop_monitor.install()
