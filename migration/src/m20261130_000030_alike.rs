//! What is alike, whatever the database and its locale. Keys are ASCII, and PostgreSQL lowers their letters as the
//! program does: by the collation C, whose lower() knows no dotless i. Titles of sources, names of scenarios and needs
//! of personas are told apart by the program, in all scripts; indexes tell only equal ones apart. Of those that are
//! alike by now, the later get a number. Words that are searched for are folded anew, as scripts differ in what of a
//! word may fall.

use std::collections::HashSet;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, Statement, prelude::Uuid},
};

use unicode_normalization::UnicodeNormalization;

use crate::{m20261124_000012_search::WATCHED, search::mark_all_stale, sql};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        if schema.get_database_backend() == DbBackend::Postgres {
            for table in WITH_KEYS {
                let column =
                    format!("ALTER TABLE {table} ALTER COLUMN key TYPE text COLLATE \"C\";");
                sql::run(schema, &column).await?;
            }
        }
        sql::run(schema, "DROP INDEX source_title; DROP INDEX scenario_name;").await?;
        for names in [SOURCES, SCENARIOS, NEEDS] {
            number_alike_names(schema, &names).await?;
        }
        sql::run(schema, INDEXES).await?;
        // Words are folded otherwise from now on.
        for watched in WATCHED {
            mark_all_stale(schema, watched).await?;
        }
        Ok(())
    }
}

const WITH_KEYS: [&str; 13] = [
    "account",
    "blueprint",
    "channel",
    "department",
    "improvement",
    "insight",
    "kpi",
    "persona",
    "phase",
    "promise",
    "segment",
    "template",
    "touchpoint",
];

const INDEXES: &str = "
CREATE UNIQUE INDEX source_title ON source (blueprint_id, title);
CREATE UNIQUE INDEX scenario_name ON scenario (blueprint_id, name);
";

/// Names that tell rows of one owner apart.
struct Names {
    table: &'static str,
    column: &'static str,
    owner: &'static str,
    /// By which the first of several that are alike is told.
    order: &'static str,
    /// What else changes with the name.
    besides: &'static str,
}

const SOURCES: Names = Names {
    table: "source",
    column: "title",
    owner: "blueprint_id",
    order: "created_at, id",
    besides: ", version = version + 1",
};

const SCENARIOS: Names = Names {
    table: "scenario",
    column: "name",
    ..SOURCES
};

const NEEDS: Names = Names {
    table: "persona_need",
    column: "text",
    owner: "persona_id",
    order: "position, id",
    besides: "",
};

async fn number_alike_names(schema: &SchemaManager<'_>, names: &Names) -> Result<(), DbErr> {
    let (connection, backend) = (schema.get_connection(), schema.get_database_backend());
    let Names {
        table,
        column,
        owner,
        order,
        besides,
    } = names;
    let all = format!("SELECT id, {owner}, {column} FROM {table} ORDER BY {order}");
    let rows = connection
        .query_all_raw(Statement::from_string(backend, all))
        .await?;
    let mut met: HashSet<(Uuid, String)> = HashSet::new();
    let mut alike: Vec<(Uuid, Uuid, String)> = Vec::new();
    for row in rows {
        let (id, owner): (Uuid, Uuid) = (row.try_get("", "id")?, row.try_get("", owner)?);
        let name: String = row.try_get("", column)?;
        if !met.insert((owner, fold(&name))) {
            alike.push((id, owner, name));
        }
    }
    let rename = format!("UPDATE {table} SET {column} = $1{besides} WHERE id = $2");
    for (id, owner, name) in alike {
        let numbered = (2_u32..).map(|number| format!("{name} ({number})"));
        let mut free = numbered.filter(|name| met.insert((owner, fold(name))));
        if let Some(name) = free.next() {
            let values = [name.into(), id.into()];
            connection
                .execute_raw(Statement::from_sql_and_values(backend, &rename, values))
                .await?;
        }
    }
    Ok(())
}

/// As the program tells names apart.
fn fold(name: &str) -> String {
    name.trim().nfc().collect::<String>().to_lowercase()
}
