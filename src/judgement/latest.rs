//! The current figure of a KPI: the value that counts on a day and the target of that value's day, in one statement.

use chrono::NaiveDate;
use entity::{
    kpi_target, measurement,
    read::{FromCells, RowCursor, StoredModel},
    words::{Direction, KpiState},
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use super::{state::judge_state, target::target_on_sql};
use crate::statement::SqlBuilder;

/// The figures that judge a KPI at a place, or as a whole.
#[derive(Clone, Debug, Default)]
pub struct ValueAndTarget {
    /// Whether there is anything to judge: not where the link does not hold on the day, nor where the caller may not
    /// see the KPI's values. Then the rest is empty.
    pub is_judged: bool,
    /// The measurement that counts.
    pub latest: Option<measurement::Model>,
    /// The target of its day; of the day asked about where nothing was measured. It has a value.
    pub target: Option<kpi_target::Model>,
}

impl ValueAndTarget {
    /// The state of the KPI; none where there is nothing to judge.
    #[must_use]
    pub fn state(&self, direction: Direction) -> Option<KpiState> {
        if !self.is_judged {
            return None;
        }
        let value = self.latest.as_ref().map(|latest| latest.value);
        let target = self.target.as_ref();
        let target = target.and_then(|target| Some((target.value?, target.warning)));
        Some(judge_state(direction, value, target))
    }
}

/// How a SELECT FROM `measurement` under an alias goes on, to give the value that counts by day `$1` among those
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

/// The target of that value's day; of day `$1` where nothing was measured.
const TARGET: &str = target_on_sql!(
    "of_day",
    "judged.kpi_id",
    "COALESCE(latest.measured_on, $1)"
);

/// Joins each row of `judged` with its figures: at a touchpoint the latest value there, else the latest as a whole.
fn figures_join_sql(backend: DbBackend) -> String {
    match backend {
        // PostgreSQL would look up by its id a row that it has found already; a lateral join keeps what it found.
        // The first branch that gives a row is the answer: an append reads its branches in their order, and LIMIT stops
        // it.
        DbBackend::Postgres => format!(
            " LEFT JOIN LATERAL ((SELECT * FROM measurement there {LATEST_THERE}) \
             UNION ALL (SELECT * FROM measurement wide {LATEST_WHOLE}) LIMIT 1) latest ON true \
             LEFT JOIN LATERAL (SELECT * FROM kpi_target of_day {TARGET}) target ON true WHERE "
        ),
        // SQLite knows no lateral joins.
        _ => format!(
            " LEFT JOIN measurement latest ON latest.id = COALESCE(\
             (SELECT id FROM measurement there {LATEST_THERE}), \
             (SELECT id FROM measurement wide {LATEST_WHOLE})) \
             LEFT JOIN kpi_target target ON target.id = (SELECT id FROM kpi_target of_day {TARGET}) WHERE "
        ),
    }
}

/// Selects `shown` of a table's rows, each followed by the columns of its [`ValueAndTarget`] on a day. `judged`, the
/// table or a subquery, has the columns `kpi_id` and `touchpoint_id`; a condition on it comes next.
pub(super) fn select_with_judgement<C: ConnectionTrait>(
    db: &C,
    judged: &str,
    shown: &str,
    day: NaiveDate,
) -> SqlBuilder {
    let backend = db.get_database_backend();
    let latest = qualified_columns_sql::<measurement::Model>("latest");
    let target = qualified_columns_sql::<kpi_target::Model>("target");
    let select = format!("SELECT {shown}, {latest}, {target} FROM {judged} judged");
    SqlBuilder::new(backend, &select)
        .bind(day)
        .then(&figures_join_sql(backend))
}

/// The columns of a table under an alias, as they are read.
pub(super) fn qualified_columns_sql<R: StoredModel>(alias: &str) -> String {
    let columns = R::COLUMNS.iter().map(|column| format!("{alias}.{column}"));
    columns.collect::<Vec<_>>().join(", ")
}

impl FromCells for ValueAndTarget {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        let latest = cells.read_joined()?;
        let target = cells.read_joined::<kpi_target::Model>()?;
        Ok(Self {
            is_judged: true,
            latest,
            // An entry without a value says that there is no target from its day on.
            target: target.filter(|target| target.value.is_some()),
        })
    }
}
