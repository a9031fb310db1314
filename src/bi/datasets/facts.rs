//! `kpi_facts`: measurement × touchpoint × department × role, from what was linked and accepted at the end of the
//! measurement's day. The SQL is for views and for rows in whichever order; in the dataset's own the same rows are put
//! together in memory ([`crate::bi::fact_join`]), where each column has its cell as well.

use entity::{
    id::{
        BlueprintId, ChannelId, DepartmentId, Id, KpiId, MeasurementId, PhaseId, SegmentId,
        TouchpointId,
    },
    words::{Direction, KpiState, Role, Stage, Unit},
};

use super::{columns, fact_columns::kpi_fact_columns, filters, order, warning_level_sql};
use crate::{
    bi::{
        model::dataset::{
            ColumnType::{Boolean, Day, Id as IdOf, Integer, Number, Text as Words, Word},
            Dataset, RowSource,
        },
        scope::ReaderScope,
    },
    judgement::{self, join_target_sql, link_in_force_sql},
    policy::Action,
    responsibility::in_force::{delivering_sql, in_force_at_end_sql},
    statement::SqlBuilder,
};

/// Measurements, joined with the places that their KPIs judge and the roles that departments hold there.
pub static KPI_FACTS: Dataset = Dataset {
    name: "kpi_facts",
    description: "Every measurement that is in force, joined with the places that its KPI judged and the departments \
        that held a role there when its day ended: one row for each touchpoint, department and role. A KPI that judges \
        a phase or a whole blueprint gives a row without touchpoint, department and role; a measurement at a \
        touchpoint belongs to that touchpoint alone; one without any such place, and one where nobody held a role, \
        keeps one row with empty columns. A LEAD sees the rows of the departments that they lead.",
    permission: Action::PullFlatRows,
    needs_days: true,
    published_only: true,
    day: Some("measured_on"),
    columns: kpi_fact_columns!(dataset_columns),
    filters: filters![
        kpi = kpi_key,
        department = department_key,
        blueprint = blueprint_key,
        touchpoint = touchpoint_key,
        role = role,
        state = state,
        stage = stage,
        unit = unit,
        channel = channel_key,
        segment = segment_key
    ],
    key: "row_id",
    order: order![Day measured_on, Id measurement_id, Id link_id empty, Id responsibility_id empty],
    source: RowSource::Sql {
        with: Some(joined_facts_cte_sql),
        rows: fact_rows_sql,
    },
};

/// Every row that may be seen, as ids: names come later, for the rows that pass alone. A measurement at a touchpoint
/// belongs to that touchpoint's link alone, one of the KPI as a whole to every link; a day is judged by what held at
/// its end.
///
/// CROSS JOIN, with its condition in WHERE, because SQLite never reorders one: days come first, and measurements are
/// looked up by day. The window is partitioned by day and KPI too, although the id decides both, because the databases
/// push a condition below a window only on a column that it is partitioned by.
const JOINED: &str = concat!(
    "\
    SELECT measured.id AS measurement_id, measured.measured_on, measured.value, measured.numerator,
        measured.denominator, measured.sample_size, measured.channel_id, measured.segment_id, measured.kpi_id,
        of_day.id AS target_id, link.id AS link_id, touchpoint.id AS touchpoint_id,
        COALESCE(link.phase_id, touchpoint.phase_id) AS phase_id,
        COALESCE(link.blueprint_id, touchpoint.blueprint_id) AS blueprint_id,
        responsibility.id AS responsibility_id, responsibility.department_id, responsibility.role,
        COUNT(*) OVER (PARTITION BY measured.measured_on, measured.id, measured.kpi_id) AS siblings
    FROM day CROSS JOIN measured
    ",
    join_target_sql!("of_day", "measured"),
    "
    LEFT JOIN kpi_link link ON link.kpi_id = measured.kpi_id AND ",
    link_in_force_sql!("link", "measured.measured_on"),
    "
        AND (measured.touchpoint_id IS NULL OR link.touchpoint_id = measured.touchpoint_id)
        AND link.blueprint_id IN (SELECT id FROM counted)
    LEFT JOIN touchpoint ON touchpoint.id = COALESCE(link.touchpoint_id, measured.touchpoint_id)
        AND touchpoint.blueprint_id IN (SELECT id FROM counted)
    LEFT JOIN responsibility ON responsibility.touchpoint_id = link.touchpoint_id
        AND ",
    in_force_at_end_sql!("responsibility", "day.ends"),
    "
    WHERE measured.measured_on = day.day"
);

fn joined_facts_cte_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = text
        .then("counted AS (")
        .select(&scope.select_published_current_blueprint_ids())
        .then("), measured AS (")
        .select(&scope.select_measurements())
        .then("), ");
    let text = scope
        .append_measured_days_table(text)
        .then(", joined AS (")
        .then(JOINED);
    scope
        .append_pullable_condition(text, "responsibility.department_id")
        .then(")")
}

/// Takes the dataset's columns out of the table.
macro_rules! dataset_columns {
    ($($name:ident $($empty:ident)?: $api:ty, $of:expr => $sql:tt, $read:expr, $description:literal $(, $other:literal)?;)*) => {
        columns![$($name $($empty)?: $of => $sql, $description;)*]
    };
}
use dataset_columns;

/// The parts of the order that are no columns, and the tables that columns are selected from.
const FROM: &str = ", joined.link_id, joined.responsibility_id
FROM joined CROSS JOIN kpi
LEFT JOIN kpi_target target ON target.id = joined.target_id
LEFT JOIN blueprint ON blueprint.id = joined.blueprint_id
LEFT JOIN phase ON phase.id = joined.phase_id
LEFT JOIN touchpoint ON touchpoint.id = joined.touchpoint_id
LEFT JOIN department ON department.id = joined.department_id
LEFT JOIN channel ON channel.id = joined.channel_id
LEFT JOIN segment ON segment.id = joined.segment_id
WHERE kpi.id = joined.kpi_id";

fn fact_rows_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    KPI_FACTS.append_select(text, scope).then(FROM)
}

fn fact_state_sql(_: &ReaderScope<'_>) -> String {
    judgement::state_sql("kpi", "joined.value", "target")
}

/// False, not NULL, where nobody holds a role.
fn is_delivering_sql(_: &ReaderScope<'_>) -> String {
    concat!("COALESCE(", delivering_sql!("joined.role"), ", FALSE)").to_owned()
}

/// The ids of measurement, place and department, and the role, as far as the row has them.
fn row_id_sql(scope: &ReaderScope<'_>) -> String {
    let measurement = scope.id_text_sql(MeasurementId::PREFIX, "joined.measurement_id");
    let touchpoint = scope.id_text_sql(TouchpointId::PREFIX, "joined.touchpoint_id");
    let phase = scope.id_text_sql(PhaseId::PREFIX, "joined.phase_id");
    let blueprint = scope.id_text_sql(BlueprintId::PREFIX, "joined.blueprint_id");
    let department = scope.id_text_sql(DepartmentId::PREFIX, "joined.department_id");
    format!(
        "{measurement} || COALESCE('.' || COALESCE({touchpoint}, {phase}, {blueprint}), '') \
         || COALESCE('.' || {department}, '') || COALESCE('.' || joined.role, '')"
    )
}
