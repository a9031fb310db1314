//! Statements that only PostgreSQL has, and names and texts inside them.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{
    database::Transaction,
    error::{Error, Result, database},
};

/// Whether what was written down of the login is still so; an error where it is not, since whoever copies what they read
/// would take no rows for the truth. It depends on no row: it is looked at once, and first.
pub(super) const REQUIRE_CURRENT_RIGHTS: &str = "(SELECT CASE \
    WHEN EXISTS (SELECT 1 FROM bi_signature WHERE login = CAST(session_user AS text) AND noted = now) THEN TRUE \
    WHEN EXISTS (SELECT 1 FROM bi_login WHERE name = CAST(session_user AS text)) THEN bi_refuse_outdated_login() \
    ELSE FALSE END)";

/// The function that ends a statement whose login is looked at anew.
pub(super) const REFUSAL: &str = "bi_refuse_outdated_login()";

/// Makes the function that ends a statement whose login is looked at anew. STABLE: what is IMMUTABLE would be called
/// while a statement is planned.
pub(super) const CREATE_REFUSAL: &str =
    "CREATE OR REPLACE FUNCTION bi_refuse_outdated_login() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$ BEGIN
    RAISE EXCEPTION 'The rights of this login have changed and are being looked at anew.'
        USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Ask again in a minute, or run cx-blueprint bi refresh.';
END $$";

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
