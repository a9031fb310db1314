//! What journeys say besides: when a phase is and whose it is, which sources are still to be asked, and why a blueprint
//! was sent back to its owners.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let tomorrow = match schema.get_database_backend() {
            DbBackend::Postgres => "CURRENT_DATE + 1",
            _ => "date('now', '+1 day')",
        };
        sql::run(schema, TABLES).await?;
        // After tomorrow, so that it is a day to come in every time zone.
        sql::run(schema, &DAYS.replace("{tomorrow}", tomorrow)).await
    }
}

const TABLES: &str = "
ALTER TABLE phase ADD COLUMN timing text;
CREATE TABLE phase_segment (
    phase_id {uuid} NOT NULL REFERENCES phase (id) ON DELETE CASCADE,
    segment_id {uuid} NOT NULL REFERENCES segment (id),
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (phase_id, segment_id)
) {table};
CREATE INDEX phase_segment_segment ON phase_segment (segment_id);

ALTER TABLE blueprint ADD COLUMN sent_back_reason text;

ALTER TABLE source ADD COLUMN planned {boolean} NOT NULL DEFAULT {false};
";

/// A source of a day to come was never asked: nothing that rests on such sources alone was observed. Nor was anything
/// tried on such a day: it was written down before it.
const DAYS: &str = "
UPDATE source SET planned = {true}, version = version + 1 WHERE held_on > {tomorrow};
UPDATE insight SET basis = 'ASSUMED', version = version + 1 WHERE basis = 'OBSERVED' AND NOT EXISTS (
    SELECT 1 FROM insight_source JOIN source ON source.id = insight_source.source_id
    WHERE insight_source.insight_id = insight.id AND NOT source.planned);
UPDATE blueprint SET revision = revision + 1 WHERE
    id IN (SELECT blueprint_id FROM source WHERE planned)
    OR id IN (SELECT blueprint_id FROM evaluation WHERE held_on > {tomorrow});
UPDATE evaluation SET held_on = CURRENT_DATE, version = version + 1 WHERE held_on > {tomorrow};
";
