//! Which of very many things stand twice, told in sixteen bytes for each of them: they are compared by 96 bits of a
//! hash whose key nobody knows, which for millions of things is as good as comparing them.

use std::hash::{BuildHasher, Hash, RandomState};

/// How many parts the things are kept in, by their hash: lists that grow are copied, and of many short ones only one is
/// copied at a time.
const PARTS: usize = 64;

/// The things so far.
#[derive(Debug)]
pub struct DuplicateFinder {
    one: RandomState,
    other: RandomState,
    met: Vec<Vec<HashedOccurrence>>,
}

impl Default for DuplicateFinder {
    fn default() -> Self {
        Self {
            one: RandomState::new(),
            other: RandomState::new(),
            met: vec![Vec::new(); PARTS],
        }
    }
}

/// What is kept of a thing. The same things come together in order, the first in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct HashedOccurrence {
    hash: u64,
    more: u32,
    at: u32,
}

impl DuplicateFinder {
    /// Notes a thing that stands at this place.
    pub fn add_occurrence(&mut self, thing: &impl Hash, at: u32) {
        let [a, b, c, d, ..] = self.other.hash_one(thing).to_le_bytes();
        let hash = self.one.hash_one(thing);
        // The rest is less than the number of parts.
        let part = usize::try_from(hash % PARTS as u64).unwrap_or_default();
        self.met[part].push(HashedOccurrence {
            hash,
            more: u32::from_le_bytes([a, b, c, d]),
            at,
        });
    }

    /// Where a thing stands again, and where it stands first, in the order of the places.
    #[must_use]
    pub fn into_duplicates(mut self) -> Vec<(u32, u32)> {
        let mut again = Vec::new();
        let same =
            |a: &HashedOccurrence, b: &HashedOccurrence| (a.hash, a.more) == (b.hash, b.more);
        // Sorted once at the end: a set that grows would hold two copies of itself while it is being made larger.
        self.met.iter_mut().for_each(|part| part.sort_unstable());
        for group in self.met.iter().flat_map(|part| part.chunk_by(same)) {
            if let [first, rest @ ..] = group {
                again.extend(rest.iter().map(|mark| (mark.at, first.at)));
            }
        }
        again.sort_unstable();
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_again_is_told_with_where_it_stands_first() {
        let mut once = DuplicateFinder::default();
        for (at, thing) in (0..).zip(["a", "b", "a", "c", "b", "a"]) {
            once.add_occurrence(&thing, at);
        }
        assert_eq!(once.into_duplicates(), [(2, 0), (4, 1), (5, 0)]);
    }

    #[test]
    fn of_very_many_that_differ_none_stands_again() {
        let mut once = DuplicateFinder::default();
        (0..300_000_u32).for_each(|at| once.add_occurrence(&at, at));
        assert_eq!(once.into_duplicates(), []);
    }

    #[test]
    fn sixteen_bytes_are_kept_of_each() {
        assert_eq!(size_of::<HashedOccurrence>(), 16);
    }
}
