"""Merkle trees: RFC 6962's own shape, and proofs that hold for what they prove and for nothing else."""

import hashlib
import random

from core.proof.tree import (
    EMPTY,
    HASH_SIZE,
    Edge,
    Node,
    build,
    consistency_nodes,
    hash_leaf,
    hash_node,
    inclusion_nodes,
    is_consistent,
    is_included,
    join,
    paths_in,
    root_of,
    subtrees,
)

# Certificate Transparency's well-known test leaves and the roots over the first 1 to 8 of them.
DATA = [
    bytes.fromhex(one)
    for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [hash_leaf(str(at).encode()) for at in range(70)]


def recursive(leaves: list[bytes]) -> bytes:
    """RFC 6962's definition, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hash_node(recursive(leaves[:split]), recursive(leaves[split:]))


def stored(nodes: list[list[Node]]) -> bytes:
    """A proof put together from whole subtrees alone, as a database keeps them."""
    return b"".join(join(recursive(LEAVES[at << level : (at + 1) << level]) for level, at in step) for step in nodes)


def test_the_roots_are_those_of_the_certificate_transparency_vectors() -> None:
    leaves = [hash_leaf(one) for one in DATA]
    assert [root_of(leaves[:size]).hex() for size in range(1, 9)] == ROOTS
    assert root_of([]) == EMPTY == hashlib.sha256(b"").digest()


def test_every_leaf_of_every_tree_has_a_path_that_proves_it_and_nothing_else() -> None:
    for size in range(1, len(LEAVES)):
        leaves = LEAVES[:size]
        levels = build(leaves)
        root = levels[-1][0]
        assert (
            root
            == recursive(leaves)
            == join(recursive(LEAVES[at << level : (at + 1) << level]) for level, at in subtrees(0, size))
        )
        for index in range(size):
            path = paths_in(levels)[index]
            assert path == stored(inclusion_nodes(index, size))
            assert is_included(leaves[index], index, size, path, root)
            assert not is_included(leaves[index], (index + 1) % size, size, path, root) or size == 1
            assert not is_included(hash_leaf(b"another"), index, size, path, root)
            assert not is_included(leaves[index], index, size, path + root, root)
            assert not is_included(leaves[index], index, size, path[:-1], root) or not path
            if path:
                assert not is_included(leaves[index], index, size, path[HASH_SIZE:], root)
                at = random.randrange(len(path))
                assert not is_included(
                    leaves[index], index, size, path[:at] + bytes((path[at] ^ 1,)) + path[at + 1 :], root
                )
        for index, wrong in ((-1, size), (size, size), (0, 0)):
            assert not is_included(leaves[0], index, wrong, b"", root)


def test_every_tree_is_proved_to_begin_with_every_smaller_one_and_with_no_other() -> None:
    for new in range(1, len(LEAVES)):
        new_root = root_of(LEAVES[:new])
        for old in range(new + 1):
            proof, old_root = stored(consistency_nodes(old, new)), root_of(LEAVES[:old])
            assert is_consistent(old, old_root, new, new_root, proof), (old, new)
            other = root_of([*LEAVES[: old - 1], hash_leaf(b"rewritten")]) if old else hash_leaf(b"x")
            assert not is_consistent(old, other, new, new_root, proof), (old, new)
            if 0 < old < new:
                assert not is_consistent(old, old_root, new, hash_leaf(b"x"), proof)
                assert not is_consistent(old, old_root, new, new_root, proof[HASH_SIZE:])
                assert not is_consistent(old, old_root, new, new_root, proof + new_root)
                at = random.randrange(len(proof))
                assert not is_consistent(
                    old, old_root, new, new_root, proof[:at] + bytes((proof[at] ^ 1,)) + proof[at + 1 :]
                )
    assert not is_consistent(2, ROOTS[1].encode(), 1, ROOTS[0].encode(), b"")


def test_a_tree_that_grows_leaf_by_leaf_writes_each_whole_subtree_once() -> None:
    edge, nodes = Edge(), {}
    for size, leaf in enumerate(LEAVES, start=1):
        for level, number, found in edge.append(leaf):
            assert (level, number) not in nodes
            nodes[level, number] = found
        assert edge.root == root_of(LEAVES[:size])
        edge = Edge(size, [nodes[one] for one in subtrees(0, size)])
    assert len(nodes) == sum(len(LEAVES) >> level for level in range(7))
