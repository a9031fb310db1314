//! One pull of a dataset: who pulls, what, and whether it is compressed.

use super::params::FeedParams;
use crate::access::Caller;

/// What was asked for, and by whom.
pub(super) struct FeedRequest {
    pub caller: Caller,
    pub params: FeedParams,
    pub gzip: bool,
}
