//! The SQL twin of [`current_figure`](super::current::current_figure), for the dataset of current figures and its view:
//! the figures of today. `tests/it/one_number.rs` holds the twins together.

use sea_orm::DbBackend;
use uuid::Uuid;

use super::{period::day_of_number, period_law::MINIMUM_SAMPLE_SQL};
use crate::{access::everybody::select_touchpoints_open_to_everybody, statement::SqlBuilder};

/// What the two databases spell differently.
struct FigureDialect {
    /// The first day after a period that begins on `period_start`, by the KPI's cadence.
    ends: &'static str,
    /// The day after today.
    tomorrow: &'static str,
    /// The last day of a period that is not after today.
    judged_on: &'static str,
    /// Around a computed number: in 15 significant digits.
    rounded: (&'static str, &'static str),
    /// A sum of the columns `$_sum` and `$_lost` that loses no digits.
    exact_sum: &'static str,
    /// Around an id of 32 hexadecimal digits.
    id: (&'static str, &'static str),
}

const ON_POSTGRESQL: FigureDialect = FigureDialect {
    ends: "CAST(period_start + CASE kpi.cadence WHEN 'DAILY' THEN interval '1 day' WHEN 'WEEKLY' THEN interval '7 days' \
        WHEN 'MONTHLY' THEN interval '1 month' WHEN 'QUARTERLY' THEN interval '3 months' ELSE interval '1 year' END AS date)",
    tomorrow: "(SELECT day + 1 FROM today)",
    judged_on: "LEAST(told.ends - 1, (SELECT day FROM today))",
    rounded: ("CAST(CAST(", " AS numeric) AS double precision)"),
    // By way of their texts: cast directly they would keep 15 digits only.
    exact_sum: "CAST(SUM(CAST(CAST($_sum AS text) AS numeric) + CAST(CAST($_lost AS text) AS numeric)) \
        AS double precision)",
    id: ("CAST('", "' AS uuid)"),
};

const ON_SQLITE: FigureDialect = FigureDialect {
    ends: "date(period_start, CASE kpi.cadence WHEN 'DAILY' THEN '+1 day' WHEN 'WEEKLY' THEN '+7 days' \
        WHEN 'MONTHLY' THEN '+1 month' WHEN 'QUARTERLY' THEN '+3 months' ELSE '+1 year' END)",
    tomorrow: "(SELECT date(day, '+1 day') FROM today)",
    judged_on: "MIN(date(told.ends, '-1 day'), (SELECT day FROM today))",
    rounded: ("CAST(printf('%.15g', ", ") AS REAL)"),
    // SQLite adds up without losing digits.
    exact_sum: "SUM($_sum) + SUM($_lost)",
    id: ("X'", "'"),
};

impl FigureDialect {
    fn of(backend: DbBackend) -> &'static Self {
        match backend {
            DbBackend::Postgres => &ON_POSTGRESQL,
            _ => &ON_SQLITE,
        }
    }

    fn replace_in(&self, text: &str) -> String {
        let nil = format!("{}{}{}", self.id.0, Uuid::nil().simple(), self.id.1);
        let summed = ["value", "weighted", "numerator", "denominator"].map(|name| {
            let sum = self.exact_sum.replace('$', name);
            (format!("{{sum {name}}}"), sum)
        });
        let text = summed
            .iter()
            .fold(text.to_owned(), |text, (word, sum)| text.replace(word, sum));
        text.replace("{division}", DIVISION)
            .replace("{ratio_multiplier}", RATIO_MULTIPLIER)
            .replace("{minimum_sample}", MINIMUM_SAMPLE_SQL)
            .replace("{nil}", &nil)
            .replace("{ends}", self.ends)
            .replace("{tomorrow}", self.tomorrow)
            .replace("{judged_on}", self.judged_on)
            .replace("{round(}", self.rounded.0)
            .replace("{)}", self.rounded.1)
    }
}

/// The twin of `KpiPart::division`.
const DIVISION: &str = "CASE WHEN sums.channel_id = {nil} THEN 0 ELSE 1 END
        + CASE WHEN sums.segment_id = {nil} THEN 0 ELSE 2 END";

/// The twin of `ratio_multiplier` in `aggregate`.
const RATIO_MULTIPLIER: &str = "CASE WHEN kpi.unit = 'PERCENT'
            OR kpi.unit = 'SCORE' AND kpi.kpi_type IN ('NPS', 'ENPS') THEN 100.0 ELSE 1.0 END";

/// The id that stands for the KPI as a whole in the tables that [`append_current_figures`] works on.
#[must_use]
pub fn whole_kpi_sql(backend: DbBackend) -> String {
    FigureDialect::of(backend).replace_in("{nil}")
}

/// The newest periods of a place, of which the oldest is the third: the first days of the others are later.
const OLDEST: &str = "ORDER BY known.period_start DESC LIMIT 1 OFFSET 2), ";

const NEEDED: &str = "
), needed AS (
    SELECT kpi_id, touchpoint_id FROM place UNION SELECT kpi_id, {nil} FROM place
), newest AS (
    SELECT needed.*, COALESCE((SELECT DISTINCT known.period_start FROM kpi_period known
        WHERE known.kpi_id = needed.kpi_id AND known.touchpoint_id = needed.touchpoint_id
            AND known.period_start <= (SELECT day FROM today) ";

const AT_OPEN: &str = ") AS since FROM needed
), newest_open AS (
    SELECT place.kpi_id, COALESCE((SELECT DISTINCT known.period_start FROM kpi_period known
        WHERE known.kpi_id = place.kpi_id AND known.touchpoint_id <> {nil}
            AND known.touchpoint_id IN (SELECT id FROM open_touchpoint) AND known.period_start <= (SELECT day FROM today) ";

/// What counts at each place, period by period, and what it comes to.
const FIGURES: &str = ") AS since FROM place WHERE place.touchpoint_id = {nil}
), at_place AS (
    SELECT sums.*, {division} AS division, 0 AS is_open
    FROM newest JOIN kpi_period sums ON sums.kpi_id = newest.kpi_id AND sums.touchpoint_id = newest.touchpoint_id
        AND sums.period_start >= newest.since AND sums.period_start <= (SELECT day FROM today)
    UNION ALL
    SELECT sums.*, {division}, 1
    FROM newest_open JOIN kpi_period sums ON sums.kpi_id = newest_open.kpi_id
        AND sums.touchpoint_id IN (SELECT id FROM open_touchpoint)
        AND sums.period_start >= newest_open.since AND sums.period_start <= (SELECT day FROM today)
        AND NOT EXISTS (SELECT 1 FROM kpi_period whole WHERE whole.kpi_id = sums.kpi_id
            AND whole.touchpoint_id = {nil} AND whole.period_start = sums.period_start)
), counting AS (
    SELECT at_place.*, MIN(division) OVER (PARTITION BY kpi_id, touchpoint_id, period_start, is_open) AS least
    FROM at_place
), summed AS (
    SELECT kpi_id, CASE is_open WHEN 1 THEN {nil} ELSE touchpoint_id END AS touchpoint_id, period_start, is_open,
        SUM(value_count) AS value_count, {sum value} AS value_sum, {sum weighted} AS weighted,
        SUM(weight) AS weight, {sum numerator} AS numerator, {sum denominator} AS denominator,
        SUM(without_parts) AS without_parts, SUM(last_value) AS last_value, MAX(last_day) AS last_day,
        MIN(smallest_value) AS smallest, COUNT(*) AS series, MAX(division) AS division
    FROM counting WHERE division = least
    GROUP BY kpi_id, CASE is_open WHEN 1 THEN {nil} ELSE touchpoint_id END, period_start, is_open
), placed AS (
    SELECT place.touchpoint_id AS at_touchpoint_id, summed.*, 'TOUCHPOINT' AS place, 0 AS choice
    FROM place JOIN summed ON summed.kpi_id = place.kpi_id AND summed.touchpoint_id = place.touchpoint_id
    WHERE place.touchpoint_id <> {nil}
    UNION ALL
    SELECT place.touchpoint_id, summed.*, CASE is_open WHEN 0 THEN 'WHOLE' ELSE 'TOUCHPOINTS' END, 1
    FROM place JOIN summed ON summed.kpi_id = place.kpi_id AND summed.touchpoint_id = {nil}
    WHERE is_open = 0 OR place.touchpoint_id = {nil}
), preferred AS (
    SELECT placed.*, MIN(choice) OVER (PARTITION BY kpi_id, at_touchpoint_id, period_start) AS first_choice
    FROM placed
), ranked AS (
    SELECT preferred.*, ROW_NUMBER() OVER (PARTITION BY kpi_id, at_touchpoint_id ORDER BY period_start DESC) AS age
    FROM preferred WHERE choice = first_choice
), valued AS (
    SELECT ranked.*, kpi.aggregation, kpi.direction, {ends} AS ends,
        {ratio_multiplier} AS ratio_multiplier,
        {minimum_sample} AS minimum_sample,
        CASE WHEN kpi.aggregation = 'RATIO' AND without_parts = 0 THEN {round(}denominator{)} ELSE weight END AS n,
        CASE WHEN kpi.aggregation = 'LAST' THEN CASE WHEN series = 1 AND division = 0 THEN last_value
                WHEN kpi.across_parts = 'SUM' THEN {round(}last_value{)} END
            WHEN value_count = 1 THEN last_value
            WHEN kpi.aggregation = 'SUM' THEN {round(}value_sum{)}
            WHEN kpi.aggregation = 'AVERAGE' THEN {round(}weighted / weight{)}
            WHEN without_parts = 0 THEN {round(}{ratio_multiplier} * (numerator / denominator){)} END AS value
    FROM ranked JOIN kpi ON kpi.id = ranked.kpi_id WHERE age <= 3
), told AS (
    SELECT valued.*, {tomorrow} < ends AS runs,
        -- Only the newest period can run: the one before it has ended.
        LEAD(n) OVER older AS ended_n, LEAD(series) OVER older AS ended_series,
        ROW_NUMBER() OVER older AS newest
    FROM valued WHERE value IS NOT NULL OR aggregation = 'LAST'
    WINDOW older AS (PARTITION BY kpi_id, at_touchpoint_id ORDER BY period_start DESC)
), aimed AS (
    SELECT told.*, target.id AS target_id, target.value AS target
    FROM told LEFT JOIN kpi_target target ON target.id = (SELECT begun.id FROM kpi_target begun
        WHERE begun.kpi_id = told.kpi_id AND begun.channel_id IS NULL AND begun.segment_id IS NULL
            AND begun.valid_from <= {judged_on} ORDER BY begun.valid_from DESC LIMIT 1)
), judged AS (
    SELECT aimed.*, CASE WHEN runs AND aggregation = 'SUM' THEN smallest >= 0 AND target IS NOT NULL
            AND CASE direction WHEN 'HIGHER' THEN value >= target ELSE value > target END
        WHEN n < minimum_sample THEN false
        WHEN NOT runs OR ended_n IS NULL THEN true
        WHEN aggregation = 'LAST' THEN division = 0 AND place <> 'TOUCHPOINTS' OR series >= ended_series
        ELSE n >= ended_n / 2 END AS counts
    FROM aimed
), together AS (
    SELECT kpi_id, at_touchpoint_id, MIN(CASE WHEN counts THEN newest END) AS chosen, COUNT(*) AS periods,
        MIN(period_start) AS first_start,
        CASE WHEN MAX(aggregation) = 'RATIO' AND SUM(without_parts) = 0 THEN {round(}SUM(denominator){)}
            ELSE SUM(weight) END AS n,
        CASE MAX(aggregation) WHEN 'AVERAGE' THEN {round(}SUM(weighted) / SUM(weight){)}
            WHEN 'RATIO' THEN CASE WHEN SUM(without_parts) = 0
                THEN {round(}MAX(ratio_multiplier) * (SUM(numerator) / SUM(denominator)){)} END END AS value
    FROM judged GROUP BY kpi_id, at_touchpoint_id
), chosen AS (
    SELECT together.*, CASE WHEN together.chosen IS NULL AND together.periods > 1
        AND together.value IS NOT NULL AND together.n >= first.minimum_sample THEN 1 ELSE 0 END AS is_together
    FROM together JOIN judged first ON first.kpi_id = together.kpi_id
        AND first.at_touchpoint_id = together.at_touchpoint_id AND first.newest = 1
), figure AS (
    SELECT one.kpi_id, one.at_touchpoint_id AS touchpoint_id, one.place, one.last_day, one.ends, one.target_id,
        CASE is_together WHEN 1 THEN chosen.value ELSE one.value END AS value,
        CASE is_together WHEN 1 THEN chosen.n ELSE one.n END AS n,
        CASE is_together WHEN 1 THEN chosen.first_start ELSE one.period_start END AS period_start,
        CASE is_together WHEN 1 THEN chosen.periods ELSE 1 END AS periods,
        chosen.chosen IS NULL AND is_together = 0 AS is_too_few,
        chosen.chosen IS NOT NULL AND one.aggregation = 'SUM' AND one.runs AS is_decided,
        CASE WHEN first.runs AND COALESCE(chosen.chosen, 0) <> 1 THEN first.period_start END AS running_start,
        CASE WHEN first.runs AND COALESCE(chosen.chosen, 0) <> 1 THEN first.value END AS running_value,
        CASE WHEN first.runs AND COALESCE(chosen.chosen, 0) <> 1 THEN first.n END AS running_n
    FROM chosen JOIN judged one ON one.kpi_id = chosen.kpi_id
        AND one.at_touchpoint_id = chosen.at_touchpoint_id AND one.newest = COALESCE(chosen.chosen, 1)
    JOIN judged first ON first.kpi_id = chosen.kpi_id
        AND first.at_touchpoint_id = chosen.at_touchpoint_id AND first.newest = 1
)";

/// Goes on after the common tables `today (day)` and, still open, `place (kpi_id, touchpoint_id)`, where the nil id
/// stands for the KPI as a whole; gives the common table `figure` with a row for each place that has a figure.
#[must_use]
pub fn append_current_figures(text: SqlBuilder) -> SqlBuilder {
    let dialect = FigureDialect::of(text.backend());
    let first_day = day_of_number(1).unwrap_or_default();
    text.then("), open_touchpoint (id) AS (")
        .select(&select_touchpoints_open_to_everybody())
        .then(&dialect.replace_in(NEEDED))
        .then(OLDEST)
        .value(first_day)
        .then(&dialect.replace_in(AT_OPEN))
        .then(OLDEST)
        .value(first_day)
        .then(&dialect.replace_in(FIGURES))
}

/// The state of a figure of [`append_current_figures`], outer joined as `figure` with its KPI and its target; the twin
/// of how `current` judges.
#[must_use]
pub fn figure_state_sql() -> String {
    format!(
        "CASE WHEN figure.kpi_id IS NULL THEN 'NO_DATA' WHEN figure.value IS NULL THEN 'BY_PART_ONLY' \
         WHEN figure.is_too_few THEN 'TOO_FEW' ELSE {} END",
        super::state::state_sql("kpi", "figure.value", "target")
    )
}
