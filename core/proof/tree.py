"""Merkle trees as RFC 6962 (section 2.1) hashes them, and their proofs. Pure: bytes in, bytes out.

A node's hash and a leaf's begin with different bytes, so that neither passes for the other.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeAlias

HASH_SIZE = 32
EMPTY = hashlib.sha256().digest()
LEAF = b"\x00"
_NODE = b"\x01"
_sha256 = hashlib.sha256

Levels: TypeAlias = list[Sequence[bytes]]


def hash_leaf(data: bytes) -> bytes:
    """The hash of a leaf that stands for `data`."""
    return _sha256(LEAF + data).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return _sha256(_NODE + left + right).digest()


def build(leaves: Sequence[bytes]) -> Levels:
    """All levels of the tree over these leaf hashes, the root's last. A node without a neighbour rises as it is."""
    levels: Levels = [leaves]
    below = leaves
    while (size := len(below)) > 1:
        above = [_sha256(_NODE + below[at] + below[at + 1]).digest() for at in range(0, size - 1, 2)]
        if size & 1:
            above.append(below[-1])
        levels.append(above)
        below = above
    return levels


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes."""
    return build(leaves)[-1][0] if leaves else EMPTY


def paths_in(levels: Levels) -> list[bytes]:
    """Every leaf's audit path, from the bottom up: what hashes together with it to the root.

    From the top down: the way up that a node's two sides share is joined once.
    """
    paths = [b""]
    for level in reversed(levels[:-1]):
        shared, paths = paths, []
        for at in range(0, len(level) - 1, 2):
            above = shared[at >> 1]
            paths.append(level[at + 1] + above)
            paths.append(level[at] + above)
        if len(level) & 1:
            paths.append(shared[-1])
    return paths


def root_from(leaf: bytes, index: int, size: int, path: bytes) -> bytes | None:
    """The root that a leaf and its path lead to (RFC 9162, 2.1.3.2); None: the path has not this leaf's length."""
    if not 0 <= index < size or len(path) % HASH_SIZE:
        return None
    found, last = leaf, size - 1
    for at in range(0, len(path), HASH_SIZE):
        if last == 0:
            return None
        step = path[at : at + HASH_SIZE]
        if index & 1 or index == last:
            found = hash_node(step, found)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            found = hash_node(found, step)
        index >>= 1
        last >>= 1
    return found if last == 0 else None


def is_included(leaf: bytes, index: int, size: int, path: bytes, root: bytes) -> bool:
    """Whether the path proves that the leaf is the `index`th of the `size` below the root."""
    return root_from(leaf, index, size, path) == root


def is_consistent(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: bytes) -> bool:
    """Whether the proof shows that the larger tree begins with the smaller one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= new_size or len(proof) % HASH_SIZE:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY
    steps = [proof[at : at + HASH_SIZE] for at in range(0, len(proof), HASH_SIZE)]
    # A smaller tree that is a power of two is a node of the larger one, and is not sent again.
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    first, last = old_size - 1, new_size - 1
    while first & 1:
        first >>= 1
        last >>= 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old, new = hash_node(step, old), hash_node(step, new)
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        else:
            new = hash_node(new, step)
        first >>= 1
        last >>= 1
    return last == 0 and (old, new) == (old_root, new_root)


Node: TypeAlias = tuple[int, int]
"""(level, index): the root of a whole subtree, over the 2**level leaves from index * 2**level on."""


def subtrees(start: int, end: int) -> list[Node]:
    """The whole subtrees that leaves `start` to `end` fall into, from the left; `start` is where one may begin."""
    found: list[Node] = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


def inclusion_nodes(index: int, size: int) -> list[list[Node]]:
    """The steps of a leaf's path from the bottom up, each as the whole subtrees whose hashes make it (`join`)."""
    steps: list[list[Node]] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            steps.append(subtrees(split, end))
            end = split
        else:
            steps.append(subtrees(start, split))
            start = split
    return steps[::-1]


def consistency_nodes(old_size: int, new_size: int) -> list[list[Node]]:
    """The steps of a consistency proof (RFC 6962, 2.1.2), each as the whole subtrees whose hashes make it."""
    if not 0 < old_size < new_size:
        return []
    steps: list[list[Node]] = []
    start, end, is_whole = 0, new_size, True
    while old_size != end:
        split = start + _split(end - start)
        if old_size <= split:
            steps.append(subtrees(split, end))
            end = split
        else:
            steps.append(subtrees(start, split))
            start, is_whole = split, False
    if not is_whole:
        steps.append(subtrees(start, end))
    return steps[::-1]


class Edge:
    """A tree that grows at its right edge: its size, and the roots of the whole subtrees that it is made of."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        # From the left, as `subtrees(0, size)` names them.
        self._hashes = list(hashes)

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        return join(self._hashes)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf's hash: (level, number, hash) of each subtree that it makes whole, its own first."""
        level, number, found = 0, self.size, leaf
        made = [(level, number, found)]
        while number & 1:
            found = hash_node(self._hashes.pop(), found)
            level, number = level + 1, number >> 1
            made.append((level, number, found))
        self._hashes.append(found)
        self.size += 1
        return made


def join(hashes: Iterable[bytes]) -> bytes:
    """The hash over neighbouring whole subtrees, given from the left, as one part of a tree."""
    found: bytes | None = None
    for one in reversed(list(hashes)):
        found = one if found is None else hash_node(one, found)
    return EMPTY if found is None else found


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
