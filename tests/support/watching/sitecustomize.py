"""On the path of a server under test, this watches it. Other commands start as usual."""

from __future__ import annotations

import sys

if sys.orig_argv[-1] == "serve":
    from tests.support import watch

    watch.install()
