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
    judgement::{self, join_target_sql, warning_sql},
    policy::Action,
    statement::SqlBuilder,
};

/// Values, each once.
pub static KPI_MEASUREMENTS: Dataset = Dataset {
    name: "kpi_measurements",
    description: "Every measurement that is in force, once: the right base for sums and averages. Superseded values are \
        not there. Of confidential KPIs only what you may see.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: Some("measured_on"),
    columns: columns![
        measurement_id: IdOf(MeasurementId::PREFIX) => "measured.id", "The measurement.";
        kpi_id: IdOf(KpiId::PREFIX) => "measured.kpi_id", "The KPI.";
        kpi_key: Words => "kpi.key", "The KPI's key.";
        measured_on: Day => "measured.measured_on", "The day.";
        value: Number => "measured.value", "The value, in the KPI's unit: 6.1 is 6.1 %.";
        numerator empty: Number => "measured.numerator", "What was counted, for a share. Add these up, and the denominators: never average shares.";
        denominator empty: Number => "measured.denominator", "Out of how many.";
        sample_size empty: Integer => "measured.sample_size", "How many answered.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX) => "measured.touchpoint_id", "The touchpoint that it was measured at, whether its blueprint counts or not; empty for the KPI as a whole.";
        channel_id empty: IdOf(ChannelId::PREFIX) => "measured.channel_id", "The channel that it was measured on; empty for all.";
        segment_id empty: IdOf(SegmentId::PREFIX) => "measured.segment_id", "The segment that it was measured in; empty for all.";
        target empty: Number => "target.value", "The target of the day; empty where there was none.";
        warning empty: Number => (warning), "The warning level of the day; empty where there was none.";
        state: Word(KpiState::texts) => (state), "What the value comes to against the target of the day.";
        source empty: Words => "measured.source", "Where the value is from.";
        recorded_at: Instant => "measured.recorded_at", "When it was recorded.";
    ],
    filters: filters![kpi = kpi_key, state = state],
    key: "measurement_id",
    order: order![Day measured_on, Id measurement_id],
    source: RowSource::Sql {
        with: Some(measured),
        rows: measurements,
    },
};

fn measured(text: SqlBuilder, scope: &Scope<'_>) -> SqlBuilder {
    text.then("measured AS (")
        .select(&scope.measured())
        .then(")")
}

const MEASURED_FROM: &str = concat!(
    " FROM measured CROSS JOIN kpi ",
    join_target_sql!("target", "measured.kpi_id", "measured.measured_on"),
    " WHERE kpi.id = measured.kpi_id"
);

fn measurements(text: SqlBuilder, scope: &Scope<'_>) -> SqlBuilder {
    KPI_MEASUREMENTS.select(text, scope).then(MEASURED_FROM)
}

fn warning(_: &Scope<'_>) -> String {
    warning_sql!("target").to_owned()
}

fn state(_: &Scope<'_>) -> String {
    judgement::state_sql("kpi", "measured.value", "target")
}

/// Definitions.
pub static KPIS: Dataset = Dataset {
    name: "kpis",
    description: "Every KPI that you may read of, archived ones included. The definition of a confidential one is not \
        confidential; its values are.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        kpi_id: IdOf(KpiId::PREFIX) => "kpi.id", "The KPI.";
        kpi_key: Words => "kpi.key", "Its key.";
        kpi_name: Words => "kpi.name", "Its name, as it is today.";
        description empty: Words => "kpi.description", "What it says.";
        kpi_type: Word(KpiType::texts) => "kpi.kpi_type", "What kind of measure it is.";
        unit: Word(Unit::texts) => "kpi.unit", "What its values count. Units never mix.";
        currency empty: Words => "kpi.currency", "ISO 4217 code, where the unit is CURRENCY.";
        decimals: Integer => "kpi.decimals", "With how many decimals its values are shown.";
        direction: Word(Direction::texts) => "kpi.direction", "Which way is better.";
        aggregation: Word(Aggregation::texts) => "kpi.aggregation", "How its values come together over time and groups.";
        cadence: Word(Cadence::texts) => "kpi.cadence", "How often it is measured.";
        scope: Word(KpiScope::texts) => "kpi.scope", "Whether it tells of a contact or of the relationship as a whole: the two never mix.";
        sensitivity: Word(Sensitivity::texts) => "kpi.sensitivity", "Whether its values are for everybody.";
        owner_department_id: IdOf(DepartmentId::PREFIX) => "kpi.owner_department_id", "The department that owns it.";
        created_at: Instant => "kpi.created_at", "When it was made.";
        archived_at empty: Instant => "kpi.archived_at", "Since when it is archived.";
    ],
    filters: filters![kpi = kpi_key, unit = unit],
    key: "kpi_id",
    order: order![Id kpi_id],
    source: RowSource::Sql {
        with: None,
        rows: kpis,
    },
};

fn kpis(text: SqlBuilder, scope: &Scope<'_>) -> SqlBuilder {
    seen::<kpi::Entity>(KPIS.select(text, scope).then(" FROM "), scope, "kpi")
}

/// Targets, each with the day on which the next one takes over.
pub static KPI_TARGETS: Dataset = Dataset {
    name: "kpi_targets",
    description: "What each KPI should reach, and from which day on; that there is no target any more is a row without a \
        value. Of confidential KPIs only what you may see.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        target_id: IdOf(KpiTargetId::PREFIX) => "kpi_target.id", "The target.";
        kpi_id: IdOf(KpiId::PREFIX) => "kpi_target.kpi_id", "The KPI.";
        kpi_key: Words => "kpi.key", "The KPI's key.";
        valid_from: Day => "kpi_target.valid_from", "The first day.";
        valid_to empty: Day => "LEAD(kpi_target.valid_from) OVER (PARTITION BY kpi_target.kpi_id ORDER BY kpi_target.valid_from)", "The first day that is too late: that of the next one; empty while it holds.";
        value empty: Number => "kpi_target.value", "What the KPI should reach; empty where it has no target.";
        warning empty: Number => "kpi_target.warning", "The level on the worse side of the target up to which a value is AT_RISK.";
    ],
    filters: filters![kpi = kpi_key],
    key: "target_id",
    order: order![Id target_id],
    source: RowSource::Sql {
        with: None,
        rows: targets,
    },
};

fn targets(text: SqlBuilder, scope: &Scope<'_>) -> SqlBuilder {
    seen::<kpi_target::Entity>(
        KPI_TARGETS.select(text, scope).then(" FROM "),
        scope,
        "kpi_target",
    )
    .then(" JOIN kpi ON kpi.id = kpi_target.kpi_id")
}

/// What KPIs judge.
pub static KPI_LINKS: Dataset = Dataset {
    name: "kpi_links",
    description: "What each KPI judges: a touchpoint, a phase or a whole blueprint, and on which days. A confidential KPI \
        whose values you may not see is as if it were not linked.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        link_id: IdOf(KpiLinkId::PREFIX) => "kpi_link.id", "The link.";
        kpi_id: IdOf(KpiId::PREFIX) => "kpi_link.kpi_id", "The KPI.";
        kpi_key: Words => "kpi.key", "The KPI's key.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "kpi_link.blueprint_id", "The blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        phase_id empty: IdOf(PhaseId::PREFIX) => "kpi_link.phase_id", "The phase, where it judges one.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX) => "kpi_link.touchpoint_id", "The touchpoint, where it judges one.";
        valid_from empty: Day => "kpi_link.valid_from", "The first day; empty where it always did.";
        valid_to empty: Day => "kpi_link.valid_to", "The first day that is too late; empty while it holds.";
        weight empty: Number => "kpi_link.weight", "How much it counts among what judges the place, for display.";
    ],
    filters: filters![kpi = kpi_key, blueprint = blueprint_key],
    key: "link_id",
    order: order![Id link_id],
    source: RowSource::Sql {
        with: None,
        rows: links,
    },
};

fn links(text: SqlBuilder, scope: &Scope<'_>) -> SqlBuilder {
    let text = seen::<kpi_link::Entity>(KPI_LINKS.select(text, scope).then(" FROM "), scope, "kpi_link")
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
