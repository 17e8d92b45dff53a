"""Python runs this first wherever this folder is on its path: a server is watched, other commands start as they are."""

from __future__ import annotations

import sys

if sys.orig_argv[-1] == "serve":
    from tests.support import watch

    watch.install()
