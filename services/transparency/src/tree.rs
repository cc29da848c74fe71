//! RFC 9162, section 2.1.1: the hashes of leaves and nodes, and the root of a tree that only grows.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A hash of the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({})", hex::encode(self.0))
    }
}

impl Hash {
    /// Of a leaf's data.
    pub fn leaf(data: &[u8]) -> Hash {
        Hash(Sha256::new_with_prefix([0]).chain_update(data).finalize().into())
    }

    /// Of the node above two others.
    pub fn node(left: Hash, right: Hash) -> Hash {
        Hash(Sha256::new_with_prefix([1]).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// Of the tree without leaves.
    pub fn empty() -> Hash {
        Hash(Sha256::digest([]).into())
    }
}

/// What must be known of a tree to add to it: the roots of its whole subtrees, one for each bit that
/// is set in its size. So a tree of any length takes a few hundred bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// The largest subtree first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// From what was kept of it: how many leaves there are, and [`Frontier::peaks`]; `None` when no tree of
    /// this size has so many.
    pub fn of(size: u64, peaks: Vec<Hash>) -> Option<Frontier> {
        (peaks.len() == size.count_ones() as usize).then_some(Frontier { size, peaks })
    }

    /// The roots of its whole subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf at the end.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each bit that the size carries over joins two subtrees of one height.
        let mut carry = self.size;
        while carry & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = Hash::node(left, hash);
            carry >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root of what was added so far.
    pub fn root(&self) -> Hash {
        let smallest_first = self.peaks.iter().rev().copied();
        smallest_first.reduce(|right, left| Hash::node(left, right)).unwrap_or_else(Hash::empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leaves and roots that the implementations of Certificate Transparency share as known answers
    /// (`certificate-transparency-go`, `merkletree`): RFC 6962, whose hashes RFC 9162 kept.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn the_roots_are_the_known_answers() {
        let mut tree = Frontier::default();
        for (size, root) in ROOTS.iter().enumerate() {
            assert_eq!((tree.size(), hex::encode(tree.root().0)), (size as u64, (*root).to_owned()));
            assert_eq!(Frontier::of(tree.size(), tree.peaks().to_vec()).as_ref(), Some(&tree), "as it was kept");
            assert_eq!(Frontier::of(tree.size() ^ 8, tree.peaks().to_vec()), None);
            if let Some(leaf) = LEAVES.get(size) {
                tree.push(Hash::leaf(&hex::decode(leaf).expect("hex")));
            }
        }
    }
}
