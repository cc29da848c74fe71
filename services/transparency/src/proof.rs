//! RFC 9162, section 2.1.3: that a leaf is in a tree, shown by a few hashes.

use std::{collections::BTreeMap, ops::Range};

use crate::tree::{Frontier, Hash};

/// The subtrees whose roots prove a leaf to be in a tree, from the leaf upwards. Empty when the tree
/// has no such leaf.
pub fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let (mut ranges, mut whole) = (Vec::new(), 0..size);
    while whole.contains(&index) && whole.end - whole.start > 1 {
        let middle = whole.start + split(whole.end - whole.start);
        if index < middle {
            ranges.push(middle..whole.end);
            whole.end = middle;
        } else {
            ranges.push(whole.start..middle);
            whole.start = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Computes the roots of some subtrees while the leaves go by once, in their order.
#[derive(Debug, Default)]
pub struct Subtrees(BTreeMap<(u64, u64), Frontier>);

impl Subtrees {
    /// Asks for a subtree.
    pub fn want(&mut self, range: &Range<u64>) {
        self.0.entry((range.start, range.end)).or_default();
    }

    /// The leaf of this index goes by.
    pub fn push(&mut self, index: u64, leaf: Hash) {
        for ((start, end), tree) in &mut self.0 {
            if (*start..*end).contains(&index) {
                tree.push(leaf);
            }
        }
    }

    /// The root of a subtree that was asked for, once all its leaves went by.
    pub fn root(&self, range: &Range<u64>) -> Option<Hash> {
        let tree = self.0.get(&(range.start, range.end))?;
        (tree.size() == range.end - range.start).then(|| tree.root())
    }
}

/// Whether `path` shows that `leaf` is the leaf `index` of the tree of `size` leaves with this `root`
/// (RFC 9162, section 2.1.3.2).
pub fn includes(root: Hash, size: u64, index: u64, leaf: Hash, path: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = Hash::node(*sibling, hash);
            // The last of a level that has no right sibling stands for its level above.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::node(hash, *sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;
    use sha2::Sha256;

    fn data(index: u64) -> Vec<u8> {
        format!("leaf {index}").into_bytes()
    }

    fn path(index: u64, size: u64) -> Vec<Hash> {
        let ranges = inclusion_ranges(index, size);
        let mut subtrees = Subtrees::default();
        ranges.iter().for_each(|range| subtrees.want(range));
        (0..size).for_each(|index| subtrees.push(index, Hash::leaf(&data(index))));
        ranges.iter().map(|range| subtrees.root(range).expect("all leaves went by")).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn roots_and_paths_are_those_of_another_implementation(size in 1u64..300, at in 0u64..300) {
            let index = at % size;
            let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
            let mut ours = Frontier::default();
            for index in 0..size {
                theirs.push(data(index));
                ours.push(Hash::leaf(&data(index)));
            }
            let root = theirs.root();
            prop_assert_eq!(&ours.root().0[..], &root.as_bytes()[..]);
            let path = path(index, size);
            let flat: Vec<u8> = path.iter().flat_map(|hash| hash.0).collect();
            let proof = theirs.prove_inclusion(usize::try_from(index).expect("small"));
            prop_assert_eq!(&flat[..], proof.as_bytes());
            prop_assert!(includes(ours.root(), size, index, Hash::leaf(&data(index)), &path));
        }

        #[test]
        fn no_other_leaf_place_size_or_path_is_taken(size in 2u64..200, at in 0u64..200, other in 1u64..200, flip in 0usize..8) {
            let index = at % size;
            let mut tree = Frontier::default();
            (0..size).for_each(|index| tree.push(Hash::leaf(&data(index))));
            let (root, leaf, path) = (tree.root(), Hash::leaf(&data(index)), path(index, size));
            let elsewhere = (index + other % (size - 1) + 1) % size;
            prop_assert!(elsewhere == index || !includes(root, size, elsewhere, leaf, &path));
            prop_assert!(!includes(root, size, index, Hash::leaf(&data(elsewhere + size)), &path));
            prop_assert!(!includes(root, size, index, leaf, &path[1..]));
            prop_assert!(!includes(root, size, index, leaf, &[&path[..], &path[..1]].concat()));
            let mut altered = path.clone();
            altered[flip % path.len()].0[flip] ^= 1;
            prop_assert!(!includes(root, size, index, leaf, &altered));
            prop_assert!(!includes(root, index, index, leaf, &path), "outside of the tree");
        }
    }
}
