//! Every dataset that has SQL as a view of PostgreSQL in the schema `bi`, for tools that speak nothing but SQL.
//!
//! There is one set of views for all BI logins. A [`login`] belongs to an account; how far the account reaches is the
//! policy's to say, in Rust, so it is written into `bi_reach` beforehand, one row for each department or relation, and
//! the SQL of a view looks it up by `session_user`:
//!
//! ```text
//! SELECT * FROM bi.kpi_facts
//!   └ WHERE the login's signature is still true    else an error that says so
//!       AND rows are in reach by bi_reach           the same scope that filters a pull of the account
//! ```
//!
//! The signature covers the account's role and memberships, the department tree and the policy itself. When one of them
//! changes, `bi_signature` computes another one, and the views are refused until the background work has written the
//! reach anew: what was written down never shows too much, and nobody takes no rows for the truth.
//!
//! Neither a view per login nor row security on the tables: views per login would have to be made anew with every
//! change of rights; policies on the tables would also bind the server itself.

mod by_day;
mod digest;
pub mod login;
mod password;
mod replace;
pub mod role;
mod sql;

use chrono_tz::Tz;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use self::{
    digest::policy_digest,
    replace::{
        Barrier, detach_view, load_view_columns, order_columns, refuse_if_others_depend,
        replace_view,
    },
    sql::{
        CREATE_REFUSAL, REFUSAL, REQUIRE_CURRENT_RIGHTS, query_first, quote_literal, quote_name,
        run_ddl,
    },
};
use super::{
    catalogue,
    model::dataset::{ColumnType, Dataset},
    scope::ReaderScope,
};
use crate::{
    access::{self, Caller},
    database::Transaction,
    digest::digest,
    error::{Error, Result},
    statement::SqlBuilder,
};

/// What the comment on the schema begins with, by which we know it for ours.
const OURS: &str = "Flat rows of cx-blueprint. Each login sees what its account may see.";

/// The datasets that are views: what is computed is none.
fn datasets_with_views() -> impl Iterator<Item = &'static Dataset> {
    let all = catalogue::ALL.iter().copied();
    all.filter(|dataset| dataset.source.sql_fragments().is_some())
}

/// The statement of the rows that a login sees, with ids as they are shown; its columns in this order.
fn rows_query_sql(dataset: &Dataset, zone: Tz, order: &[&str]) -> Option<String> {
    let (with, rows) = dataset.source.sql_fragments()?;
    let scope = ReaderScope::for_bi_login(zone);
    let text = match with {
        Some(with) => with(SqlBuilder::with_literals("WITH "), &scope).then("\n"),
        None => SqlBuilder::with_literals(""),
    };
    let columns = order.iter().filter_map(|name| {
        let column = dataset.columns.iter().find(|column| column.name == *name)?;
        Some(match column.of {
            ColumnType::Id(prefix) => format!("{} AS {name}", scope.id_text_sql(prefix, name)),
            // By the collation of the database, however its column is collated: a view cannot be replaced by one of
            // another collation.
            ColumnType::Text => format!("{name} COLLATE \"default\" AS {name}"),
            _ => (*name).to_owned(),
        })
    });
    let columns: Vec<String> = columns.collect();
    let text = text.then(&format!("SELECT {}\nFROM (", columns.join(", ")));
    let text = rows(text, &scope)
        .then(") AS flat\nWHERE ")
        .then(REQUIRE_CURRENT_RIGHTS)
        .then(" AND EXISTS (")
        .select(&access::select_if_login_reaches_anything(
            dataset.permission,
        ))
        .then(")");
    Some(text.into_sql())
}

/// What the standing of each login's account is made of, now and when its reach was written down: the account's role
/// and whether it is archived, its memberships, the department tree, and the policy itself.
fn create_signatures_view_sql() -> String {
    format!(
        "CREATE OR REPLACE VIEW bi_signature AS
SELECT bi_login.name AS login, bi_login.account_id, bi_login.signature AS noted, '{policy}' AS policy,
    encode(sha256(convert_to(concat_ws('/', '{policy}', account.id, account.role, account.archived_at IS NOT NULL,
        COALESCE((SELECT string_agg(concat_ws(':', department_id, role), ',' ORDER BY department_id)
            FROM membership WHERE membership.account_id = account.id), ''),
        COALESCE((SELECT string_agg(concat_ws(':', id, COALESCE(CAST(parent_id AS text), ''), kind,
                archived_at IS NOT NULL), ',' ORDER BY id)
            FROM department), '')), 'UTF8')), 'hex') AS now
FROM bi_login JOIN account ON account.id = bi_login.account_id",
        policy = policy_digest()
    )
}

/// The names of a dataset's columns in its own order.
fn column_names(dataset: &Dataset) -> Vec<&'static str> {
    dataset.columns.iter().map(|column| column.name).collect()
}

/// What the views say, from which their version is made.
fn describe_views(zone: Tz) -> String {
    let mut all = vec![create_signatures_view_sql(), CREATE_REFUSAL.to_owned()];
    for dataset in datasets_with_views() {
        let names = column_names(dataset);
        all.extend(rows_query_sql(dataset, zone, &names));
        all.extend(by_day::query_sql(dataset, &names));
        all.extend(comment_statements(dataset));
    }
    all.join(";\n")
}

fn comment_statements(dataset: &Dataset) -> impl Iterator<Item = String> {
    let name = dataset.name;
    let of_view = format!(
        "COMMENT ON VIEW bi.{name} IS {}",
        quote_literal(dataset.description)
    );
    let of_columns = dataset.columns.iter().map(move |column| {
        let description = quote_literal(column.description);
        format!(
            "COMMENT ON COLUMN bi.{name}.{} IS {description}",
            column.name
        )
    });
    std::iter::once(of_view).chain(of_columns)
}

/// Makes the view of a dataset, or replaces it.
async fn make_view(tx: &Transaction, dataset: &Dataset, zone: Tz) -> Result<()> {
    let there = load_view_columns(tx, dataset.name).await?;
    let wanted = column_names(dataset);
    let order = order_columns(&there, &wanted).unwrap_or(wanted);
    let Some(rows) = rows_query_sql(dataset, zone, &order) else {
        return Ok(());
    };
    match (
        by_day::name_of_rows(dataset),
        by_day::query_sql(dataset, &order),
    ) {
        (Some(behind), Some(query)) => {
            // What is read is cut off from it, so that it can change its columns.
            if !there.is_empty() {
                detach_view(tx, dataset.name).await?;
            }
            run_ddl(tx, &format!("DROP VIEW IF EXISTS {behind}")).await?;
            let create = format!("CREATE VIEW {behind} WITH (security_barrier) AS\n{rows}");
            run_ddl(tx, &create).await?;
            replace_view(tx, dataset.name, Barrier::Behind, &query).await?;
        }
        _ => replace_view(tx, dataset.name, Barrier::Own, &rows).await?,
    }
    for comment in comment_statements(dataset) {
        run_ddl(tx, &comment).await?;
    }
    Ok(())
}

/// Makes the views, unless those that are there were made from the same statements. Returns whether it made them.
///
/// # Errors
/// There is another schema `bi`, something else hangs on the views, or the database's user may not make them.
pub async fn create_views_if_changed(tx: &Transaction, zone: Tz) -> Result<bool> {
    // Two servers that start at once make the views one after the other.
    tx.execute_unprepared("SELECT touched FROM fixed_row WHERE name = 'views' FOR UPDATE")
        .await?;
    let owner = load_table_owner(tx).await?;
    let version = digest(&describe_views(zone));
    match read_schema_comment(tx).await? {
        Some(comment) if comment == schema_comment_text(&version) => return Ok(false),
        Some(comment) if !comment.starts_with(OURS) => {
            return Err(Error::BadInput(
                "There is a schema \"bi\" in this database that is not ours. Rename it, and try again.".to_owned(),
            ));
        }
        Some(_) => {}
        None => run_ddl(tx, &format!("CREATE SCHEMA bi AUTHORIZATION {owner}")).await?,
    }
    // A superuser makes them for the user of the server, who has to keep them.
    run_ddl(tx, &format!("SET LOCAL ROLE {owner}")).await?;
    // A zone that this PostgreSQL does not know fails here, and not whenever somebody reads a view.
    run_ddl(tx, &format!("SELECT now() AT TIME ZONE '{zone}'")).await?;
    run_ddl(tx, &create_signatures_view_sql()).await?;
    run_ddl(tx, CREATE_REFUSAL).await?;
    for dataset in datasets_with_views() {
        make_view(tx, dataset, zone).await?;
    }
    remove_other_views(tx).await?;
    run_ddl(
        tx,
        &format!(
            "COMMENT ON SCHEMA bi IS {}",
            quote_literal(&schema_comment_text(&version))
        ),
    )
    .await?;
    for login in login::list_role_names(tx).await? {
        grant_views(tx, &login).await?;
    }
    // `role::create_bi_role` goes on in this transaction, and needs the operator's CREATEROLE again.
    run_ddl(tx, "SET LOCAL ROLE NONE").await?;
    Ok(true)
}

/// Whose our tables are, as a name in quotes.
async fn load_table_owner(tx: &Transaction) -> Result<String> {
    let sql = "SELECT tableowner::text AS owner FROM pg_tables \
               WHERE schemaname = current_schema() AND tablename = 'bi_login'";
    let row = query_first(tx, sql, []).await?;
    let row = row.ok_or_else(|| Error::internal("the table of logins is nowhere to be found"))?;
    Ok(quote_name(&row.try_get::<String>("", "owner")?))
}

fn schema_comment_text(version: &str) -> String {
    format!("{OURS} Version {version}.")
}

/// The comment on the schema; empty where it has none, nothing where there is no schema.
async fn read_schema_comment(tx: &Transaction) -> Result<Option<String>> {
    let row = query_first(
        tx,
        "SELECT COALESCE(obj_description(oid, 'pg_namespace'), '') AS told FROM pg_namespace WHERE nspname = 'bi'",
        [],
    )
    .await?;
    Ok(row.map(|row| row.try_get("", "told")).transpose()?)
}

/// The views that are read.
async fn list_view_names(tx: &Transaction) -> Result<Vec<String>> {
    list_views(tx, "schemaname = 'bi'").await
}

/// The names of the views that a condition on `pg_views` chooses.
async fn list_views(tx: &Transaction, which: &str) -> Result<Vec<String>> {
    let views = Statement::from_string(
        DbBackend::Postgres,
        format!("SELECT viewname::text AS name FROM pg_views WHERE {which}"),
    );
    let names = tx.query_all_raw(views).await?;
    let names = names.iter().map(|row| row.try_get::<String>("", "name"));
    Ok(names.collect::<Result<_, _>>()?)
}

/// Removes views of ours that an earlier version made and that are none any more.
async fn remove_other_views(tx: &Transaction) -> Result<()> {
    let mut names = list_view_names(tx).await?;
    names.retain(|name| datasets_with_views().all(|dataset| dataset.name != name));
    for name in &names {
        refuse_if_others_depend(tx, name).await?;
    }
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("bi.{}", quote_name(name)))
        .collect();
    match names.is_empty() {
        true => Ok(()),
        false => run_ddl(tx, &format!("DROP VIEW {}", names.join(", "))).await,
    }
}

/// Cuts the views off from the tables behind them, where they are ours, so that the tables can change.
pub async fn detach_views_if_ours(caller: &Caller) -> Result<()> {
    let tx = caller.begin_unaudited_transaction().await?;
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(tx.commit().await?);
    }
    if let Some(comment) = read_schema_comment(&tx).await?
        && comment.starts_with(OURS)
    {
        // As when they are made: they are the owner's, whoever upgrades.
        let owner = load_table_owner(&tx).await?;
        run_ddl(&tx, &format!("SET LOCAL ROLE {owner}")).await?;
        for name in list_view_names(&tx).await? {
            detach_view(&tx, &name).await?;
        }
        // Without a version: `create_views_if_changed` takes the schema for ours and makes the views anew.
        run_ddl(
            &tx,
            &format!("COMMENT ON SCHEMA bi IS {}", quote_literal(OURS)),
        )
        .await?;
    }
    // Also where somebody has dropped the schema: they would keep the tables as they are.
    for name in list_views(&tx, &by_day::names_of_rows_sql()).await? {
        run_ddl(&tx, &format!("DROP VIEW {name}")).await?;
    }
    run_ddl(&tx, "DROP VIEW IF EXISTS bi_signature").await?;
    Ok(tx.commit().await?)
}

/// Brings the views to what this program would have them say, where there is somebody to read them.
pub async fn refresh_views(caller: &Caller) -> Result<bool> {
    let tx = caller.begin_unaudited_transaction().await?;
    if tx.get_database_backend() != DbBackend::Postgres
        || login::list_role_names(&tx).await?.is_empty()
    {
        return Ok(false);
    }
    let made = create_views_if_changed(&tx, caller.zone()).await?;
    tx.commit().await?;
    Ok(made)
}

/// Lets a login read the views, and nothing else.
async fn grant_views(tx: &Transaction, login: &str) -> Result<()> {
    let views: Vec<String> = datasets_with_views()
        .map(|dataset| format!("bi.{}", dataset.name))
        .collect();
    let (views, login) = (views.join(", "), quote_name(login));
    run_ddl(tx, &format!("GRANT USAGE ON SCHEMA bi TO {login}")).await?;
    run_ddl(tx, &format!("GRANT SELECT ON {views} TO {login}")).await?;
    // Where whoever runs the database has taken it from PUBLIC.
    let grant = format!("GRANT EXECUTE ON FUNCTION {REFUSAL} TO {login}");
    run_ddl(tx, &grant).await
}
