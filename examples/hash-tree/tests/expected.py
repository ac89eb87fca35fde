"""Writes expected.txt: the recursive definition of RFC 6962 with Python's hashlib."""

from hashlib import sha256

LEAF = 1 << 20


def root(leaves):
    if len(leaves) == 0:
        return sha256()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\1" + root(leaves[:half]).digest() + root(leaves[half:]).digest())


data = bytes(i % 251 for i in range(3_000_000))
leaves = [data[at:at + LEAF] for at in range(0, len(data), LEAF)]
print(f"bytes {len(data)}")
print(f"sha256 {sha256(data).hexdigest()}")
print(f"leaves {len(leaves)} of {LEAF} bytes")
print(f"root {root(leaves).hexdigest()}")
