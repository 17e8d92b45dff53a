"""Reads a folder of ``wallet-vectors/1`` files strictly. Anything wrong is a fault, so no vector gets lost."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Vector = dict[str, Any]

FORMAT = "wallet-vectors/1"
_HEADER = {"format", "chain", "kind", "split", "count", "groups", "vectors"}
_VECTOR = {"id": str, "group": str, "input": dict, "expected": dict}


@dataclass
class Folder:
    vectors: list[Vector] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read(path: Path) -> Folder:
    """Every ``*.json`` of the folder. A file with a fault gives no vectors."""
    found = Folder()
    files = sorted(path.glob("*.json"))
    if not files:
        found.faults.append(f"{path}: no vector files are here")
    seen: dict[str, str] = {}
    for file in files:
        try:
            vectors = _vectors(file.read_bytes())
            for vector in vectors:
                if vector["id"] in seen:
                    raise ValueError(f"the id {vector['id']} is in {seen[vector['id']]} too")
                seen[vector["id"]] = file.name
        except (OSError, ValueError, RecursionError) as fault:
            found.faults.append(f"{file.name}: {fault}")
            continue
        found.vectors += vectors
    return found


def _vectors(raw: bytes) -> list[Vector]:
    """Raises ValueError."""
    content = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"this is no {FORMAT} file")
    if content.keys() != _HEADER:
        raise ValueError(f"header fields that are missing or not known: {sorted(content.keys() ^ _HEADER)}")
    vectors = content["vectors"]
    if not isinstance(vectors, list) or not vectors:
        raise ValueError("there are no vectors")
    for vector in vectors:
        if not isinstance(vector, dict) or any(not isinstance(vector.get(n), kind) for n, kind in _VECTOR.items()):
            raise ValueError("a vector has at least a text id and group, and an object as input and expected")
    if content["count"] != len(vectors):
        raise ValueError(f"count says {content['count']}, there are {len(vectors)} vectors")
    groups = Counter(vector["group"] for vector in vectors)
    if content["groups"] != groups:
        raise ValueError(f"groups says {content['groups']}, there are {dict(groups)}")
    return vectors


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice in one object")
    return found
