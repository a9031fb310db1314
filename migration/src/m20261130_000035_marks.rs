//! Marks of Indic and South-East Asian scripts are part of the words that are searched for: everything is folded anew.

use sea_orm_migration::prelude::*;

use crate::{m20261124_000012_search::WATCHED, search::mark_all_stale};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for watched in WATCHED {
            mark_all_stale(schema, watched).await?;
        }
        Ok(())
    }
}
