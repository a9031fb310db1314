//! Roles of PostgreSQL for BI tools: made and dropped by the operator, each for one account. A role may read the views
//! and nothing else that is ours.

use async_graphql::ID;
use entity::{account, bi_login, id::AccountId};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set};
use serde_json::json;

use super::{
    login, password,
    sql::{REFUSAL, query_first, quote_literal, quote_name, run_ddl},
};
use crate::{
    access::{Caller, Permit},
    audit::AuditedChange,
    database::Transaction,
    error::{Error, Reason, Result, UserErrorCode},
    input,
    policy::{Action, RowTies},
};

/// A role to make.
pub struct RoleCreate {
    pub name: String,
    /// The account whose eyes it sees with.
    pub account_id: ID,
    /// How long a statement of it may take, in milliseconds, unless it asks for more time.
    pub statement_timeout: u32,
    /// Its password; one is made where none is given.
    pub password: Option<String>,
}

/// Makes a role, and the views where they are missing. Gives its password.
pub async fn create_bi_role(caller: &Caller, input: RoleCreate) -> Result<String> {
    let account_id: AccountId = input::parse_id("accountId", &input.account_id)?;
    refuse_invalid_role_name(&input.name)?;
    let password = match input.password {
        Some(password) => password,
        None => password::random_password()?,
    };
    password::refuse_invalid_password(&password)?;
    let verifier = password::scram_verifier(&password);
    let mut permit = open_role_permit(caller).await?;
    let account = permit
        .read_unarchived_row::<account::Entity>("accountId", account_id)
        .await?;
    let tx = permit.tx();
    if role_exists(tx, &input.name).await? {
        return Err(name_taken_error(&input.name));
    }
    super::create_views_if_changed(tx, caller.zone()).await?;
    create_database_role(tx, &input.name, &verifier, input.statement_timeout).await?;
    super::grant_views(tx, &input.name).await?;
    // What is left of a role that somebody dropped past us.
    login::delete_reach_rows(tx, &input.name).await?;
    bi_login::Entity::delete_by_id(&*input.name)
        .exec(tx)
        .await?;
    let row = bi_login::ActiveModel {
        name: Set(input.name.clone()),
        account_id: Set(account_id),
        signature: Set(None),
        created_at: Set(caller.now),
        renewed_at: Set(None),
    };
    row.insert(tx).await?;
    permit.add_audit_event(AuditedChange::for_change_outside_row::<account::Entity>(
        &account,
        json!({ "biRole": input.name }),
    ));
    permit.commit().await?;
    login::renew_stale_reaches(caller).await?;
    Ok(password)
}

/// Drops a role; its account stays what it is.
pub async fn drop_bi_role(caller: &Caller, name: &str) -> Result<()> {
    let mut permit = open_role_permit(caller).await?;
    let tx = permit.tx();
    let row = bi_login::Entity::find_by_id(name).one(tx).await?;
    let row = row.ok_or_else(|| {
        let message = format!("There is no BI role \"{name}\". `bi role list` lists them.");
        Error::fault("name", UserErrorCode::NotFound, None, message)
    })?;
    login::delete_reach_rows(tx, name).await?;
    bi_login::Entity::delete_by_id(name).exec(tx).await?;
    if role_exists(tx, name).await? {
        for statement in drop_role_statements(tx, name).await? {
            run_ddl(tx, &statement).await?;
        }
    }
    let account = permit
        .get::<account::Entity>("accountId", row.account_id)
        .await?;
    permit.add_audit_event(AuditedChange::for_change_outside_row::<account::Entity>(
        &account,
        json!({ "biRole": name }),
    ));
    permit.commit().await
}

async fn open_role_permit(caller: &Caller) -> Result<Permit<'_>> {
    let permit = caller
        .open_permit(Action::KeepOrganisation, &RowTies::none())
        .await?;
    match permit.tx().get_database_backend() {
        sea_orm::DbBackend::Postgres => Ok(permit),
        _ => Err(Error::BadInput(
            "Roles and views for BI need PostgreSQL; on SQLite the same rows come from /bi/v1."
                .to_owned(),
        )),
    }
}

fn refuse_invalid_role_name(name: &str) -> Result<()> {
    let mut letters = name.bytes();
    let first = letters.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let ours = !name.starts_with("pg_") && !["public", "none"].contains(&name);
    if first && rest && ours && name.len() <= 63 {
        return Ok(());
    }
    Err(Error::fault(
        "name",
        UserErrorCode::Invalid,
        None,
        "The name of a role has up to 63 small letters, digits and underscores, begins with a letter and not with pg_, \
         and is neither public nor none.",
    ))
}

fn name_taken_error(name: &str) -> Error {
    let message = format!("The database has a role \"{name}\" already.");
    Error::fault(
        "name",
        UserErrorCode::Duplicate,
        Some(Reason::KeyTaken),
        message,
    )
}

async fn role_exists(tx: &Transaction, name: &str) -> Result<bool> {
    let sql = "SELECT 1 AS one FROM pg_roles WHERE rolname = $1";
    Ok(query_first(tx, sql, [name.into()]).await?.is_some())
}

/// The database that we are in and the schema of our tables, as names in quotes.
async fn load_database_and_schema_names(tx: &Transaction) -> Result<(String, String)> {
    let sql = "SELECT current_database()::text AS database, current_schema()::text AS schema";
    let row = query_first(tx, sql, []).await?;
    let row = row.ok_or_else(|| Error::internal("the database does not say which it is"))?;
    let name = |column| row.try_get::<String>("", column);
    Ok((quote_name(&name("database")?), quote_name(&name("schema")?)))
}

/// Making the role. What everybody has of ours is taken from them: temporary things, with which a login could fill the
/// disk, and making things beside our tables.
async fn create_database_role(
    tx: &Transaction,
    name: &str,
    verifier: &str,
    timeout: u32,
) -> Result<()> {
    let (database, schema) = load_database_and_schema_names(tx).await?;
    let (name, verifier) = (quote_name(name), quote_literal(verifier));
    for statement in [
        format!(
            "CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION PASSWORD {verifier}"
        ),
        format!("ALTER ROLE {name} SET default_transaction_read_only = on"),
        format!("ALTER ROLE {name} SET statement_timeout = {timeout}"),
        format!("ALTER ROLE {name} SET search_path = bi"),
        // PostgreSQL takes the calendar of a view for a thousand days, and would compile each statement for seconds.
        format!("ALTER ROLE {name} SET jit = off"),
        format!("REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"),
        format!("REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"),
        format!("GRANT CONNECT ON DATABASE {database} TO {name}"),
    ] {
        run_ddl(tx, &statement).await?;
    }
    revoke_large_objects(tx).await
}

/// Large objects are anybody's to make. Only a superuser can take that from everybody; for others it stays.
async fn revoke_large_objects(tx: &Transaction) -> Result<()> {
    let sql = "SELECT rolsuper AS may FROM pg_roles WHERE rolname = current_user";
    let row = query_first(tx, sql, []).await?;
    if !row.map_or(Ok(false), |row| row.try_get("", "may"))? {
        return Ok(());
    }
    let makers = "lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea)";
    run_ddl(
        tx,
        &format!("REVOKE EXECUTE ON FUNCTION {makers} FROM PUBLIC"),
    )
    .await
}

async fn drop_role_statements(tx: &Transaction, name: &str) -> Result<Vec<String>> {
    let (database, _) = load_database_and_schema_names(tx).await?;
    let name = quote_name(name);
    let mut statements = vec![format!("REVOKE ALL ON DATABASE {database} FROM {name}")];
    if super::read_schema_comment(tx).await?.is_some() {
        statements.push(format!("REVOKE ALL ON ALL TABLES IN SCHEMA bi FROM {name}"));
        statements.push(format!("REVOKE ALL ON SCHEMA bi FROM {name}"));
    }
    let sql = format!("SELECT to_regprocedure('{REFUSAL}') IS NOT NULL AS has");
    let row = query_first(tx, &sql, []).await?;
    if row.map_or(Ok(false), |row| row.try_get("", "has"))? {
        statements.push(format!("REVOKE ALL ON FUNCTION {REFUSAL} FROM {name}"));
    }
    statements.push(format!("DROP ROLE {name}"));
    Ok(statements)
}
