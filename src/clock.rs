//! What time it is, and which day: the only room that reads the machine's clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Duration, NaiveDate, SubsecRound, Utc};
use chrono_tz::Tz;

/// The clock of a deployment and the time zone in which its days are counted.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: Tz,
    /// How far the clock is ahead of the machine's, so that a test can let time pass.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's clock, with days in this time zone.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        Self {
            zone,
            ahead: Arc::default(),
        }
    }

    /// The time zone in which days are counted.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Lets this much time pass at once, for every copy of this clock.
    pub fn advance(&self, by: Duration) {
        self.ahead
            .fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Now, to the microsecond: what both databases keep.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one room that reads the clock"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6) + Duration::microseconds(self.ahead.load(Ordering::Relaxed))
    }

    /// What another clock says, as if as much time had passed by it as was let pass by this one.
    #[must_use]
    pub fn passed(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at + Duration::microseconds(self.ahead.load(Ordering::Relaxed))
    }

    /// The day of an instant in the deployment's time zone.
    #[must_use]
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The moment at which a day ends, itself left out of the day. A day is judged by what held then.
    #[must_use]
    pub fn end_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day
            .succ_opt()
            .unwrap_or(day)
            .and_time(chrono::NaiveTime::MIN);
        // A midnight that the zone skips or repeats: the first moment of the next day that exists.
        (0..4)
            .find_map(|hours| {
                (midnight + Duration::hours(hours))
                    .and_local_timezone(self.zone)
                    .earliest()
            })
            .map_or_else(|| midnight.and_utc(), |moment| moment.with_timezone(&Utc))
    }
}
