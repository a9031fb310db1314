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

use super::{columns, filters, order};
use crate::{
    bi::{
        model::dataset::{
            Dataset, RowSource,
            Type::{Boolean, Day, Id as IdOf, Integer, Number, Text as Words, Word},
        },
        scope::Scope,
    },
    judgement::{self, target_on_sql},
    policy::Action,
    responsibility::in_force::{delivering_sql, held_at_end_sql},
    statement::Text,
};

/// The join.
pub static KPI_FACTS: Dataset = Dataset {
    name: "kpi_facts",
    description: "Every measurement that is in force, joined with what its KPI judged and who held a role there when \
        its day ended: one row for each touchpoint, department and role. A KPI that judges a phase or a whole \
        blueprint gives a row without touchpoint, department and role; a measurement at a touchpoint belongs to that \
        touchpoint alone; one without any such place, and one where nobody held a role, keeps one row with empty \
        columns. A LEAD sees the rows of the departments that they lead.",
    permission: Action::PullFlatRows,
    needs_days: true,
    counts: true,
    day: Some("measured_on"),
    columns: columns![
        row_id: Words, "The row's id: made of its parts, so that it is the same in every answer.";
        measurement_id: IdOf(MeasurementId::PREFIX), "The measurement. It stands in as many rows as it has places, departments and roles.";
        kpi_id: IdOf(KpiId::PREFIX), "The KPI.";
        kpi_key: Words, "The KPI's key.";
        kpi_name: Words, "The KPI's name, as it is today.";
        unit: Word(Unit::texts), "What the value counts. Units never mix.";
        currency empty: Words, "ISO 4217 code, where the unit is CURRENCY.";
        direction: Word(Direction::texts), "Which way is better.";
        measured_on: Day, "The day.";
        value: Number, "The value, in the unit: 6.1 is 6.1 %.";
        numerator empty: Number, "What was counted, for a share. Add these up, and the denominators: never average shares.";
        denominator empty: Number, "Out of how many.";
        sample_size empty: Integer, "How many answered.";
        channel_id empty: IdOf(ChannelId::PREFIX), "The channel that it was measured on; empty for all.";
        segment_id empty: IdOf(SegmentId::PREFIX), "The segment that it was measured in; empty for all.";
        target empty: Number, "The target of the day; empty where there was none.";
        warning empty: Number, "The warning level of the day; empty where there was none.";
        state: Word(KpiState::texts), "What the value comes to against the target of the day.";
        blueprint_id empty: IdOf(BlueprintId::PREFIX), "The blueprint.";
        blueprint_key empty: Words, "The blueprint's key.";
        phase_id empty: IdOf(PhaseId::PREFIX), "The phase; empty where the KPI judges the whole blueprint.";
        phase_name empty: Words, "The phase's name, as it is today.";
        stage empty: Word(Stage::texts), "Where the phase stands relative to what the customer came for.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX), "The touchpoint; empty where the KPI judges a phase or a whole blueprint, or nothing.";
        touchpoint_key empty: Words, "The touchpoint's key.";
        touchpoint_name empty: Words, "The touchpoint's name, as it is today.";
        department_id empty: IdOf(DepartmentId::PREFIX), "The department; empty where nobody held a role there.";
        department_key empty: Words, "The department's key.";
        department_name empty: Words, "The department's name, as it is today.";
        role empty: Word(Role::texts), "What the department answered for.";
        is_delivering: Boolean, "Whether the role is RESPONSIBLE or ACCOUNTABLE.";
        row_weight: Number, "1 / the rows of this measurement that you may see, before any filter: the weights of a measurement add up to 1. Right for grand totals; in slices count distinct measurement_ids.";
    ],
    filters: filters![
        kpi = kpi_key,
        department = department_key,
        blueprint = blueprint_key,
        touchpoint = touchpoint_key,
        role = role,
        state = state,
        stage = stage,
        unit = unit
    ],
    key: "row_id",
    order: order![Day measured_on, Id measurement_id, Id link_id empty, Id responsibility_id empty],
    source: RowSource::Joined {
        with: Some(joined),
        rows,
    },
};

/// Every row that may be seen, by its ids. A measurement at a touchpoint belongs to that touchpoint's link alone, one
/// of the KPI as a whole to every link; a day is judged by what held at its end.
///
/// A CROSS JOIN with its condition in WHERE is an inner join that SQLite does not turn round. The count is kept apart
/// by day and KPI too, which changes nothing: so a condition on those reaches below it.
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
    LEFT JOIN kpi_target of_day ON of_day.id =
        (SELECT latest.id FROM kpi_target latest
         ",
    target_on_sql!("latest", "measured.kpi_id", "measured.measured_on"),
    ")
    LEFT JOIN kpi_link link ON link.kpi_id = measured.kpi_id
        AND (link.valid_from IS NULL OR link.valid_from <= measured.measured_on)
        AND (link.valid_to IS NULL OR link.valid_to > measured.measured_on)
        AND (measured.touchpoint_id IS NULL OR link.touchpoint_id = measured.touchpoint_id)
        AND link.blueprint_id IN (SELECT id FROM counted)
    LEFT JOIN touchpoint ON touchpoint.id = COALESCE(link.touchpoint_id, measured.touchpoint_id)
        AND touchpoint.blueprint_id IN (SELECT id FROM counted)
    LEFT JOIN responsibility ON responsibility.touchpoint_id = link.touchpoint_id
        AND ",
    held_at_end_sql!("responsibility", "day.ends"),
    "
    WHERE measured.measured_on = day.day"
);

fn joined(text: Text, scope: &Scope<'_>) -> Text {
    let text = text
        .then("counted AS (")
        .select(&scope.counted())
        .then("), measured AS (")
        .select(&scope.measured())
        .then("), ");
    let text = scope.days(text).then(", joined AS (").then(JOINED);
    scope
        .only_own(text, "responsibility.department_id")
        .then(")")
}

const COLUMNS: &str = concat!(
    "\
    joined.measurement_id, joined.link_id, joined.responsibility_id, joined.kpi_id,
    kpi.key AS kpi_key, kpi.name AS kpi_name, kpi.unit, kpi.currency, kpi.direction,
    joined.measured_on, joined.value, joined.numerator, joined.denominator, joined.sample_size,
    joined.channel_id, joined.segment_id,
    target.value AS target, CASE WHEN target.value IS NOT NULL THEN target.warning END AS warning,
    joined.blueprint_id, blueprint.key AS blueprint_key,
    joined.phase_id, phase.name AS phase_name, phase.stage,
    joined.touchpoint_id, touchpoint.key AS touchpoint_key, touchpoint.name AS touchpoint_name,
    joined.department_id, department.key AS department_key, department.name AS department_name,
    joined.role, COALESCE(",
    delivering_sql!("joined.role"),
    ", FALSE) AS is_delivering,
    CAST(1 AS double precision) / joined.siblings AS row_weight, "
);

const FROM: &str = " AS state
FROM joined CROSS JOIN kpi
LEFT JOIN kpi_target target ON target.id = joined.target_id
LEFT JOIN blueprint ON blueprint.id = joined.blueprint_id
LEFT JOIN phase ON phase.id = joined.phase_id
LEFT JOIN touchpoint ON touchpoint.id = joined.touchpoint_id
LEFT JOIN department ON department.id = joined.department_id
WHERE kpi.id = joined.kpi_id";

fn rows(text: Text, scope: &Scope<'_>) -> Text {
    text.then("SELECT ")
        .then(&row_id(scope))
        .then(" AS row_id, ")
        .then(COLUMNS)
        .then(&judgement::state_sql("kpi", "joined.value", "target"))
        .then(FROM)
}

/// The ids of measurement, place and department, and the role, as far as the row has them.
fn row_id(scope: &Scope<'_>) -> String {
    let measurement = scope.shown(MeasurementId::PREFIX, "joined.measurement_id");
    let touchpoint = scope.shown(TouchpointId::PREFIX, "joined.touchpoint_id");
    let phase = scope.shown(PhaseId::PREFIX, "joined.phase_id");
    let blueprint = scope.shown(BlueprintId::PREFIX, "joined.blueprint_id");
    let department = scope.shown(DepartmentId::PREFIX, "joined.department_id");
    format!(
        "{measurement} || COALESCE('.' || COALESCE({touchpoint}, {phase}, {blueprint}), '') \
         || COALESCE('.' || {department}, '') || COALESCE('.' || joined.role, '')"
    )
}
