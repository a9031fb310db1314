//! What the handshake remembers: the seat that a proposal was made from, that the holder hands over, what was accepted
//! without asking, and what resumes what.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, COLUMNS).await
    }
}

const COLUMNS: &str = "
ALTER TABLE responsibility ADD COLUMN proposed_from_department_id {uuid} REFERENCES department (id);
ALTER TABLE responsibility ADD COLUMN handed_over_at {instant};
ALTER TABLE responsibility ADD COLUMN handed_over_by_account_id {uuid} REFERENCES account (id);
ALTER TABLE responsibility ADD COLUMN unasked {boolean} NOT NULL DEFAULT {false};
ALTER TABLE responsibility ADD COLUMN resumes_id {uuid} REFERENCES responsibility (id);

-- Who proposed acted from the nearest LEAD membership at or above the department in whose name it was.
WITH RECURSIVE up (department_id, seat_id, steps) AS (
    SELECT id, id, 0 FROM department
    UNION ALL
    SELECT up.department_id, department.parent_id, up.steps + 1
    FROM up JOIN department ON department.id = up.seat_id
    WHERE department.parent_id IS NOT NULL AND up.steps < 1000
)
UPDATE responsibility SET proposed_from_department_id = coalesce(
    (SELECT up.seat_id FROM up JOIN membership ON membership.department_id = up.seat_id
     WHERE up.department_id = responsibility.proposed_by_department_id
       AND membership.account_id = responsibility.proposed_by_account_id AND membership.role = 'LEAD'
     ORDER BY up.steps LIMIT 1),
    proposed_by_department_id)
WHERE status = 'PROPOSED';

-- Deleting a draft asks for each of its responsibilities whether another one resumes it.
CREATE INDEX responsibility_resumes ON responsibility (resumes_id) WHERE resumes_id IS NOT NULL;
CREATE INDEX responsibility_person ON responsibility (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX responsibility_proposed ON responsibility (status, id) WHERE status = 'PROPOSED';
";
