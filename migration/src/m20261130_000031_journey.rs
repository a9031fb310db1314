//! What journeys say besides: when a phase is and whose it is, which sources are still to be asked, and why a blueprint
//! was sent back to its owners.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLES).await
    }
}

// A source of a day to come was never asked: nothing that rests on such sources alone was observed.
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
UPDATE source SET planned = {true} WHERE held_on > CURRENT_DATE;
UPDATE insight SET basis = 'ASSUMED' WHERE basis = 'OBSERVED' AND NOT EXISTS (
    SELECT 1 FROM insight_source JOIN source ON source.id = insight_source.source_id
    WHERE insight_source.insight_id = insight.id AND NOT source.planned);
";
