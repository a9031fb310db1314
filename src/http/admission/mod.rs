//! Who is worked for next, and who is told to come again: one queue for each kind of work, so that none takes the
//! place of another. It knows neither requests nor answers.
//!
//! A slot is taken when everything that is needed from the client is there, never while it comes. In front of the
//! slots people wait, and what bounds the waiting is time: as long as nobody had to be refused, a wait is better than a
//! refusal; once somebody was, the work comes faster than it is done, and everybody who waits longer than a
//! moment waits for nothing. That is why then only those stay whose turn is near, and the rest is told at once.
//!
//! ```text
//! calm:       a b c d e f … ──▶ ▢▢▢▢   up to `calm` of expected waiting
//! congested:            a b ──▶ ▢▢▢▢   up to `congested`, for a second after each refusal
//! ```
//!
//! Expected is what the slots have been held for, on average, times the number of those before. Slots go to whom holds
//! the fewest, then in the order of coming, and nobody holds more than a share of them: one account that asks for more
//! than the server can do waits for itself.

mod holder;
mod overloaded;
mod queue;
mod share;

use std::time::Duration;

pub use self::{
    holder::{SlotHolder, slot_holder_of_address},
    overloaded::Overloaded,
    queue::{AdmissionQueue, QueueSettings, Slot},
    share::RequestsByClient,
};

/// While others are being refused: the longest expected wait that is let in. Who was let in is given up after twice
/// that (`wait_for_slot`).
const MOMENT: Duration = Duration::from_millis(15);

/// The queues of a server.
#[derive(Clone, Debug)]
pub struct AdmissionQueues {
    /// What only reads: queries and pictures.
    pub queries: AdmissionQueue,
    /// Mutations, which on SQLite wait for one writer, and share a sync where many of them are at it.
    pub mutations: AdmissionQueue,
    /// Signing in with a password.
    pub sign_in: AdmissionQueue,
    /// Refreshing and ending sessions: nobody who is signed in is thrown out because others sign in.
    pub sessions: AdmissionQueue,
    /// Feeds, each of which holds one of the connections that read for as long as its client reads.
    pub feeds: AdmissionQueue,
    /// Pages of OData.
    pub pages: AdmissionQueue,
    /// Sheets that are coming in, each of which lies in a file meanwhile.
    pub uploads: AdmissionQueue,
    /// The sheet that is being recorded.
    pub sheets: AdmissionQueue,
}

/// How many feeds are streamed at the same time.
pub const FEEDS: usize = 4;

impl AdmissionQueues {
    /// Queues of a server that works on so many queries at the same time, of which no one takes longer than the
    /// deadline.
    #[must_use]
    pub fn new(queries: usize, deadline: Duration) -> Self {
        let second = Duration::from_secs(1);
        let queue = |slots: usize, share: usize, calm: Duration, congested: Duration| {
            AdmissionQueue::new(QueueSettings {
                slots,
                share,
                calm,
                congested,
            })
        };
        let brief =
            |slots: usize, calm: Duration| queue(slots, most_slots_per_holder(slots), calm, MOMENT);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            queries: brief(queries, second / 4),
            // Four for each query: they mostly wait, for the writer or for a sync, which many of them share.
            mutations: brief(queries.saturating_mul(4), second),
            // A password takes long by design, and people would rather wait than type it again.
            sign_in: queue(2 * cores, cores, 5 * second, second),
            sessions: brief(queries, second),
            feeds: queue(FEEDS, FEEDS / 2, second, second),
            // Four: each page is held whole in memory until it is sent.
            pages: queue(4, 3, deadline, second),
            // Two of one sender: `busy_rejection` in `bi/import` says so.
            uploads: queue(4, 2, second, second),
            // Whoever has sent a whole sheet waits for their turn rather than sending it again.
            sheets: queue(1, 1, 30 * second, 30 * second),
        }
    }
}

impl AdmissionQueues {
    /// Every queue with its name.
    pub fn named_queues(&self) -> impl Iterator<Item = (&'static str, &AdmissionQueue)> {
        [
            ("queries", &self.queries),
            ("mutations", &self.mutations),
            ("sign_in", &self.sign_in),
            ("sessions", &self.sessions),
            ("feeds", &self.feeds),
            ("pages", &self.pages),
            ("uploads", &self.uploads),
            ("sheets", &self.sheets),
        ]
        .into_iter()
    }
}

/// All but a quarter: what one holder may take leaves room for another.
fn most_slots_per_holder(slots: usize) -> usize {
    (slots - slots / 4).max(1)
}
