//! Rows that are locked where no other row stands for what must not happen twice at once. Whoever may read the views
//! for BI has no right to them, and so cannot hold their locks.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, ROWS).await
    }
}

const ROWS: &str = "
CREATE TABLE fixed_row (
    name text PRIMARY KEY NOT NULL,
    touched integer NOT NULL
) {table};
INSERT INTO fixed_row (name, touched) VALUES ('department_tree', 0), ('views', 0), ('probe', 0);
";
