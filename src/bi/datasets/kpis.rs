//! Measurements, each once, their KPIs, and the targets and links of these.

use entity::{
    id::{
        BlueprintId, ChannelId, DepartmentId, Id, KpiId, KpiLinkId, KpiTargetId, MeasurementId,
        PhaseId, SegmentId, TouchpointId,
    },
    kpi, kpi_link, kpi_target,
    words::{
        AcrossParts, Aggregation, Cadence, Direction, KpiScope, KpiState, KpiType, Sensitivity,
        Unit,
    },
};

use super::{append_visible_rows, columns, filters, order, warning_level_sql};
use crate::{
    bi::{
        model::dataset::{
            ColumnType::{Day, Id as IdOf, Instant, Integer, Number, Text as Words, Word},
            Dataset, RowSource,
        },
        scope::ReaderScope,
    },
    judgement::{self, join_target_sql, period_law::MINIMUM_SAMPLE_SQL},
    policy::Action,
    statement::SqlBuilder,
};

/// Measurements, each once.
pub static KPI_MEASUREMENTS: Dataset = Dataset {
    name: "kpi_measurements",
    description: "Every measurement that is in force, once: the right base for sums and averages. Superseded values \
        have no row. Of confidential KPIs only the values that you may see.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: Some("measured_on"),
    columns: columns![
        measurement_id: IdOf(MeasurementId::PREFIX) => "measured.id", "Id of the measurement.";
        kpi_id: IdOf(KpiId::PREFIX) => "measured.kpi_id", "Id of the KPI.";
        kpi_key: Words => "kpi.key", "The KPI's key.";
        measured_on: Day => "measured.measured_on", "The day of the measurement.";
        value: Number => "measured.value", "The value, in the KPI's unit: 6.1 is 6.1 %.";
        numerator empty: Number => "measured.numerator", "Numerator of a share: the number of cases counted. Divide the sum of numerators by the sum of denominators; never average shares.";
        denominator empty: Number => "measured.denominator", "Denominator of a share: the number of cases.";
        sample_size empty: Integer => "measured.sample_size", "Sample size: the number of answers.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX) => "measured.touchpoint_id", "Id of the touchpoint that it was measured at, whether its blueprint counts or not; empty for the KPI as a whole.";
        channel_id empty: IdOf(ChannelId::PREFIX) => "measured.channel_id", "Id of the channel that it was measured on; empty for all.";
        segment_id empty: IdOf(SegmentId::PREFIX) => "measured.segment_id", "Id of the segment that it was measured in; empty for all.";
        target empty: Number => "target.value", "The target in force on the day; empty if there was none.";
        warning empty: Number => (warning_level_sql), "The warning level in force on the day; empty if there was none.";
        state: Word(KpiState::texts) => (measurement_state_sql), "The state of the value, judged by the target of the day.";
        source empty: Words => "measured.source", "The source of the value.";
        recorded_at: Instant => "measured.recorded_at", "Time of recording.";
        channel_key empty: Words => "channel.key", "The channel's key; empty for all.";
        segment_key empty: Words => "segment.key", "The segment's key; empty for all.";
    ],
    filters: filters![
        kpi = kpi_key,
        state = state,
        channel = channel_key,
        segment = segment_key
    ],
    key: "measurement_id",
    order: order![Day measured_on, Id measurement_id],
    source: RowSource::Sql {
        with: Some(measured_cte_sql),
        rows: measurements_sql,
    },
};

fn measured_cte_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    text.then("measured AS (")
        .select(&scope.select_measurements())
        .then(")")
}

const MEASURED_FROM: &str = concat!(
    " FROM measured CROSS JOIN kpi ",
    join_target_sql!("target", "measured"),
    " LEFT JOIN channel ON channel.id = measured.channel_id LEFT JOIN segment ON segment.id = measured.segment_id",
    " WHERE kpi.id = measured.kpi_id"
);

fn measurements_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    KPI_MEASUREMENTS
        .append_select(text, scope)
        .then(MEASURED_FROM)
}

fn measurement_state_sql(_: &ReaderScope<'_>) -> String {
    judgement::state_sql("kpi", "measured.value", "target")
}

/// KPIs: their definitions, without values.
pub static KPIS: Dataset = Dataset {
    name: "kpis",
    description: "Every KPI that you may read of, archived ones included. The definition of a confidential one is not \
        confidential; its values are.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        kpi_id: IdOf(KpiId::PREFIX) => "kpi.id", "Id of the KPI.";
        kpi_key: Words => "kpi.key", "The KPI's key.";
        kpi_name: Words => "kpi.name", "The KPI's name, as it is today.";
        description empty: Words => "kpi.description", "The description of the KPI.";
        kpi_type: Word(KpiType::texts) => "kpi.kpi_type", "The subject that it measures.";
        unit: Word(Unit::texts) => "kpi.unit", "The unit of its values. Values of different units are never combined.";
        currency empty: Words => "kpi.currency", "ISO 4217 code, where the unit is CURRENCY.";
        decimals: Integer => "kpi.decimals", "Number of decimals with which its values are shown.";
        direction: Word(Direction::texts) => "kpi.direction", "Whether a higher or a lower value is better.";
        aggregation: Word(Aggregation::texts) => "kpi.aggregation", "The way its values are combined over time and groups.";
        cadence: Word(Cadence::texts) => "kpi.cadence", "The interval at which it should be measured.";
        scope: Word(KpiScope::texts) => "kpi.scope", "Whether it judges single contacts or the relationship as a whole. Values of the two are never combined in a series.";
        sensitivity: Word(Sensitivity::texts) => "kpi.sensitivity", "The people who may see its values.";
        minimum_sample: Integer => (minimum_sample_sql), "Number of answers or cases that a period needs to be its current figure.";
        across_parts: Word(AcrossParts::texts) => "kpi.across_parts", "What the last values of channels, segments or touchpoints come to.";
        owner_department_id: IdOf(DepartmentId::PREFIX) => "kpi.owner_department_id", "Id of the department that owns it.";
        created_at: Instant => "kpi.created_at", "Time of creation.";
        archived_at empty: Instant => "kpi.archived_at", "Time of archiving; empty while it is not archived.";
    ],
    filters: filters![kpi = kpi_key, unit = unit],
    key: "kpi_id",
    order: order![Id kpi_id],
    source: RowSource::Sql {
        with: None,
        rows: kpis_sql,
    },
};

fn minimum_sample_sql(_: &ReaderScope<'_>) -> String {
    MINIMUM_SAMPLE_SQL.to_owned()
}

fn kpis_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    append_visible_rows::<kpi::Entity>(KPIS.append_select(text, scope).then(" FROM "), scope, "kpi")
}

/// Targets, each with the day on which the next one takes over.
pub static KPI_TARGETS: Dataset = Dataset {
    name: "kpi_targets",
    description: "The targets of each KPI, each with its first day; a row without a value ends the target before it. \
        Of confidential KPIs only the targets that you may see.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        target_id: IdOf(KpiTargetId::PREFIX) => "kpi_target.id", "Id of the target.";
        kpi_id: IdOf(KpiId::PREFIX) => "kpi_target.kpi_id", "Id of the KPI.";
        kpi_key: Words => "kpi.key", "The KPI's key.";
        channel_id empty: IdOf(ChannelId::PREFIX) => "kpi_target.channel_id", "Id of the channel that it is for; empty for all.";
        segment_id empty: IdOf(SegmentId::PREFIX) => "kpi_target.segment_id", "Id of the segment that it is for; empty for all.";
        valid_from: Day => "kpi_target.valid_from", "The first day (included).";
        valid_to empty: Day => "LEAD(kpi_target.valid_from) OVER (PARTITION BY kpi_target.kpi_id, kpi_target.channel_id, kpi_target.segment_id ORDER BY kpi_target.valid_from)", "The day after the last one (excluded), which is the first day of the next target of the same channel and segment; empty for the latest target.";
        value empty: Number => "kpi_target.value", "The target value, in the KPI's unit; empty if it has no target from this day on.";
        warning empty: Number => "kpi_target.warning", "The level on the worse side of the target up to which a value is AT_RISK.";
        channel_key empty: Words => "channel.key", "The channel's key; empty for all.";
        segment_key empty: Words => "segment.key", "The segment's key; empty for all.";
    ],
    filters: filters![kpi = kpi_key, channel = channel_key, segment = segment_key],
    key: "target_id",
    order: order![Id target_id],
    source: RowSource::Sql {
        with: None,
        rows: targets_sql,
    },
};

fn targets_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    append_visible_rows::<kpi_target::Entity>(
        KPI_TARGETS.append_select(text, scope).then(" FROM "),
        scope,
        "kpi_target",
    )
    .then(
        " JOIN kpi ON kpi.id = kpi_target.kpi_id LEFT JOIN channel ON channel.id = kpi_target.channel_id \
         LEFT JOIN segment ON segment.id = kpi_target.segment_id",
    )
}

/// Links of KPIs to the places that they judge.
pub static KPI_LINKS: Dataset = Dataset {
    name: "kpi_links",
    description: "The place that each KPI judges, a touchpoint, a phase or a whole blueprint, and the days on which it \
        does. A confidential KPI has rows only if you may see its values.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        link_id: IdOf(KpiLinkId::PREFIX) => "kpi_link.id", "Id of the link.";
        kpi_id: IdOf(KpiId::PREFIX) => "kpi_link.kpi_id", "Id of the KPI.";
        kpi_key: Words => "kpi.key", "The KPI's key.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "kpi_link.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        phase_id empty: IdOf(PhaseId::PREFIX) => "kpi_link.phase_id", "Id of the phase, where it judges one.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX) => "kpi_link.touchpoint_id", "Id of the touchpoint, where it judges one.";
        valid_from empty: Day => "kpi_link.valid_from", "The first day (included); empty for no beginning.";
        valid_to empty: Day => "kpi_link.valid_to", "The day after the last one (excluded); empty for no end.";
        weight empty: Number => "kpi_link.weight", "Weight among the KPIs that judge the place, for display.";
    ],
    filters: filters![kpi = kpi_key, blueprint = blueprint_key],
    key: "link_id",
    order: order![Id link_id],
    source: RowSource::Sql {
        with: None,
        rows: links_sql,
    },
};

fn links_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = append_visible_rows::<kpi_link::Entity>(KPI_LINKS.append_select(text, scope).then(" FROM "), scope, "kpi_link")
        .then(" JOIN kpi ON kpi.id = kpi_link.kpi_id JOIN blueprint ON blueprint.id = kpi_link.blueprint_id")
        .then(" WHERE kpi_link.blueprint_id IN (")
        .select(&scope.select_published_current_blueprint_ids())
        .then(")");
    match scope.select_visible_value_kpi_ids() {
        Some(valued) => text
            .then(" AND kpi_link.kpi_id IN (")
            .select(&valued)
            .then(")"),
        None => text,
    }
}
