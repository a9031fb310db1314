//! A bounded shelf: things by their ids, each at one revision; what was asked for longest ago makes room.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a shelf keeps.
pub trait Revisioned {
    /// The revision of the thing that this is.
    fn revision(&self) -> i32;
    /// About how many bytes it takes.
    fn bytes(&self) -> usize;
}

/// Things in memory.
pub struct RevisionCache<I, K> {
    /// How many bytes it takes at the most.
    pub bound: usize,
    held: Mutex<CacheState<I, K>>,
}

struct CacheState<I, K> {
    things: HashMap<I, CacheSlot<K>>,
    bytes: usize,
    /// How often anything was asked for.
    asked: u64,
}

struct CacheSlot<K> {
    kept: Arc<K>,
    bytes: usize,
    /// When it was asked for last.
    asked: u64,
}

impl<I: Copy + Eq + Hash + Ord, K: Revisioned> RevisionCache<I, K> {
    pub fn new(bound: usize) -> Self {
        Self {
            bound,
            held: Mutex::new(CacheState {
                things: HashMap::new(),
                bytes: 0,
                asked: 0,
            }),
        }
    }

    fn held(&self) -> MutexGuard<'_, CacheState<I, K>> {
        // What is kept is whole at any moment: whoever broke off left nothing half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thing, at whichever revision.
    pub fn get(&self, id: I) -> Option<Arc<K>> {
        let held = self.held();
        held.things.get(&id).map(|thing| Arc::clone(&thing.kept))
    }

    /// These things, if each is there at its revision.
    pub fn all(&self, wanted: &[(I, i32)]) -> Option<Vec<Arc<K>>> {
        let mut held = self.held();
        held.asked += 1;
        let asked = held.asked;
        let mut all = Vec::with_capacity(wanted.len());
        for (id, revision) in wanted {
            let thing = held.things.get_mut(id)?;
            if thing.kept.revision() != *revision {
                return None;
            }
            thing.asked = asked;
            all.push(Arc::clone(&thing.kept));
        }
        Some(all)
    }

    /// Keeps what was read, where it is not older than what is there, and gives it.
    pub fn keep(&self, wanted: &[(I, i32)], read: Vec<Arc<K>>) -> Vec<Arc<K>> {
        let mut held = self.held();
        held.asked += 1;
        let asked = held.asked;
        for ((id, revision), kept) in wanted.iter().zip(&read) {
            let there = held.things.get(id).map(|thing| thing.kept.revision());
            if there.is_none_or(|there| there <= *revision) {
                held.put(*id, Arc::clone(kept), asked);
            }
        }
        held.make_room(self.bound);
        read
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.held().bytes
    }

    /// What all things come to.
    pub fn sum(&self, of: impl Fn(&K) -> usize) -> usize {
        self.held()
            .things
            .values()
            .map(|thing| of(&thing.kept))
            .sum()
    }
}

impl<I: Copy + Eq + Hash + Ord, K: Revisioned> CacheState<I, K> {
    fn put(&mut self, id: I, kept: Arc<K>, asked: u64) {
        let bytes = kept.bytes();
        self.bytes += bytes;
        let thing = CacheSlot { kept, bytes, asked };
        if let Some(before) = self.things.insert(id, thing) {
            self.bytes -= before.bytes;
        }
    }

    fn make_room(&mut self, bound: usize) {
        if self.bytes <= bound {
            return;
        }
        let things = self.things.iter();
        let mut oldest: Vec<(u64, I)> = things.map(|(id, thing)| (thing.asked, *id)).collect();
        oldest.sort_unstable();
        for (_, id) in oldest {
            if self.bytes <= bound {
                break;
            }
            if let Some(thing) = self.things.remove(&id) {
                self.bytes -= thing.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Of(i32, usize);

    impl Revisioned for Of {
        fn revision(&self) -> i32 {
            self.0
        }

        fn bytes(&self) -> usize {
            self.1
        }
    }

    fn keep(shelf: &RevisionCache<i32, Of>, id: i32, revision: i32, bytes: usize) {
        shelf.keep(&[(id, revision)], vec![Arc::new(Of(revision, bytes))]);
    }

    #[test]
    fn a_thing_is_given_at_its_revision_alone_and_never_made_older() {
        let shelf = RevisionCache::new(100);
        keep(&shelf, 1, 2, 10);
        assert!(shelf.all(&[(1, 2)]).is_some());
        assert!(shelf.all(&[(1, 3)]).is_none() && shelf.all(&[(1, 1)]).is_none());
        keep(&shelf, 1, 1, 10);
        assert!(shelf.all(&[(1, 2)]).is_some());
        keep(&shelf, 1, 3, 20);
        assert!(shelf.all(&[(1, 3)]).is_some());
        assert_eq!(shelf.bytes(), 20);
    }

    #[test]
    fn what_was_asked_for_longest_ago_makes_room() {
        let shelf = RevisionCache::new(30);
        for id in 1..=3 {
            keep(&shelf, id, 1, 10);
        }
        assert!(shelf.all(&[(1, 1)]).is_some());
        keep(&shelf, 4, 1, 10);
        let there: Vec<i32> = (1..=4).filter(|id| shelf.get(*id).is_some()).collect();
        assert_eq!(there, [1, 3, 4]);
        assert_eq!(shelf.bytes(), 30);
    }
}
