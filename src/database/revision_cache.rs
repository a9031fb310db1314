//! A byte-bounded LRU cache: id → value at one revision.
//!
//! By hand: a request takes hundreds of values at exact revisions, all of them or none, and what it read replaces
//! nothing newer. That is one lock each here; in quick_cache and moka it is a look-up, a comparison and a conditional
//! insert per value. quick_cache also divides its bound among shards, one of which a large KPI can exceed, and moka
//! lets nothing into a full cache, unless told otherwise, that is not asked for more often than what is there.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::transaction::Transaction;
use crate::error::Result;

/// A value that the cache can keep.
pub(crate) trait RevisionCacheValue {
    /// The revision of the entity that the value was read at.
    fn revision(&self) -> i32;
    /// Its memory in bytes, estimated.
    fn estimated_bytes(&self) -> usize;
}

/// The cache. Values are shared: what is evicted lives on with whoever uses it.
pub(crate) struct RevisionCache<I, V> {
    /// The most bytes that it keeps.
    pub bound: usize,
    state: Mutex<CacheState<I, V>>,
}

struct CacheState<I, V> {
    slots: HashMap<I, CachedValue<V>>,
    /// The sum of the bytes of all slots.
    bytes: usize,
    /// Number of requests so far: the time of the LRU order.
    turn: u64,
}

struct CachedValue<V> {
    value: Arc<V>,
    /// Its bytes when it was put here.
    bytes: usize,
    /// The turn of its last use.
    used: u64,
}

impl<I: Copy + Eq + Hash + Ord, V: RevisionCacheValue> RevisionCache<I, V> {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            bound,
            state: Mutex::new(CacheState {
                slots: HashMap::new(),
                bytes: 0,
                turn: 0,
            }),
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, CacheState<I, V>> {
        // Every change leaves the state whole, also where a thread panics after it: a poisoned lock is no reason to
        // stop.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The values of these ids at their revisions: from here if all are, otherwise by `read`, from the snapshot of
    /// `tx`.
    pub(crate) async fn get_or_read(
        &self,
        tx: &Transaction,
        wanted: &[(I, i32)],
        read: impl Future<Output = Result<Vec<Arc<V>>>>,
    ) -> Result<Vec<Arc<V>>> {
        if let Some(all) = self.get_all_at_revisions(wanted) {
            return Ok(all);
        }
        // Nobody pays: the first reader after a restart would be refused for what everybody after them gets for
        // nothing.
        let read = tx.run_uncharged(read).await?;
        Ok(self.insert_unless_newer(wanted, read))
    }

    /// The value of an id at whichever revision. Does not count as a use.
    pub(crate) fn peek_any_revision(&self, id: I) -> Option<Arc<V>> {
        let state = self.lock_state();
        state.slots.get(&id).map(|slot| Arc::clone(&slot.value))
    }

    /// The value of each of these ids, where it is there at its revision.
    pub(crate) fn get_each(&self, wanted: &[(I, i32)]) -> Vec<Option<Arc<V>>> {
        let mut state = self.lock_state();
        state.turn += 1;
        let each = wanted.iter().map(|one| state.use_at_revision(one));
        each.collect()
    }

    /// The values of these ids, if each is there at its revision.
    fn get_all_at_revisions(&self, wanted: &[(I, i32)]) -> Option<Vec<Arc<V>>> {
        let mut state = self.lock_state();
        state.turn += 1;
        // All or nothing: whoever misses one goes to `load`, which asks for each value by itself.
        let all = wanted.iter().map(|one| state.use_at_revision(one));
        all.collect()
    }

    /// Keeps values that were read, except where a newer one is there, and gives them back.
    pub(crate) fn insert_unless_newer(
        &self,
        wanted: &[(I, i32)],
        read: Vec<Arc<V>>,
    ) -> Vec<Arc<V>> {
        let mut state = self.lock_state();
        state.turn += 1;
        for ((id, revision), value) in wanted.iter().zip(&read) {
            let there = state.slots.get(id).map(|slot| slot.value.revision());
            // An older snapshot must not push out what newer ones need: everybody after it would read again.
            if there.is_none_or(|there| there <= *revision) {
                state.insert(*id, Arc::clone(value));
            }
        }
        state.evict(self.bound);
        // What was read, not what the cache has: the caller's snapshot sees exactly these.
        read
    }

    /// The bytes of all values.
    pub(crate) fn bytes(&self) -> usize {
        self.lock_state().bytes
    }

    /// The sum of a measure over all values.
    pub(crate) fn sum(&self, measure: impl Fn(&V) -> usize) -> usize {
        let state = self.lock_state();
        state.slots.values().map(|slot| measure(&slot.value)).sum()
    }
}

impl<I: Copy + Eq + Hash + Ord, V: RevisionCacheValue> CacheState<I, V> {
    /// The value of an id, if it is there at this revision: used in this turn.
    fn use_at_revision(&mut self, (id, revision): &(I, i32)) -> Option<Arc<V>> {
        let slot = self.slots.get_mut(id)?;
        if slot.value.revision() != *revision {
            return None;
        }
        slot.used = self.turn;
        Some(Arc::clone(&slot.value))
    }

    fn insert(&mut self, id: I, value: Arc<V>) {
        let bytes = value.estimated_bytes();
        self.bytes += bytes;
        let slot = CachedValue {
            value,
            bytes,
            used: self.turn,
        };
        if let Some(before) = self.slots.insert(id, slot) {
            self.bytes -= before.bytes;
        }
    }

    /// Removes the least recently used values until the rest fits.
    fn evict(&mut self, bound: usize) {
        if self.bytes <= bound {
            return;
        }
        // Sorting all is dearer than a linked list, but only who reads from the database comes here.
        let slots = self.slots.iter();
        let mut oldest: Vec<(u64, I)> = slots.map(|(id, slot)| (slot.used, *id)).collect();
        oldest.sort_unstable();
        for (_, id) in oldest {
            if self.bytes <= bound {
                break;
            }
            if let Some(slot) = self.slots.remove(&id) {
                self.bytes -= slot.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Weighted(i32, usize);

    impl RevisionCacheValue for Weighted {
        fn revision(&self) -> i32 {
            self.0
        }

        fn estimated_bytes(&self) -> usize {
            self.1
        }
    }

    fn keep(cache: &RevisionCache<i32, Weighted>, id: i32, revision: i32, bytes: usize) {
        cache.insert_unless_newer(&[(id, revision)], vec![Arc::new(Weighted(revision, bytes))]);
    }

    #[test]
    fn a_value_is_given_at_its_revision_alone_and_never_made_older() {
        let cache = RevisionCache::new(100);
        keep(&cache, 1, 2, 10);
        assert!(cache.get_all_at_revisions(&[(1, 2)]).is_some());
        assert!(
            cache.get_all_at_revisions(&[(1, 3)]).is_none()
                && cache.get_all_at_revisions(&[(1, 1)]).is_none()
        );
        keep(&cache, 1, 1, 10);
        assert!(cache.get_all_at_revisions(&[(1, 2)]).is_some());
        keep(&cache, 1, 3, 20);
        assert!(cache.get_all_at_revisions(&[(1, 3)]).is_some());
        assert_eq!(cache.bytes(), 20);
    }

    #[test]
    fn the_least_recently_used_value_makes_room() {
        let cache = RevisionCache::new(30);
        for id in 1..=3 {
            keep(&cache, id, 1, 10);
        }
        assert!(cache.get_all_at_revisions(&[(1, 1)]).is_some());
        keep(&cache, 4, 1, 10);
        let there: Vec<i32> = (1..=4)
            .filter(|id| cache.peek_any_revision(*id).is_some())
            .collect();
        assert_eq!(there, [1, 3, 4]);
        assert_eq!(cache.bytes(), 30);
    }
}
