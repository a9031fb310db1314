//! How far a request has come with what it writes: for whoever answers it, or gives it up.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// What is known of the writing of one request.
#[derive(Debug, Default)]
pub(super) struct Writing {
    /// Whether it has looked at what is there in order to write, and nothing of its own was kept after that.
    rests_on_others: AtomicBool,
    sent: AtomicBool,
    /// Permits that are open.
    open: AtomicUsize,
}

/// An open permit.
pub(super) struct Open(Arc<Writing>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Writing {
    /// It begins to write, and looks at what is there.
    pub(super) fn begin(self: &Arc<Self>) -> Open {
        self.rests_on_others.store(true, Ordering::SeqCst);
        self.open.fetch_add(1, Ordering::SeqCst);
        Open(Arc::clone(self))
    }

    /// Whether a permit is open, whose locks others wait for.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst) > 0
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
