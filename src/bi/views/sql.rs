//! Statements that only PostgreSQL has, and names and texts inside them.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{
    database::Transaction,
    error::{Error, Result, database},
};

/// Whether what was written down of the login is still so. It depends on no row: it is looked at once, and first.
pub(super) const SEES_ANYTHING: &str =
    "EXISTS (SELECT 1 FROM bi_signature WHERE login = CAST(session_user AS text) AND noted = now)";

/// Text in quotes. A backslash needs no escape: `standard_conforming_strings` is on unless somebody turned it off.
pub(super) fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name in quotes.
pub(super) fn quote_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The first row of a statement, if it gives any.
pub(super) async fn query_first<const N: usize>(
    tx: &Transaction,
    sql: &str,
    values: [sea_orm::Value; N],
) -> Result<Option<sea_orm::QueryResult>> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(tx.query_one_raw(statement).await?)
}

/// Runs what changes views and roles, and says in words what whoever runs it may be told.
pub(super) async fn run_ddl(tx: &Transaction, sql: &str) -> Result<()> {
    let Err(error) = tx.execute_unprepared(sql).await else {
        return Ok(());
    };
    let sentence = match database::error_code(&error).as_deref() {
        // insufficient_privilege
        Some("42501") => {
            "The user of the database may not do this. Views and logins for BI are made by the owner of the database \
             and its tables, who has CREATEROLE, or by a superuser."
        }
        // dependent_objects_still_exist
        Some("2BP01") => {
            "Something else in this cluster depends on it: views of others on ours, or rights of the login elsewhere. \
             Remove that first."
        }
        // invalid_parameter_value
        Some("22023") => {
            "This PostgreSQL does not know the time zone. Those that it knows are in pg_timezone_names."
        }
        _ => return Err(error.into()),
    };
    tracing::warn!(%error, "the database refused");
    Err(Error::BadInput(sentence.to_owned()))
}
