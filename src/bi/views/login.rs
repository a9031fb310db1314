//! Who reads the views: logins, each for one account, and how far each reaches. That is the policy's to say; it is
//! written down here for the views to look up, with a signature of what it was made of. Where the two differ the
//! views are refused until it is written down anew: what is old never shows too much.

use chrono::{DateTime, Utc};
use entity::{
    account, bi_login, bi_reach,
    id::{AccountId, DepartmentId},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Set, Statement, sea_query::Expr,
};

use super::{digest::policy_digest, sql::query_first};
use crate::{
    access::{Caller, LOGIN_ACTIONS, load_caller_roles},
    database::Transaction,
    error::Result,
    policy::{self, CallerRoles, Relation},
};

/// How many rows a statement inserts at the most.
const AT_ONCE: usize = 1_000;

/// A login and whose it is.
#[derive(Debug, FromQueryResult)]
pub struct DatabaseLogin {
    pub name: String,
    pub account_key: String,
    pub created_at: DateTime<Utc>,
    /// Since when its account is archived, and so sees nothing.
    pub archived_at: Option<DateTime<Utc>>,
}

/// Every login.
pub async fn list_logins(caller: &Caller) -> Result<Vec<DatabaseLogin>> {
    let logins = bi_login::Entity::find()
        .select_only()
        .columns([bi_login::Column::Name, bi_login::Column::CreatedAt])
        .column_as(account::Column::Key, "account_key")
        .column(account::Column::ArchivedAt)
        .join(
            sea_orm::JoinType::InnerJoin,
            bi_login::Entity::belongs_to(account::Entity)
                .from(bi_login::Column::AccountId)
                .to(account::Column::Id)
                .into(),
        )
        .order_by_asc(bi_login::Column::Name);
    Ok(logins.into_model().all(caller.connection()).await?)
}

/// The names of the logins that the cluster has a role for.
pub(super) async fn list_role_names(tx: &Transaction) -> Result<Vec<String>> {
    Ok(bi_login::Entity::find()
        .select_only()
        .column(bi_login::Column::Name)
        .filter(Expr::cust("name IN (SELECT rolname FROM pg_roles)"))
        .order_by_asc(bi_login::Column::Name)
        .into_tuple()
        .all(tx)
        .await?)
}

/// A login whose reach is to be written down.
#[derive(FromQueryResult)]
struct LoginWithStaleReach {
    login: String,
    account_id: AccountId,
    signature: String,
}

/// Another version of this program may have made the views: what our policy says is not for them.
const STALE: &str = "SELECT login, account_id, now AS signature FROM bi_signature \
     WHERE noted IS DISTINCT FROM now AND policy = $1 ORDER BY login";

/// Writes down how far each login reaches whose account's standing has changed. Says of how many. What changes in
/// between is seen by the next look.
pub async fn renew_stale_reaches(caller: &Caller) -> Result<usize> {
    let tx = caller.begin_snapshot().await?;
    if tx.get_database_backend() != DbBackend::Postgres || !has_views(&tx).await? {
        return Ok(0);
    }
    let policy = policy_digest();
    let stale = Statement::from_sql_and_values(DbBackend::Postgres, STALE, [policy.into()]);
    let stale = LoginWithStaleReach::find_by_statement(stale)
        .all(&tx)
        .await?;
    let mut reaches = Vec::with_capacity(stale.len());
    for login in stale {
        let standing = load_caller_roles(&tx, login.account_id).await?;
        let rows = standing.map_or_else(Vec::new, |standing| reach_rows(&login.login, &standing));
        reaches.push((login, rows));
    }
    tx.commit().await?;
    let renewed = reaches.len();
    if renewed > 0 {
        let tx = caller.begin_unaudited_transaction().await?;
        for (login, rows) in reaches {
            write_reach(caller, &tx, login, rows).await?;
        }
        tx.commit().await?;
    }
    Ok(renewed)
}

async fn has_views(tx: &Transaction) -> Result<bool> {
    let row = query_first(
        tx,
        "SELECT to_regclass('bi_signature') IS NOT NULL AS has",
        [],
    )
    .await?;
    Ok(row.map_or(Ok(false), |row| row.try_get("", "has"))?)
}

/// What is to be written down of a standing.
fn reach_rows(login: &str, standing: &CallerRoles) -> Vec<bi_reach::Model> {
    let mut rows = Vec::new();
    for action in LOGIN_ACTIONS {
        let reach = policy::reach(standing, action);
        let row = |through: Option<(Relation, DepartmentId)>,
                   granted_account_id: Option<AccountId>| bi_reach::Model {
            login: login.to_owned(),
            position: 0,
            action: action.as_str().to_owned(),
            everything: through.is_none() && granted_account_id.is_none(),
            relation: through.map(|(relation, _)| relation.as_str().to_owned()),
            department_id: through.map(|(_, department)| department),
            granted_account_id,
        };
        if reach.everything {
            rows.push(row(None, None));
        }
        let through = reach.through.iter();
        let through = through.flat_map(|(relation, own)| own.iter().map(|own| (*relation, *own)));
        rows.extend(through.map(|through| row(Some(through), None)));
        rows.extend(reach.granted_to.map(|account| row(None, Some(account))));
    }
    for (row, position) in rows.iter_mut().zip(1..) {
        row.position = position;
    }
    rows
}

/// The login's own row is changed first: of two at once the later one waits there for the earlier.
async fn write_reach(
    caller: &Caller,
    tx: &Transaction,
    login: LoginWithStaleReach,
    rows: Vec<bi_reach::Model>,
) -> Result<()> {
    let noted = bi_login::Entity::update_many()
        .set(bi_login::ActiveModel {
            signature: Set(Some(login.signature)),
            renewed_at: Set(Some(caller.now)),
            ..Default::default()
        })
        .filter(bi_login::Column::Name.eq(&login.login))
        .exec(tx)
        .await?;
    if noted.rows_affected == 0 {
        return Ok(());
    }
    delete_reach_rows(tx, &login.login).await?;
    for rows in rows.chunks(AT_ONCE) {
        let rows = rows.iter().cloned();
        bi_reach::Entity::insert_many(
            rows.map(crate::access::with_all_columns_set::<bi_reach::Entity>),
        )
        .exec_without_returning(tx)
        .await?;
    }
    Ok(())
}

/// Forgets how far a login reaches.
pub(super) async fn delete_reach_rows(tx: &Transaction, login: &str) -> Result<()> {
    bi_reach::Entity::delete_many()
        .filter(bi_reach::Column::Login.eq(login))
        .exec(tx)
        .await?;
    Ok(())
}
