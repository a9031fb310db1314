//! The progress of one request's writing, read by whoever answers the request or gives it up.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// The progress of one request's writing. Atomic, as a deadline reads it from another task than the one that writes.
#[derive(Debug, Default)]
pub(super) struct WriteProgress {
    /// Whether a permit has read rows since the last commit: they may have been written by others and not be durable
    /// yet.
    has_undurable_reads: AtomicBool,
    /// Whether a commit was sent.
    sent: AtomicBool,
    /// Number of open permits.
    open: AtomicUsize,
}

/// Counts an open permit until it is dropped.
pub(super) struct OpenPermitGuard(Arc<WriteProgress>);

impl Drop for OpenPermitGuard {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl WriteProgress {
    /// Notes that a permit is opened.
    pub(super) fn register_open_permit(self: &Arc<Self>) -> OpenPermitGuard {
        // From the beginning on, as a permit may find that there is nothing to do after its first read.
        self.has_undurable_reads.store(true, Ordering::SeqCst);
        self.open.fetch_add(1, Ordering::SeqCst);
        OpenPermitGuard(Arc::clone(self))
    }

    /// Whether a permit is open, for whose locks others may wait.
    pub(super) fn has_open_permit(&self) -> bool {
        self.open.load(Ordering::SeqCst) > 0
    }

    /// Notes that a commit is sent.
    pub(super) fn note_commit_sent(&self) {
        self.sent.store(true, Ordering::SeqCst);
    }

    /// Notes that everything read so far is durable.
    pub(super) fn mark_reads_durable(&self) {
        self.has_undurable_reads.store(false, Ordering::SeqCst);
    }

    pub(super) fn has_undurable_reads(&self) -> bool {
        self.has_undurable_reads.load(Ordering::SeqCst)
    }

    pub(super) fn has_sent_commit(&self) -> bool {
        self.sent.load(Ordering::SeqCst)
    }
}
