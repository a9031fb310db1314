//! One queue: slots, and those who wait for them. It refuses whoever would wait too long, and says so at once.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{holder::SlotHolder, overloaded::Overloaded};

/// After so long without a refusal, waiting is worth while again.
const RECOVERY: Duration = Duration::from_secs(1);
/// How much the newest of what slots were held for counts in their average.
const NEWEST: f64 = 0.1;
/// How many may wait for each slot at the most, however short their turns are: each holds what it was sent.
const EACH: usize = 64;

/// How a queue works.
#[derive(Clone, Copy, Debug)]
pub struct QueueSettings {
    /// How many are worked for at the same time.
    pub slots: usize,
    /// How many of the slots one holder may take.
    pub share: usize,
    /// How long one may have to wait while nobody is refused.
    pub calm: Duration,
    /// How long one may have to wait while others are.
    pub congested: Duration,
}

/// Slots, and those who wait for them; a copy is the same queue.
#[derive(Clone, Debug)]
pub struct AdmissionQueue(Arc<QueueInner>);

#[derive(Debug)]
struct QueueInner {
    settings: QueueSettings,
    state: Mutex<QueueState>,
}

#[derive(Debug, Default)]
struct QueueState {
    taken: usize,
    held: HashMap<SlotHolder, usize>,
    /// In the order of coming.
    waiting: VecDeque<Waiter>,
    /// Seconds for which slots are held, on average; zero until one was given back.
    average: f64,
    refused: Option<Instant>,
    refusals: u64,
}

#[derive(Debug)]
struct Waiter {
    holder: SlotHolder,
    wake: oneshot::Sender<Slot>,
}

/// Leave to work, given back when it is dropped.
#[derive(Debug)]
pub struct Slot {
    queue: AdmissionQueue,
    holder: SlotHolder,
    since: Instant,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let queue = self.queue.clone();
        queue
            .lock_state()
            .give_slot_back(self.holder, self.since.elapsed());
        queue.hand_out_slots();
    }
}

impl AdmissionQueue {
    /// A queue in which nobody waits.
    #[must_use]
    pub fn new(settings: QueueSettings) -> Self {
        Self(Arc::new(QueueInner {
            settings,
            state: Mutex::default(),
        }))
    }

    fn lock_state(&self) -> MutexGuard<'_, QueueState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a slot.
    ///
    /// # Errors
    /// It would take, or has taken, too long.
    pub async fn wait_for_slot(&self, holder: SlotHolder) -> Result<Slot, Overloaded> {
        let settings = self.0.settings;
        let now = Instant::now();
        // In a block, so that the lock is free before the wait.
        let (turn, patience) = {
            let mut state = self.lock_state();
            if state.may_take_slot(holder, &settings) {
                state.take_slot(holder);
                drop(state);
                return Ok(self.new_slot(holder));
            }
            let allowed = state.longest_allowed_wait(&settings, now);
            if state.expected_wait(holder, &settings) > allowed {
                let told = state.refuse_and_remove_late_waiters(&settings, now);
                drop(state);
                // After the lock: dropping a sender wakes somebody who then asks for the lock.
                drop(told);
                return Err(Overloaded);
            }
            let (wake, turn) = oneshot::channel();
            state.waiting.push_back(Waiter { holder, wake });
            // What is expected may be wrong: those that are worked for now may take longer than others did.
            let patience = match allowed == settings.calm {
                true => settings.calm,
                false => 2 * settings.congested,
            };
            (turn, patience)
        };
        match timeout(patience, turn).await {
            Ok(Ok(slot)) => Ok(slot),
            // Somebody came and showed that it would take too long.
            Ok(Err(_)) => {
                // Counted here and not by `refuse_and_remove_late_waiters`, which counts only the refusal of its own
                // caller.
                self.lock_state().refusals += 1;
                Err(Overloaded)
            }
            Err(_) => {
                let told = self
                    .lock_state()
                    .refuse_and_remove_late_waiters(&settings, Instant::now());
                drop(told);
                Err(Overloaded)
            }
        }
    }

    /// How many are worked for.
    #[must_use]
    pub fn taken_slot_count(&self) -> usize {
        self.lock_state().taken
    }

    /// How many wait.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        let mut state = self.lock_state();
        state.waiting.retain(|waiting| !waiting.wake.is_closed());
        state.waiting.len()
    }

    /// How many were told to come again.
    #[must_use]
    pub fn refusal_count(&self) -> u64 {
        self.lock_state().refusals
    }

    fn new_slot(&self, holder: SlotHolder) -> Slot {
        Slot {
            queue: self.clone(),
            holder,
            since: Instant::now(),
        }
    }

    /// Hands free slots to those who wait.
    fn hand_out_slots(&self) {
        loop {
            let next = self
                .lock_state()
                .take_slot_for_next_waiter(&self.0.settings);
            let Some(Waiter { holder, wake }) = next else {
                return;
            };
            // Whoever went away meanwhile gives the slot back at once, and this goes on in a call of its own; not
            // under the lock.
            drop(wake.send(self.new_slot(holder)));
        }
    }
}

impl QueueState {
    fn slot_count_of(&self, holder: SlotHolder) -> usize {
        self.held.get(&holder).copied().unwrap_or_default()
    }

    fn may_take_slot(&self, holder: SlotHolder, settings: &QueueSettings) -> bool {
        self.taken < settings.slots && self.slot_count_of(holder) < settings.share
    }

    fn take_slot(&mut self, holder: SlotHolder) {
        self.taken += 1;
        *self.held.entry(holder).or_default() += 1;
    }

    fn give_slot_back(&mut self, holder: SlotHolder, held: Duration) {
        self.taken -= 1;
        if let Some(count) = self.held.get_mut(&holder) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&holder);
            }
        }
        let held = held.as_secs_f64();
        // The first one is the average: beginning from zero, the first many would be let in to wait for nothing.
        self.average = match self.average == 0.0 {
            true => held,
            false => self.average + NEWEST * (held - self.average),
        };
    }

    /// Takes a slot for the one who waits and holds the fewest.
    fn take_slot_for_next_waiter(&mut self, settings: &QueueSettings) -> Option<Waiter> {
        self.waiting.retain(|waiting| !waiting.wake.is_closed());
        if self.taken >= settings.slots {
            return None;
        }
        let held = |at: usize| self.slot_count_of(self.waiting[at].holder);
        // `min_by_key` gives the first of equals, which came first.
        let may = (0..self.waiting.len()).filter(|at| held(*at) < settings.share);
        let next = self.waiting.remove(may.min_by_key(|at| held(*at))?)?;
        self.take_slot(next.holder);
        Some(next)
    }

    fn longest_allowed_wait(&self, settings: &QueueSettings, now: Instant) -> Duration {
        match self.refused {
            Some(at) if now.saturating_duration_since(at) < RECOVERY => settings.congested,
            _ => settings.calm,
        }
    }

    /// How long whoever comes now has to wait. Before them come, of each other holder, no more than they have waiting
    /// themselves: slots are handed out in turns.
    fn expected_wait(&mut self, holder: SlotHolder, settings: &QueueSettings) -> Duration {
        self.waiting.retain(|waiting| !waiting.wake.is_closed());
        if self.waiting.len() >= settings.slots.saturating_mul(EACH) {
            return Duration::MAX;
        }
        let mut counts: HashMap<SlotHolder, usize> = HashMap::new();
        for waiting in &self.waiting {
            *counts.entry(waiting.holder).or_default() += 1;
        }
        // With whoever comes now.
        let own = 1 + counts.get(&holder).copied().unwrap_or_default();
        let others = counts.iter().filter(|(other, _)| **other != holder);
        let before: usize = own + others.map(|(_, count)| own.min(*count)).sum::<usize>();
        let turns = (before as f64 / settings.slots as f64).max(own as f64 / settings.share as f64);
        Duration::try_from_secs_f64(turns * self.average).unwrap_or(Duration::MAX)
    }

    /// Notes a refusal and takes out of the queue those whose turn is not near. Dropping them tells them: not under the
    /// lock.
    fn refuse_and_remove_late_waiters(
        &mut self,
        settings: &QueueSettings,
        now: Instant,
    ) -> Vec<Waiter> {
        self.refused = Some(now);
        self.refusals += 1;
        let turn = self.average / settings.slots as f64;
        // Not less than a microsecond each: before anything was given back the average is zero.
        let near = (settings.congested.as_secs_f64() / turn.max(1e-6)) as usize;
        let mut holders = HashSet::new();
        let (mut stay, mut go) = (VecDeque::new(), Vec::new());
        for waiting in self.waiting.drain(..) {
            // The first of some holders: who floods the queue takes nobody else's turn.
            let first = holders.insert(waiting.holder) && holders.len() <= settings.slots;
            match first || stay.len() < near {
                true => stay.push_back(waiting),
                false => go.push(waiting),
            }
        }
        self.waiting = stay;
        go
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(slots: usize, share: usize) -> AdmissionQueue {
        AdmissionQueue::new(QueueSettings {
            slots,
            share,
            calm: Duration::from_secs(1),
            congested: Duration::from_millis(25),
        })
    }

    /// Works for so long once it is let in, and tells how long it waited.
    fn works(
        queue: &AdmissionQueue,
        holder: SlotHolder,
        long: u64,
    ) -> tokio::task::JoinHandle<Result<Duration, Duration>> {
        let (queue, begun) = (queue.clone(), Instant::now());
        tokio::spawn(async move {
            let Ok(slot) = queue.wait_for_slot(holder).await else {
                return Err(begun.elapsed());
            };
            let waited = begun.elapsed();
            tokio::time::sleep(Duration::from_millis(long)).await;
            drop(slot);
            Ok(waited)
        })
    }

    #[tokio::test]
    async fn a_burst_that_can_be_worked_off_in_a_second_is_worked_off() {
        let queue = queue(8, 8);
        works(&queue, 1, 5).await.expect("it runs").expect("a slot");
        let all: Vec<_> = (0..200).map(|_| works(&queue, 1, 5)).collect();
        for one in all {
            one.await.expect("it runs").expect("nobody is refused");
        }
    }

    #[tokio::test]
    async fn at_four_times_what_can_be_done_the_rest_is_told_at_once() {
        let queue = queue(4, 4);
        let (mut waited, mut refused) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        let mut all = Vec::new();
        // 4 slots of 80 ms: 50 a second can be done, 200 come.
        while begun.elapsed() < Duration::from_secs(4) {
            all.push(works(&queue, 1, 80));
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        for one in all {
            match one.await.expect("it runs") {
                Ok(wait) => waited.push(wait),
                Err(wait) => refused.push(wait),
            }
        }
        waited.sort();
        refused.sort();
        let most = |all: &[Duration], share: usize| all[all.len() * share / 100];
        let usual = (
            waited.len(),
            most(&waited, 50),
            most(&refused, 80),
            refused.last(),
        );
        assert!(waited.len() > 120, "slots are not left empty: {usual:?}");
        assert!(most(&waited, 50) <= Duration::from_millis(80), "{usual:?}");
        assert!(most(&refused, 80) <= Duration::from_millis(50), "{usual:?}");
        assert!(
            refused.last() <= Some(&Duration::from_millis(1_200)),
            "{usual:?}"
        );
        tokio::time::sleep(RECOVERY).await;
        let after: Vec<_> = (0..20).map(|_| works(&queue, 1, 80)).collect();
        for one in after {
            one.await
                .expect("it runs")
                .expect("soon after nobody is refused");
        }
    }

    #[tokio::test]
    async fn who_asks_for_everything_waits_for_itself() {
        let queue = queue(8, 6);
        works(&queue, 1, 50)
            .await
            .expect("it runs")
            .expect("a slot");
        let greedy: Vec<_> = (0..400).map(|_| works(&queue, 1, 50)).collect();
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(queue.taken_slot_count(), 6);
        for _ in 0..10 {
            let waited = works(&queue, 2, 10).await.expect("it runs");
            let waited = waited.expect("two slots are left for others");
            assert!(waited < Duration::from_millis(40), "{waited:?}");
        }
        greedy.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test]
    async fn whoever_goes_away_holds_no_slot_and_no_turn() {
        let queue = queue(1, 1);
        let first = queue.wait_for_slot(1).await.expect("a slot");
        let gone: Vec<_> = (0..10).map(|_| works(&queue, 1, 100)).collect();
        tokio::time::sleep(Duration::from_millis(10)).await;
        gone.iter().for_each(tokio::task::JoinHandle::abort);
        let last = works(&queue, 1, 0);
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(first);
        last.await.expect("it runs").expect("a slot");
        assert_eq!(queue.taken_slot_count(), 0);
    }

    #[tokio::test]
    async fn where_all_slots_are_held_for_long_nobody_waits_for_long() {
        let queue = queue(2, 2);
        let _held = [queue.wait_for_slot(1).await, queue.wait_for_slot(2).await];
        let waited = works(&queue, 3, 0)
            .await
            .expect("it runs")
            .expect_err("refused");
        assert!(waited >= Duration::from_secs(1), "{waited:?}");
        let waited = works(&queue, 3, 0)
            .await
            .expect("it runs")
            .expect_err("refused");
        assert!(waited < Duration::from_millis(500), "{waited:?}");
    }
}
