//! How far a request has come with what it writes: for whoever answers it, or gives it up.

use std::sync::atomic::{AtomicBool, Ordering};

/// What is known of the writing of one request.
#[derive(Debug, Default)]
pub(super) struct Writing {
    /// Whether it has looked at what is there in order to write, and nothing of its own was kept after that.
    rests_on_others: AtomicBool,
    sent: AtomicBool,
}

impl Writing {
    /// It looks at what is there.
    pub(super) fn looks(&self) {
        self.rests_on_others.store(true, Ordering::SeqCst);
    }

    /// It asks for something to be kept.
    pub(super) fn sends(&self) {
        self.sent.store(true, Ordering::SeqCst);
    }

    /// All that it has seen so far is on the disk.
    pub(super) fn settled(&self) {
        self.rests_on_others.store(false, Ordering::SeqCst);
    }

    pub(super) fn rests_on_others(&self) -> bool {
        self.rests_on_others.load(Ordering::SeqCst)
    }

    pub(super) fn has_sent(&self) -> bool {
        self.sent.load(Ordering::SeqCst)
    }
}
