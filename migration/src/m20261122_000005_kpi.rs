//! Whether it works: KPIs, their targets, what they judge, who may see them, and their values.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLES).await?;
        for which in 0..8 {
            sql::run(schema, &unique_measurement_index_sql(which)).await?;
        }
        Ok(())
    }
}

const TABLES: &str = r#"
CREATE TABLE kpi (
    id {uuid} NOT NULL PRIMARY KEY,
    key text NOT NULL,
    name text NOT NULL,
    description text,
    kpi_type text NOT NULL,
    unit text NOT NULL,
    currency text,
    decimals integer NOT NULL CHECK (decimals BETWEEN 0 AND 6),
    direction text NOT NULL,
    aggregation text NOT NULL,
    cadence text NOT NULL,
    owner_department_id {uuid} NOT NULL REFERENCES department (id),
    sensitivity text NOT NULL,
    scope text NOT NULL,
    created_at {instant} NOT NULL,
    archived_at {instant},
    version integer NOT NULL CHECK (version >= 1),
    CONSTRAINT kpi_currency CHECK ((unit = 'CURRENCY') = (currency IS NOT NULL))
) {table};
CREATE UNIQUE INDEX kpi_key ON kpi (lower(key));
CREATE INDEX kpi_owner ON kpi (owner_department_id);
CREATE INDEX kpi_created ON kpi (created_at, id);

CREATE TABLE kpi_target (
    id {uuid} NOT NULL PRIMARY KEY,
    kpi_id {uuid} NOT NULL REFERENCES kpi (id),
    valid_from {day} NOT NULL,
    value {number} CHECK (value {finite}),
    warning {number} CHECK (warning {finite}),
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1)
) {table};
CREATE UNIQUE INDEX kpi_target_once ON kpi_target (kpi_id, valid_from);

CREATE TABLE kpi_link (
    id {uuid} NOT NULL PRIMARY KEY,
    kpi_id {uuid} NOT NULL REFERENCES kpi (id),
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    phase_id {uuid},
    touchpoint_id {uuid},
    valid_from {day},
    valid_to {day},
    weight {number} CHECK (weight {finite}),
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    FOREIGN KEY (phase_id, blueprint_id) REFERENCES phase (id, blueprint_id),
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    CONSTRAINT kpi_link_judges_one CHECK (phase_id IS NULL OR touchpoint_id IS NULL),
    CONSTRAINT kpi_link_period CHECK (valid_to > valid_from)
) {table};
CREATE INDEX kpi_link_kpi ON kpi_link (kpi_id);
CREATE INDEX kpi_link_blueprint ON kpi_link (blueprint_id);
CREATE INDEX kpi_link_touchpoint ON kpi_link (touchpoint_id);

CREATE TABLE kpi_grant (
    id {uuid} NOT NULL PRIMARY KEY,
    kpi_id {uuid} NOT NULL REFERENCES kpi (id),
    account_id {uuid} NOT NULL REFERENCES account (id),
    created_at {instant} NOT NULL
) {table};
CREATE UNIQUE INDEX kpi_grant_once ON kpi_grant (kpi_id, account_id);
CREATE INDEX kpi_grant_account ON kpi_grant (account_id);

CREATE TABLE measurement (
    id {uuid} NOT NULL PRIMARY KEY,
    kpi_id {uuid} NOT NULL REFERENCES kpi (id),
    touchpoint_id {uuid} REFERENCES touchpoint (id),
    channel_id {uuid} REFERENCES channel (id),
    segment_id {uuid} REFERENCES segment (id),
    measured_on {day} NOT NULL,
    value {number} NOT NULL CHECK (value {finite}),
    numerator {number} CHECK (numerator {finite}),
    denominator {number} CHECK (denominator {finite}),
    sample_size integer CHECK (sample_size >= 1),
    source text,
    recorded_at {instant} NOT NULL,
    recorded_by_account_id {uuid} REFERENCES account (id),
    -- Looked at on commit: the old value has to make room before its correction can come.
    superseded_by_id {uuid} REFERENCES measurement (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT measurement_not_its_own_correction CHECK (superseded_by_id <> id)
) {table};
CREATE INDEX measurement_day ON measurement (kpi_id, measured_on);
-- Flat rows are read by day, page after page.
CREATE INDEX measurement_in_order ON measurement (measured_on, id) WHERE superseded_by_id IS NULL;
-- Deleting a draft asks for each of its touchpoints whether something was measured there.
CREATE INDEX measurement_touchpoint ON measurement (touchpoint_id) WHERE touchpoint_id IS NOT NULL;
"#;

/// One value per natural key, an empty part equal to an empty part. A unique index takes NULLs for
/// different, so there is one index for each combination of empty parts, over the others. The day
/// comes last: the index that holds the rule also finds the latest value.
fn unique_measurement_index_sql(which: u8) -> String {
    let mut name = "measurement_once".to_owned();
    let mut key = "kpi_id".to_owned();
    let mut shape = "superseded_by_id IS NULL".to_owned();
    for (bit, part) in ["touchpoint", "channel", "segment"].into_iter().enumerate() {
        if which & (1 << bit) == 0 {
            shape += &format!(" AND {part}_id IS NULL");
        } else {
            name += &format!("_{part}");
            key += &format!(", {part}_id");
            shape += &format!(" AND {part}_id IS NOT NULL");
        }
    }
    format!("CREATE UNIQUE INDEX {name} ON measurement ({key}, measured_on) WHERE {shape}")
}
