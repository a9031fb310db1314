//! Sums of what was measured of a KPI in each period, from which its current figure follows; the settings that decide
//! which period counts; and targets of a channel or a segment.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let dialect = match schema.get_database_backend() {
            DbBackend::Postgres => ON_POSTGRESQL,
            _ => ON_SQLITE,
        };
        sql::run(schema, dialect.lock).await?;
        sql::run(schema, TABLES).await?;
        let sums = dialect.replace_in(SUMS);
        sql::run(schema, &sums).await
    }
}

const TABLES: &str = r#"
ALTER TABLE kpi ADD COLUMN minimum_sample integer CHECK (minimum_sample >= 1);
ALTER TABLE kpi ADD COLUMN across_parts text NOT NULL DEFAULT 'NONE';

ALTER TABLE kpi_target ADD COLUMN channel_id {uuid} REFERENCES channel (id);
ALTER TABLE kpi_target ADD COLUMN segment_id {uuid} REFERENCES segment (id);
DROP INDEX kpi_target_once;
CREATE UNIQUE INDEX kpi_target_once ON kpi_target (kpi_id, valid_from)
    WHERE channel_id IS NULL AND segment_id IS NULL;
CREATE UNIQUE INDEX kpi_target_once_channel ON kpi_target (kpi_id, channel_id, valid_from)
    WHERE channel_id IS NOT NULL AND segment_id IS NULL;
CREATE UNIQUE INDEX kpi_target_once_segment ON kpi_target (kpi_id, segment_id, valid_from)
    WHERE channel_id IS NULL AND segment_id IS NOT NULL;
CREATE UNIQUE INDEX kpi_target_once_channel_segment ON kpi_target (kpi_id, channel_id, segment_id, valid_from)
    WHERE channel_id IS NOT NULL AND segment_id IS NOT NULL;
CREATE INDEX kpi_target_kpi ON kpi_target (kpi_id, valid_from);

CREATE TABLE kpi_period (
    kpi_id {uuid} NOT NULL REFERENCES kpi (id),
    touchpoint_id {uuid} NOT NULL,
    period_start {day} NOT NULL,
    channel_id {uuid} NOT NULL,
    segment_id {uuid} NOT NULL,
    value_count integer NOT NULL CHECK (value_count >= 1),
    value_sum {number} NOT NULL CHECK (value_sum {finite}),
    value_lost {number} NOT NULL CHECK (value_lost {finite}),
    weighted_sum {number} NOT NULL CHECK (weighted_sum {finite}),
    weighted_lost {number} NOT NULL CHECK (weighted_lost {finite}),
    weight {number} NOT NULL CHECK (weight {finite}),
    numerator_sum {number} NOT NULL CHECK (numerator_sum {finite}),
    numerator_lost {number} NOT NULL CHECK (numerator_lost {finite}),
    denominator_sum {number} NOT NULL CHECK (denominator_sum {finite}),
    denominator_lost {number} NOT NULL CHECK (denominator_lost {finite}),
    without_parts integer NOT NULL CHECK (without_parts BETWEEN 0 AND value_count),
    without_sample integer NOT NULL CHECK (without_sample BETWEEN 0 AND value_count),
    last_day {day} NOT NULL,
    last_value {number} NOT NULL CHECK (last_value {finite}),
    smallest_value {number} NOT NULL CHECK (smallest_value {finite}),
    PRIMARY KEY (kpi_id, touchpoint_id, period_start, channel_id, segment_id),
    CONSTRAINT kpi_period_last_day CHECK (last_day >= period_start)
) {unordered};
-- A KPI that is measured at touchpoints only: its newest periods at any of them.
CREATE INDEX kpi_period_newest ON kpi_period (kpi_id, period_start);
"#;

/// What the two databases spell differently here.
struct SumDialect {
    /// A server of an older version that still runs would record measurements without their sums.
    lock: &'static str,
    period_start: &'static str,
    /// Around what is added up, so that no digits are lost.
    sum: (&'static str, &'static str),
}

impl SumDialect {
    fn replace_in(&self, text: &str) -> String {
        text.replace("{period_start}", self.period_start)
            .replace("{sum(}", self.sum.0)
            .replace("{)}", self.sum.1)
    }
}

const ON_POSTGRESQL: SumDialect = SumDialect {
    // In the order in which a recording takes them.
    lock: "LOCK TABLE kpi, kpi_target, measurement IN SHARE ROW EXCLUSIVE MODE;",
    period_start:
        "CAST(date_trunc(CASE kpi.cadence WHEN 'DAILY' THEN 'day' WHEN 'WEEKLY' THEN 'week'
        WHEN 'MONTHLY' THEN 'month' WHEN 'QUARTERLY' THEN 'quarter' ELSE 'year' END,
        CAST(measured_on AS timestamp)) AS date)",
    sum: ("CAST(SUM(CAST(", " AS numeric)) AS double precision)"),
};

// SQLite adds up without losing digits.
const ON_SQLITE: SumDialect = SumDialect {
    lock: "",
    period_start: "CASE kpi.cadence WHEN 'DAILY' THEN measured_on
        WHEN 'WEEKLY' THEN date(measured_on, '-' || ((strftime('%w', measured_on) + 6) % 7) || ' days')
        WHEN 'MONTHLY' THEN date(measured_on, 'start of month')
        WHEN 'QUARTERLY' THEN
            date(measured_on, 'start of month', '-' || ((strftime('%m', measured_on) - 1) % 3) || ' months')
        ELSE date(measured_on, 'start of year') END",
    sum: ("SUM(", ")"),
};

const SUMS: &str = r#"
INSERT INTO kpi_period
WITH placed AS (
    SELECT kpi_id, COALESCE(touchpoint_id, {hex}'00000000000000000000000000000000') AS touchpoint_id,
        {period_start} AS period_start,
        COALESCE(channel_id, {hex}'00000000000000000000000000000000') AS channel_id,
        COALESCE(segment_id, {hex}'00000000000000000000000000000000') AS segment_id,
        measured_on, value, numerator, denominator, COALESCE(sample_size, 1) AS weight, sample_size,
        numerator IS NULL OR denominator IS NULL AS is_without_parts
    FROM measurement JOIN kpi ON kpi.id = kpi_id
    WHERE superseded_by_id IS NULL
), dated AS (
    SELECT placed.*, MAX(measured_on) OVER (
        PARTITION BY kpi_id, touchpoint_id, period_start, channel_id, segment_id) AS last_day
    FROM placed
)
SELECT kpi_id, touchpoint_id, period_start, channel_id, segment_id, COUNT(*),
    {sum(}value{)}, 0.0, {sum(}value * weight{)}, 0.0, {sum(}weight{)},
    {sum(}CASE WHEN is_without_parts THEN 0.0 ELSE numerator END{)}, 0.0,
    {sum(}CASE WHEN is_without_parts THEN 0.0 ELSE denominator END{)}, 0.0,
    SUM(CASE WHEN is_without_parts THEN 1 ELSE 0 END), SUM(CASE WHEN sample_size IS NULL THEN 1 ELSE 0 END),
    last_day, MAX(CASE WHEN measured_on = last_day THEN value END), MIN(value)
FROM dated
GROUP BY kpi_id, touchpoint_id, period_start, channel_id, segment_id, last_day;
"#;
