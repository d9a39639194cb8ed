"""What the children in Python share that move objects; see storage-support.mjs."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from support import task

CHUNK = 1024 * 1024
PART = 8 * CHUNK
with open(task["block"], "rb") as file:
    block = file.read()


def piece(i, length=CHUNK):
    return i.to_bytes(4, "little") + block[4:length]


def large():
    for i in range(task["large"] // CHUNK):
        yield piece(i)


def small_key(i):
    return f"small/{i:06d}"


def read_large(chunks):
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if task["check"]:
            digest.update(chunk)
    return 1, None, {"bytes": size, "sha256": digest.hexdigest()}


def read_small(contents):
    """Of all contents, in order; or of their lengths, where they need not be checked and so need not be kept."""
    digest, size = hashlib.sha256(), 0
    for content in contents:
        if task["check"]:
            digest.update(hashlib.sha256(content).digest())
        size += len(content) if task["check"] else content
    return task["small"], None, {"bytes": size, "sha256": digest.hexdigest()}


def listed(keys):
    rows, kept = 0, []
    for key in keys:
        rows += 1
        if task["check"]:
            kept.append(key)
    return rows, None, {"bytes": 0, "sha256": hashlib.sha256("\n".join(kept).encode()).hexdigest()}


def in_threads(work):
    """The results of `work` for each small object, 16 at a time."""
    with ThreadPoolExecutor(16) as pool:
        yield from pool.map(work, range(task["small"]))
