"""Are there known vulnerabilities in what is locked? `make audit`.

Exit code 0: in none of them. 1: there are. 2: it is not known of all, since the database of vulnerabilities could not
be asked; with AUDIT_OFFLINE=pass that is said and let pass. The database is the package index's own; another one is
named by PIP_AUDIT_VULNERABILITY_SERVICE=osv and PIP_AUDIT_OSV_URL.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

LOCKED: Final = Path(__file__).with_name("dev.txt")
"""It holds what the service needs, and what tests and development need besides."""
FOUND, UNKNOWN = 1, 2


def main() -> int:
    requirements = sys.argv[1:] or [str(LOCKED)]
    command = [
        sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off",
        "--format=json", *[word for each in requirements for word in ("--requirement", each)],
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    try:
        packages = json.loads(ran.stdout)["dependencies"]
    except ValueError:
        return _unknown(ran.stderr.strip().rpartition("\n")[2] or "pip-audit said nothing")
    return verdict(packages)


def verdict(packages: list[dict[str, Any]]) -> int:
    """As pip-audit reports them. One that was skipped is not one without vulnerabilities."""
    for package in packages:
        for each in package.get("vulns", ()):
            fixed = ", ".join(each["fix_versions"]) or "none"
            print(f"{package['name']} {package['version']}: {each['id']}, fixed in {fixed}")  # noqa: T201
    if any(package.get("vulns") for package in packages):
        return FOUND
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped or not packages:
        return _unknown(f"{len(skipped)} of {len(packages)} packages could not be looked up")
    print(f"No known vulnerabilities in {len(packages)} packages")  # noqa: T201
    return 0


def _unknown(why: str) -> int:
    print(f"NOT CHECKED for known vulnerabilities: {why}", file=sys.stderr)  # noqa: T201
    return 0 if os.environ.get("AUDIT_OFFLINE") == "pass" else UNKNOWN


if __name__ == "__main__":
    sys.exit(main())
