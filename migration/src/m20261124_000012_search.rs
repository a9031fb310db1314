//! What can be found by its words: one row of folded words for each thing, in the full-text index of either database.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::{
    search::{self, SearchedTable},
    sql,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLES).await?;
        match schema.get_database_backend() {
            DbBackend::Postgres => sql::run(schema, INDEX_POSTGRES).await?,
            _ => sql::run(schema, INDEX_SQLITE).await?,
        }
        for watched in WATCHED {
            search::create_search_triggers(schema, watched).await?;
        }
        Ok(())
    }
}

pub(crate) const WATCHED: &[SearchedTable] = &[
    watched_table("BLUEPRINT", "blueprint", "id", &["title"]),
    watched_table("PHASE", "phase", "id", &["name", "customer_goal"]),
    watched_table(
        "TOUCHPOINT",
        "touchpoint",
        "id",
        &["name", "customer_action", "note", "evidence", "systems"],
    ),
    watched_table("INSIGHT", "insight", "id", &["text", "answer", "whys"]),
    watched_table("SCENARIO", "scenario", "id", &["name", "note"]),
    watched_table("SOURCE", "source", "id", &["title", "note"]),
    watched_table("PROMISE", "promise", "id", &["text"]),
    watched_table(
        "IMPROVEMENT",
        "improvement",
        "id",
        &["title", "description", "result"],
    ),
    watched_table("PERSONA", "persona", "id", &["name", "context"]),
    watched_table(
        "PERSONA",
        "persona_need",
        "persona_id",
        &["text", "position"],
    ),
    watched_table("DEPARTMENT", "department", "id", &["name"]),
    watched_table("KPI", "kpi", "id", &["name", "description"]),
];

const fn watched_table(
    kind: &'static str,
    table: &'static str,
    id: &'static str,
    texts: &'static [&'static str],
) -> SearchedTable {
    SearchedTable {
        kind,
        table,
        id,
        texts,
    }
}

/// Words are folded by the program and parted by blanks, one at each end: neither database folds or parts them again.
const TABLES: &str = r#"
CREATE TABLE search_text (
    number {serial} NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    id {uuid} NOT NULL,
    blueprint_id {uuid},
    -- The words of the text that names the thing, in order.
    title text NOT NULL,
    -- All its words, each once.
    words text NOT NULL
) {table};
CREATE UNIQUE INDEX search_text_once ON search_text (kind, id);

-- What has to be read again before the transaction that wrote it ends. Rows come twice rather than wait for another's.
CREATE TABLE search_stale (
    number {serial} NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    id {uuid} NOT NULL
) {table};
"#;

/// Without its price the planner would rather make the vector of every row again than ask the index for many.
const INDEX_POSTGRES: &str = "
CREATE FUNCTION search_vector(words text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS
    $$ BEGIN RETURN array_to_tsvector(string_to_array(btrim(words), ' ')); END $$;
CREATE INDEX search_text_words ON search_text USING gin (search_vector(words));
";

const INDEX_SQLITE: &str = "
CREATE VIRTUAL TABLE search_index USING fts5 (
    words, content = 'search_text', content_rowid = 'number', tokenize = 'ascii', detail = none, columnsize = 0
);
CREATE TRIGGER search_text_new AFTER INSERT ON search_text
    BEGIN INSERT INTO search_index (rowid, words) VALUES (NEW.number, NEW.words); END;
CREATE TRIGGER search_text_old AFTER DELETE ON search_text
    BEGIN INSERT INTO search_index (search_index, rowid, words) VALUES ('delete', OLD.number, OLD.words); END;
CREATE TRIGGER search_text_changed AFTER UPDATE OF words ON search_text
    BEGIN
        INSERT INTO search_index (search_index, rowid, words) VALUES ('delete', OLD.number, OLD.words);
        INSERT INTO search_index (rowid, words) VALUES (NEW.number, NEW.words);
    END;
";
