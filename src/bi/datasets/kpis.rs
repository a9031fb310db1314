//! What is measured: measurements, each once, their KPIs, and what those should reach and judge.

use entity::{
    id::{
        BlueprintId, ChannelId, DepartmentId, Id, KpiId, KpiLinkId, KpiTargetId, MeasurementId,
        PhaseId, SegmentId, TouchpointId,
    },
    kpi, kpi_link, kpi_target,
    words::{Aggregation, Cadence, Direction, KpiScope, KpiState, KpiType, Sensitivity, Unit},
};

use super::{columns, filters, order, seen};
use crate::{
    bi::{
        model::dataset::{
            Dataset, RowSource,
            Type::{Day, Id as IdOf, Instant, Integer, Number, Text as Words, Word},
        },
        scope::Scope,
    },
    judgement::{self, target_on_sql},
    policy::Action,
    statement::Text,
};

/// Values, each once.
pub static KPI_MEASUREMENTS: Dataset = Dataset {
    name: "kpi_measurements",
    description: "Every measurement that is in force, once: the right base for sums and averages. Superseded values are \
        not there. Of confidential KPIs only what you may see.",
    permission: Action::PullFlatRows,
    needs_days: false,
    counts: false,
    day: Some("measured_on"),
    columns: columns![
        measurement_id: IdOf(MeasurementId::PREFIX), "The measurement.";
        kpi_id: IdOf(KpiId::PREFIX), "The KPI.";
        kpi_key: Words, "The KPI's key.";
        measured_on: Day, "The day.";
        value: Number, "The value, in the KPI's unit: 6.1 is 6.1 %.";
        numerator empty: Number, "What was counted, for a share. Add these up, and the denominators: never average shares.";
        denominator empty: Number, "Out of how many.";
        sample_size empty: Integer, "How many answered.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX), "The touchpoint that it was measured at, whether its blueprint counts or not; empty for the KPI as a whole.";
        channel_id empty: IdOf(ChannelId::PREFIX), "The channel that it was measured on; empty for all.";
        segment_id empty: IdOf(SegmentId::PREFIX), "The segment that it was measured in; empty for all.";
        target empty: Number, "The target of the day; empty where there was none.";
        warning empty: Number, "The warning level of the day; empty where there was none.";
        state: Word(KpiState::texts), "What the value comes to against the target of the day.";
        source empty: Words, "Where the value is from.";
        recorded_at: Instant, "When it was recorded.";
    ],
    filters: filters![kpi = kpi_key, state = state],
    key: "measurement_id",
    order: order![Day measured_on, Id measurement_id],
    source: RowSource::Sql {
        with: Some(measured),
        rows: measurements,
    },
};

fn measured(text: Text, scope: &Scope<'_>) -> Text {
    text.then("measured AS (")
        .select(&scope.measured())
        .then(")")
}

const MEASUREMENTS: &str = "\
SELECT measured.id AS measurement_id, measured.kpi_id, kpi.key AS kpi_key, measured.measured_on, measured.value,
    measured.numerator, measured.denominator, measured.sample_size, measured.touchpoint_id, measured.channel_id,
    measured.segment_id, measured.source, measured.recorded_at,
    target.value AS target, CASE WHEN target.value IS NOT NULL THEN target.warning END AS warning, ";

const MEASURED_FROM: &str = concat!(
    " AS state
FROM measured CROSS JOIN kpi
LEFT JOIN kpi_target target ON target.id =
    (SELECT latest.id FROM kpi_target latest
     ",
    target_on_sql!("latest", "measured.kpi_id", "measured.measured_on"),
    ")
WHERE kpi.id = measured.kpi_id"
);

fn measurements(text: Text, _: &Scope<'_>) -> Text {
    text.then(MEASUREMENTS)
        .then(&judgement::state_sql("kpi", "measured.value", "target"))
        .then(MEASURED_FROM)
}

/// Definitions.
pub static KPIS: Dataset = Dataset {
    name: "kpis",
    description: "Every KPI that you may read of, archived ones included. The definition of a confidential one is not \
        confidential; its values are.",
    permission: Action::PullFlatRows,
    needs_days: false,
    counts: false,
    day: None,
    columns: columns![
        kpi_id: IdOf(KpiId::PREFIX), "The KPI.";
        kpi_key: Words, "Its key.";
        kpi_name: Words, "Its name, as it is today.";
        description empty: Words, "What it says.";
        kpi_type: Word(KpiType::texts), "What kind of measure it is.";
        unit: Word(Unit::texts), "What its values count. Units never mix.";
        currency empty: Words, "ISO 4217 code, where the unit is CURRENCY.";
        decimals: Integer, "With how many decimals its values are shown.";
        direction: Word(Direction::texts), "Which way is better.";
        aggregation: Word(Aggregation::texts), "How its values come together over time and groups.";
        cadence: Word(Cadence::texts), "How often it is measured.";
        scope: Word(KpiScope::texts), "Whether it tells of a contact or of the relationship as a whole: the two never mix.";
        sensitivity: Word(Sensitivity::texts), "Whether its values are for everybody.";
        owner_department_id: IdOf(DepartmentId::PREFIX), "The department that owns it.";
        created_at: Instant, "When it was made.";
        archived_at empty: Instant, "Since when it is archived.";
    ],
    filters: filters![kpi = kpi_key, unit = unit],
    key: "kpi_id",
    order: order![Id kpi_id],
    source: RowSource::Sql {
        with: None,
        rows: kpis,
    },
};

const KPI_COLUMNS: &str = "\
SELECT kpi.id AS kpi_id, kpi.key AS kpi_key, kpi.name AS kpi_name, kpi.description, kpi.kpi_type, kpi.unit,
    kpi.currency, kpi.decimals, kpi.direction, kpi.aggregation, kpi.cadence, kpi.scope, kpi.sensitivity,
    kpi.owner_department_id, kpi.created_at, kpi.archived_at
FROM ";

fn kpis(text: Text, scope: &Scope<'_>) -> Text {
    seen::<kpi::Entity>(text.then(KPI_COLUMNS), scope, "kpi")
}

/// Targets, each with the day on which the next one takes over.
pub static KPI_TARGETS: Dataset = Dataset {
    name: "kpi_targets",
    description: "What each KPI should reach, and from which day on; that there is no target any more is a row without a \
        value. Of confidential KPIs only what you may see.",
    permission: Action::PullFlatRows,
    needs_days: false,
    counts: false,
    day: None,
    columns: columns![
        target_id: IdOf(KpiTargetId::PREFIX), "The target.";
        kpi_id: IdOf(KpiId::PREFIX), "The KPI.";
        kpi_key: Words, "The KPI's key.";
        valid_from: Day, "The first day.";
        valid_to empty: Day, "The first day that is too late: that of the next one; empty while it holds.";
        value empty: Number, "What the KPI should reach; empty where it has no target.";
        warning empty: Number, "The level on the worse side of the target up to which a value is AT_RISK.";
    ],
    filters: filters![kpi = kpi_key],
    key: "target_id",
    order: order![Id target_id],
    source: RowSource::Sql {
        with: None,
        rows: targets,
    },
};

const TARGET_COLUMNS: &str = "\
SELECT kpi_target.id AS target_id, kpi_target.kpi_id, kpi.key AS kpi_key, kpi_target.valid_from,
    LEAD(kpi_target.valid_from) OVER (PARTITION BY kpi_target.kpi_id ORDER BY kpi_target.valid_from) AS valid_to,
    kpi_target.value, kpi_target.warning
FROM ";

fn targets(text: Text, scope: &Scope<'_>) -> Text {
    seen::<kpi_target::Entity>(text.then(TARGET_COLUMNS), scope, "kpi_target")
        .then(" JOIN kpi ON kpi.id = kpi_target.kpi_id")
}

/// What KPIs judge.
pub static KPI_LINKS: Dataset = Dataset {
    name: "kpi_links",
    description: "What each KPI judges: a touchpoint, a phase or a whole blueprint, and on which days. A confidential KPI \
        whose values you may not see is as if it were not linked.",
    permission: Action::PullFlatRows,
    needs_days: false,
    counts: true,
    day: None,
    columns: columns![
        link_id: IdOf(KpiLinkId::PREFIX), "The link.";
        kpi_id: IdOf(KpiId::PREFIX), "The KPI.";
        kpi_key: Words, "The KPI's key.";
        blueprint_id: IdOf(BlueprintId::PREFIX), "The blueprint.";
        blueprint_key: Words, "The blueprint's key.";
        phase_id empty: IdOf(PhaseId::PREFIX), "The phase, where it judges one.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX), "The touchpoint, where it judges one.";
        valid_from empty: Day, "The first day; empty where it always did.";
        valid_to empty: Day, "The first day that is too late; empty while it holds.";
        weight empty: Number, "How much it counts among what judges the place, for display.";
    ],
    filters: filters![kpi = kpi_key, blueprint = blueprint_key],
    key: "link_id",
    order: order![Id link_id],
    source: RowSource::Sql {
        with: None,
        rows: links,
    },
};

const LINK_COLUMNS: &str = "\
SELECT kpi_link.id AS link_id, kpi_link.kpi_id, kpi.key AS kpi_key, kpi_link.blueprint_id,
    blueprint.key AS blueprint_key, kpi_link.phase_id, kpi_link.touchpoint_id, kpi_link.valid_from,
    kpi_link.valid_to, kpi_link.weight
FROM ";

fn links(text: Text, scope: &Scope<'_>) -> Text {
    let text = seen::<kpi_link::Entity>(text.then(LINK_COLUMNS), scope, "kpi_link")
        .then(" JOIN kpi ON kpi.id = kpi_link.kpi_id JOIN blueprint ON blueprint.id = kpi_link.blueprint_id")
        .then(" WHERE kpi_link.blueprint_id IN (")
        .select(&scope.counted())
        .then(")");
    match scope.valued_kpis() {
        Some(valued) => text
            .then(" AND kpi_link.kpi_id IN (")
            .select(&valued)
            .then(")"),
        None => text,
    }
}
