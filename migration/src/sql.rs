//! One SQL text for both databases: the words on which they differ stand in braces.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// In the text, on PostgreSQL, on SQLite.
const WORDS: &[(&str, &str, &str)] = &[
    ("{uuid}", "uuid", "BLOB"),
    ("{bytes}", "bytea", "BLOB"),
    ("{instant}", "timestamptz", "TEXT"),
    ("{day}", "date", "TEXT"),
    ("{number}", "double precision", "REAL"),
    ("{boolean}", "boolean", "INTEGER"),
    ("{json}", "jsonb", "TEXT"),
    // SQLite checks types only in a table that asks for it.
    ("{table}", "", "STRICT"),
    // Neither NaN, which PostgreSQL sorts above infinity and SQLite stores as NULL, nor an infinity.
    ("{finite}", FINITE, FINITE),
];

const FINITE: &str = "BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308";

/// Runs the statements of `text`, separated by semicolons.
pub(crate) async fn run(schema: &SchemaManager<'_>, text: &str) -> Result<(), DbErr> {
    let postgres = schema.get_database_backend() == DbBackend::Postgres;
    let sql = WORDS.iter().fold(text.to_owned(), |sql, word| {
        sql.replace(word.0, if postgres { word.1 } else { word.2 })
    });
    schema.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}
