//! The latest measurement of a KPI at a place by a day: what was recorded last, whatever it says of the KPI.

use chrono::NaiveDate;
use entity::{measurement, read};
use sea_orm::{ConnectionTrait, DbBackend};

use crate::statement::SqlBuilder;

/// How a SELECT FROM `measurement` under an alias goes on, to give the latest value by day `$1` among those
/// that meet `$place`. Measurements of one channel or segment are parts of a value, not the value.
macro_rules! latest_sql {
    ($alias:literal, $place:literal) => {
        concat!(
            "WHERE ",
            $alias,
            ".kpi_id = judged.kpi_id AND ",
            $alias,
            $place,
            " AND ",
            $alias,
            ".channel_id IS NULL AND ",
            $alias,
            ".segment_id IS NULL AND ",
            $alias,
            ".superseded_by_id IS NULL AND ",
            $alias,
            ".measured_on <= $1 ORDER BY ",
            $alias,
            ".measured_on DESC LIMIT 1"
        )
    };
}

/// The latest value measured at the touchpoint.
const LATEST_THERE: &str = latest_sql!("there", ".touchpoint_id = judged.touchpoint_id");

/// The latest value of the KPI as a whole.
const LATEST_WHOLE: &str = latest_sql!("wide", ".touchpoint_id IS NULL");

/// Joins each row of `judged` with its latest measurement: at a touchpoint the latest there, else the latest as a
/// whole.
fn latest_join_sql(backend: DbBackend) -> String {
    match backend {
        // PostgreSQL would look up by its id a row that it has found already; a lateral join keeps what it found.
        // The first branch that gives a row is the answer: an append reads its branches in their order, and LIMIT stops
        // it.
        DbBackend::Postgres => format!(
            " LEFT JOIN LATERAL ((SELECT * FROM measurement there {LATEST_THERE}) \
             UNION ALL (SELECT * FROM measurement wide {LATEST_WHOLE}) LIMIT 1) latest ON true WHERE "
        ),
        // SQLite knows no lateral joins.
        _ => format!(
            " LEFT JOIN measurement latest ON latest.id = COALESCE(\
             (SELECT id FROM measurement there {LATEST_THERE}), \
             (SELECT id FROM measurement wide {LATEST_WHOLE})) WHERE "
        ),
    }
}

/// Selects `shown` of a table's rows, each followed by the columns of its latest measurement by a day. `judged`, the
/// table or a subquery, has the columns `kpi_id` and `touchpoint_id`; a condition on it comes next.
pub(super) fn select_with_latest<C: ConnectionTrait>(
    db: &C,
    judged: &str,
    shown: &str,
    day: NaiveDate,
) -> SqlBuilder {
    let backend = db.get_database_backend();
    let latest = read::columns_sql::<measurement::Model>("latest");
    let select = format!("SELECT {shown}, {latest} FROM {judged} judged");
    SqlBuilder::new(backend, &select)
        .bind(day)
        .then(&latest_join_sql(backend))
}
