//! What a server does beside answering requests, as the operator: one loop, whose steps each bring something to what
//! holds now.
//!
//! A round follows every write of this server, and every minute for the writes of others, so that it also comes soon
//! after midnight. Each step finds out by itself what is due, so a round in which nothing is due costs little. A step
//! that fails is logged and comes again with the next round; it keeps no other step from its turn.

use std::time::Duration;

use chrono_tz::Tz;
use sea_orm::DbBackend;
use tokio::time::sleep;

use crate::{
    access::Caller,
    bi::views::{self, login},
    clock::Clock,
    database::Store,
    feedback,
    finding::{self, rules::Thresholds},
    kpi,
};

/// What the audit log calls erasing feedback that is older than it may be kept.
pub const ERASE_ACT: &str = "feedbackErase";

/// How long a round waits after a write: writes come in bursts, and one round is enough for all of them.
const BURST: Duration = Duration::from_millis(200);
/// How long until a round for the writes of other servers, and for a new day.
const PACE: Duration = Duration::from_secs(60);

/// How often the database is asked for its time.
const CLOCK_PACE: Duration = Duration::from_secs(20);
/// From how many milliseconds on it is told that the clock was set.
const TOLD: i64 = 2_000;

/// The clock of what works on this database, set by the database's where that has one, with days in this time zone.
pub async fn open_clock(store: &Store, zone: Tz) -> Clock {
    let clock = Clock::new(zone);
    set_clock_by_database(store, &clock).await;
    clock
}

/// Sets the clock by the database's again and again, until it is dropped: servers on one database then agree on the time,
/// whatever their machines say. Returns at once on SQLite, which has no clock but the machine's.
pub async fn follow_database_clock(store: Store, clock: Clock) {
    while store.backend() == DbBackend::Postgres {
        sleep(CLOCK_PACE).await;
        set_clock_by_database(&store, &clock).await;
    }
}

/// Sets the clock by the database's, where that has one and answers.
async fn set_clock_by_database(store: &Store, clock: &Clock) {
    let asked = clock.note_asked();
    match store.read_clock().await {
        Ok(Some(said)) => {
            let set = clock.follow_database(asked, said).num_milliseconds();
            if set.abs() >= TOLD {
                tracing::warn!(
                    milliseconds = set,
                    "the clock of this machine differs from the database's, which is followed"
                );
            }
        }
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "the database did not tell its time"),
    }
}

/// Runs rounds until it is dropped.
///
/// `retention_days` is after how many days it is erased who gave feedback and what they wrote; `None` keeps both.
pub async fn run_maintenance_rounds(
    store: Store,
    clock: Clock,
    thresholds: Thresholds,
    retention_days: Option<u32>,
) {
    let caller = |act| Caller::operator(store.clone(), clock.clone(), act);
    // Until it is done once: views change with the program's version, not with what is stored.
    let mut views_are_ours = false;
    let mut measured = None;
    loop {
        if !views_are_ours {
            match views::refresh_views(&caller("biRefresh")).await {
                Ok(_) => views_are_ours = true,
                Err(error) => tracing::warn!(
                    ?error,
                    "the views for BI are of another version, and show nothing new; it is tried again"
                ),
            }
        }
        if let Some(days) = retention_days {
            let erased =
                feedback::respondent::erase_respondents_of_old_answers(&caller(ERASE_ACT), days)
                    .await;
            if let Err(error) = erased {
                tracing::warn!(?error, "old feedback was not erased; it is tried again");
            }
        }
        if let Err(error) =
            kpi::fed::close_months_and_feed_kpis(&caller("feedbackMeasure"), &mut measured).await
        {
            tracing::warn!(?error, "closed months were not measured; it is tried again");
        }
        // After the measurements, which findings judge.
        let findings =
            finding::renewal::renew_due_findings(&caller("findingRenew"), &thresholds).await;
        if let Err(error) = findings {
            tracing::warn!(?error, "findings were not noted; it is tried again");
        }
        if let Err(error) = login::renew_stale_reaches(&caller("biRefresh")).await {
            tracing::warn!(
                ?error,
                "what BI roles may see was not renewed; it is tried again"
            );
        }
        sleep(BURST).await;
        tokio::select! {
            () = store.wait_written() => {}
            () = sleep(PACE) => {}
        }
    }
}
