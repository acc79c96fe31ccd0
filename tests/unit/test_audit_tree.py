"""The Merkle tree gives the roots of RFC 6962, and its proofs hold for what is in it and for nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.chain import leaf_hash
from app.audit.tree import Tree, inclusion_proof, node_hash, root_from_proof

# The entries and roots that certificate transparency logs are tested with, by size.
ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SIZES = range(1, 40)


def leaves(count: int) -> list[bytes]:
    """Leaves that all differ."""
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def defined(nodes: list[bytes]) -> bytes:
    """MTH as RFC 6962 §2.1 defines it."""
    if not nodes:
        return hashlib.sha256().digest()
    if len(nodes) == 1:
        return nodes[0]
    left = max(2**power for power in range(20) if 2**power < len(nodes))
    return node_hash(defined(nodes[:left]), defined(nodes[left:]))


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_the_published_ones(size: int) -> None:
    nodes = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES[:size]]
    assert Tree(nodes).root().hex() == ROOTS[size]


@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_tree_that_grows_in_any_steps_has_the_root_of_its_leaves(steps: list[int]) -> None:
    nodes, tree = leaves(sum(steps)), Tree()
    for step in steps:
        tree.extend(nodes[tree.size : tree.size + step])
        assert tree.root() == defined(nodes[: tree.size])


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_has_a_proof(size: int) -> None:
    nodes = leaves(size + 3)
    root = defined(nodes[:size])
    for index in range(size):
        hashes = inclusion_proof(nodes, index, size)
        assert root_from_proof(nodes[index], index, size, hashes) == root
        assert len(hashes) <= (size - 1).bit_length()


@pytest.mark.parametrize("size", SIZES)
def test_a_proof_holds_for_its_leaf_and_place_only(size: int) -> None:
    nodes = leaves(size + 1)
    root = defined(nodes[:size])
    for index in range(size):
        hashes = inclusion_proof(nodes, index, size)
        assert root_from_proof(nodes[size], index, size, hashes) != root
        assert all(root_from_proof(nodes[index], i, size, hashes) != root for i in range(size) if i != index)
        assert root_from_proof(nodes[index], index, size, [*hashes, nodes[0]]) is None
        if hashes:
            assert root_from_proof(nodes[index], index, size, hashes[:-1]) != root
            assert root_from_proof(nodes[index], index, size, [nodes[size], *hashes[1:]]) != root


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (4, 3)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        inclusion_proof(leaves(9), index, size)
    assert root_from_proof(leaves(1)[0], index, size, []) is None


def test_a_proof_needs_all_leaves() -> None:
    with pytest.raises(ValueError, match="fewer than 9"):
        inclusion_proof(leaves(8), 2, 9)
