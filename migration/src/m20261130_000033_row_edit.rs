//! Who made each row and who changed it last. What happened before is taken from the audit log, as far as that tells of
//! single rows: what has no state before is a creation where the state after is that of a row, else a change of a list or a batch.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLE).await
    }
}

const TABLE: &str = "
CREATE TABLE row_edit (
    subject_id {uuid} NOT NULL PRIMARY KEY,
    created_by_id {uuid} REFERENCES account (id),
    updated_at {instant} NOT NULL,
    updated_by_id {uuid} REFERENCES account (id)
) {table};
-- The history of a blueprint, the newest first.
CREATE INDEX audit_event_blueprint ON audit_event (blueprint_id, at, id) WHERE blueprint_id IS NOT NULL;

INSERT INTO row_edit (subject_id, created_by_id, updated_at, updated_by_id)
SELECT last.subject_id, first.actor_account_id, last.at, last.actor_account_id FROM (
    SELECT subject_id, at, actor_account_id, after,
        ROW_NUMBER() OVER (PARTITION BY subject_id ORDER BY at DESC, id DESC) AS nth
    FROM audit_event WHERE outcome = 'DONE' AND subject_id IS NOT NULL
        AND (before IS NOT NULL OR CAST(after AS text) LIKE '%\"version\"%')
        AND subject_type NOT IN ('Account', 'Session', 'ServiceToken', 'Membership', 'KpiGrant', 'Measurement',
            'Publication', 'Feedback')
) last LEFT JOIN (
    SELECT subject_id, actor_account_id,
        ROW_NUMBER() OVER (PARTITION BY subject_id ORDER BY at, id) AS nth
    FROM audit_event WHERE outcome = 'DONE' AND before IS NULL
        AND CAST(after AS text) LIKE '%\"version\"%'
) first ON first.subject_id = last.subject_id AND first.nth = 1
WHERE last.nth = 1 AND last.after IS NOT NULL;
";
