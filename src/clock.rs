//! The clock: the only room that reads the machine's time, and the time zone in which days are counted. On PostgreSQL it
//! follows the database's clock, so that servers whose machines differ agree.

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
    /// Microseconds by which it is ahead of the machine's clock: by as much as the database's is.
    database_ahead: Arc<AtomicI64>,
    /// Microseconds besides, so that a test can let time pass.
    advanced: Arc<AtomicI64>,
}

/// When the database was asked for its time, by the machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct Asked(DateTime<Utc>);

impl Clock {
    /// The machine's clock, with days in this time zone.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        Self {
            zone,
            database_ahead: Arc::default(),
            advanced: Arc::default(),
        }
    }

    /// The time zone in which days are counted.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Lets this much time pass at once, for every copy of this clock.
    pub fn advance(&self, by: Duration) {
        self.advanced
            .fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Notes that the database is asked for its time.
    #[must_use]
    pub fn note_asked(&self) -> Asked {
        Asked(machine_time())
    }

    /// Follows the database's clock, which said this after it was asked: halfway between the question and now. An answer
    /// that took more than a second says too little. Returns by how much more it is ahead than it was.
    pub fn follow_database(&self, asked: Asked, said: DateTime<Utc>) -> Duration {
        let took = machine_time() - asked.0;
        if took < Duration::zero() || took > Duration::seconds(1) {
            return Duration::zero();
        }
        let ahead = said - (asked.0 + took / 2);
        let micros = ahead.num_microseconds().unwrap_or_default();
        let was = self.database_ahead.swap(micros, Ordering::Relaxed);
        ahead - Duration::microseconds(was)
    }

    fn ahead(&self) -> Duration {
        let ahead = self.database_ahead.load(Ordering::Relaxed);
        Duration::microseconds(ahead + self.advanced.load(Ordering::Relaxed))
    }

    /// Now, truncated to the microsecond, the resolution of both databases: what is written compares equal when it is
    /// read.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        machine_time().trunc_subsecs(6) + self.ahead()
    }

    /// A moment of another clock, moved by as much as this one was advanced.
    #[must_use]
    pub fn shift_by_advance(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at + Duration::microseconds(self.advanced.load(Ordering::Relaxed))
    }

    /// The day in which a moment lies, in the deployment's time zone.
    #[must_use]
    pub fn day_of_moment(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The first moment after a day, in the deployment's time zone: a day is the half-open interval up to it. A day is
    /// judged by what holds then.
    #[must_use]
    pub fn end_of_day(&self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day
            .succ_opt()
            .unwrap_or(day)
            .and_time(chrono::NaiveTime::MIN);
        // A midnight that the zone skips or repeats: the first moment after it that exists. Some have skipped a whole day.
        (0..=48)
            .find_map(|hours| {
                (midnight + Duration::hours(hours))
                    .and_local_timezone(self.zone)
                    .earliest()
            })
            .map_or_else(|| midnight.and_utc(), |moment| moment.with_timezone(&Utc))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one room that reads the clock"
)]
fn machine_time() -> DateTime<Utc> {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_with_the_first_moment_after_it_that_exists() {
        for (zone, day, ends) in [
            (
                chrono_tz::Europe::Copenhagen,
                "2025-03-29",
                "2025-03-29T23:00:00Z",
            ),
            (
                chrono_tz::Europe::Copenhagen,
                "2025-03-30",
                "2025-03-30T22:00:00Z",
            ),
            // No midnight: the clocks went from it to one.
            (
                chrono_tz::America::Sao_Paulo,
                "2018-11-03",
                "2018-11-04T03:00:00Z",
            ),
            // No 30 December at all.
            (
                chrono_tz::Pacific::Apia,
                "2011-12-29",
                "2011-12-30T10:00:00Z",
            ),
            (
                chrono_tz::Pacific::Apia,
                "2011-12-31",
                "2011-12-31T10:00:00Z",
            ),
        ] {
            let clock = Clock::new(zone);
            let day = day.parse().expect("a day");
            let ends: DateTime<Utc> = ends.parse().expect("a moment");
            assert_eq!(clock.end_of_day(day), ends, "{zone} {day}");
        }
    }
}
