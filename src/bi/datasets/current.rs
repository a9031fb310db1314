//! `kpi_current`: the current figure of every KPI, as a whole and at the touchpoints that it judges.

use entity::{
    id::{BlueprintId, Id, KpiId, TouchpointId},
    kpi,
    words::{Direction, KpiState, Unit},
};

use super::{append_visible_rows, columns, filters, order, warning_level_sql};
use crate::{
    bi::{
        model::dataset::{
            ColumnType::{Boolean, Day, Id as IdOf, Integer, Number, Text as Words, Word},
            Dataset, RowSource,
        },
        scope::ReaderScope,
    },
    judgement::{append_current_figures, figure_state_sql, link_in_force_sql, whole_kpi_sql},
    policy::Action,
    statement::SqlBuilder,
};

/// Current figures of KPIs.
pub static KPI_CURRENT: Dataset = Dataset {
    name: "kpi_current",
    description: "The current figure of every KPI as a whole, and at each touchpoint that it judges today: the value by \
        which it is told and judged everywhere else. It is of the newest period of the KPI's cadence that has enough \
        answers or cases. Archived KPIs have no rows, and confidential ones only if you may see their values.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        row_id: Words => (row_id_sql), "Id of the row: of the KPI, and of the touchpoint if there is one.";
        kpi_id: IdOf(KpiId::PREFIX) => "kpi.id", "Id of the KPI.";
        kpi_key: Words => "kpi.key", "The KPI's key.";
        kpi_name: Words => "kpi.name", "The KPI's name, as it is today.";
        unit: Word(Unit::texts) => "kpi.unit", "The unit of its values. Values of different units are never combined.";
        currency empty: Words => "kpi.currency", "ISO 4217 code, where the unit is CURRENCY.";
        direction: Word(Direction::texts) => "kpi.direction", "Whether a higher or a lower value is better.";
        blueprint_id empty: IdOf(BlueprintId::PREFIX) => "blueprint.id", "Id of the touchpoint's blueprint; empty for the KPI as a whole.";
        blueprint_key empty: Words => "blueprint.key", "The blueprint's key.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX) => "touchpoint.id", "Id of the touchpoint; empty for the KPI as a whole.";
        touchpoint_key empty: Words => "touchpoint.key", "The touchpoint's key.";
        touchpoint_name empty: Words => "touchpoint.name", "The touchpoint's name, as it is today.";
        value empty: Number => "figure.value", "The value, in the KPI's unit; empty where there is none, or only channels or segments have one.";
        n: Number => "COALESCE(figure.n, 0.0)", "Number of answers or cases that the value is made of.";
        target empty: Number => "target.value", "The target of the period's last day, or of today while it runs; empty if there is none.";
        warning empty: Number => (warning_level_sql), "The warning level of that target; empty if there is none.";
        state: Word(KpiState::texts) => (state_sql), "The state of the value, judged by that target.";
        period_start empty: Day => "figure.period_start", "The first day of the period (included); empty where there is no value.";
        period_end empty: Day => "figure.ends", "The day after the period's last one (excluded).";
        periods: Integer => "CAST(COALESCE(figure.periods, 0) AS integer)", "Number of periods that the value is made of: 1, or up to 3 where none of them has enough answers or cases by itself.";
        measured_on empty: Day => "figure.last_day", "The latest day with a measurement of the newest period.";
        place empty: Word(places) => "figure.place", "Where it was measured: at the TOUCHPOINT, as a WHOLE, or at TOUCHPOINTS that are put together.";
        is_decided: Boolean => "COALESCE(figure.is_decided, false)", "Whether it is a sum whose period still runs, and that values to come cannot bring back to its target.";
        running_value empty: Number => "figure.running_value", "The value of the running period so far, where that is not the figure yet.";
        running_n empty: Number => "figure.running_n", "Number of answers or cases of the running period so far.";
        running_start empty: Day => "figure.running_start", "The first day of the running period.";
    ],
    filters: filters![
        kpi = kpi_key,
        blueprint = blueprint_key,
        touchpoint = touchpoint_key,
        state = state
    ],
    key: "row_id",
    order: order![Id kpi_id, Id touchpoint_id empty],
    source: RowSource::Sql {
        with: Some(figures_cte_sql),
        rows: current_rows_sql,
    },
};

fn row_id_sql(scope: &ReaderScope<'_>) -> String {
    let kpi = scope.id_text_sql(KpiId::PREFIX, "kpi.id");
    let touchpoint = scope.id_text_sql(TouchpointId::PREFIX, "touchpoint.id");
    format!("{kpi} || COALESCE('.' || {touchpoint}, '')")
}

fn state_sql(_: &ReaderScope<'_>) -> String {
    figure_state_sql()
}

fn places() -> Vec<&'static str> {
    vec!["TOUCHPOINT", "WHOLE", "TOUCHPOINTS"]
}

/// The places of KPIs whose values may be seen: each as a whole, and at the touchpoints of journeys that count which it
/// judges today.
fn figures_cte_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let whole = whole_kpi_sql(scope.backend());
    let text = scope.append_today(text.then("today (day) AS (SELECT "));
    let text = text.then("), shown AS (");
    let text = append_visible_rows::<kpi::Entity>(text.then("SELECT kpi.id FROM "), scope, "kpi")
        .then(" WHERE kpi.archived_at IS NULL");
    let text = match scope.select_visible_value_kpi_ids() {
        Some(valued) => text.then(" AND kpi.id IN (").select(&valued).then(")"),
        None => text,
    };
    let text = text.then(&format!(
        "), place AS (SELECT id AS kpi_id, {whole} AS touchpoint_id FROM shown UNION \
         SELECT link.kpi_id, link.touchpoint_id FROM shown JOIN kpi_link link ON link.kpi_id = shown.id \
         JOIN touchpoint ON touchpoint.id = link.touchpoint_id AND touchpoint.archived_at IS NULL \
         WHERE link.blueprint_id IN ("
    ));
    let text = text
        .select(&scope.select_published_current_blueprint_ids())
        .then(concat!(
            ") AND ",
            link_in_force_sql!("link", "(SELECT day FROM today)")
        ));
    append_current_figures(text)
}

const FROM: &str = " FROM place JOIN kpi ON kpi.id = place.kpi_id
LEFT JOIN touchpoint ON touchpoint.id = place.touchpoint_id
LEFT JOIN blueprint ON blueprint.id = touchpoint.blueprint_id
LEFT JOIN figure ON figure.kpi_id = place.kpi_id AND figure.touchpoint_id = place.touchpoint_id
LEFT JOIN kpi_target target ON target.id = CASE WHEN figure.kpi_id IS NOT NULL THEN figure.target_id ELSE (
    SELECT begun.id FROM kpi_target begun WHERE begun.kpi_id = place.kpi_id AND begun.channel_id IS NULL
        AND begun.segment_id IS NULL AND begun.valid_from <= (SELECT day FROM today)
    ORDER BY begun.valid_from DESC LIMIT 1) END";

fn current_rows_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    KPI_CURRENT.append_select(text, scope).then(FROM)
}
