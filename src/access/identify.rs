//! Makes a caller of a session or of a service token, in one statement, with the roles that the account has now: rights
//! taken away are gone with the next request, as no token carries them. Signatures were verified before, in `token`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Duration, Utc};
use entity::{
    id::{AccountId, DepartmentId, ServiceTokenId, SessionId},
    json::TokenScopes,
    service_token,
    words::{DepartmentKind, DepartmentRole, OrganisationRole},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Statement,
    sea_query::Expr,
};

use super::caller::Caller;
use crate::{
    clock::Clock,
    database::{Store, Transaction},
    error::{Error, Result},
    policy::{AccountRoles, CallerRoles, token::TokenNarrowing},
};

/// Least time between two writes of a token's last use: each request writing it would turn every read into a write.
const USE_NOTED_EVERY: Duration = Duration::minutes(5);

/// A row of the account's departments, one for each role in each department; one row without a department where it has
/// none.
#[derive(FromQueryResult)]
struct HeldDepartmentRow {
    organisation_role: OrganisationRole,
    role: Option<DepartmentRole>,
    department_id: Option<DepartmentId>,
    kind: Option<DepartmentKind>,
    is_own: Option<bool>,
    archived: Option<bool>,
}

/// A department as above, or one that the token is limited to; with the token itself.
#[derive(FromQueryResult)]
struct TokenWithDepartmentRow {
    #[sea_orm(nested)]
    department: HeldDepartmentRow,
    is_limit: Option<bool>,
    token_id: ServiceTokenId,
    account_id: AccountId,
    scopes: TokenScopes,
    expires_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    deactivated: bool,
}

/// The CTE `held`: every department in which an account has a role; a LEAD has it in all departments below as well.
macro_rules! held_cte {
    ($account:literal) => {
        concat!(
            "held (role, department_id, is_own) AS (
    SELECT role, department_id, true FROM membership WHERE account_id = ",
            $account,
            "
    UNION
    SELECT held.role, department.id, false FROM department JOIN held ON department.parent_id = held.department_id
    WHERE held.role = 'LEAD'
)"
        )
    };
}

/// The account of a live session with its departments. Archived ones are marked: they give no rights, but keep a
/// partner a partner.
const OF_SESSION: &str = concat!(
    "WITH RECURSIVE ",
    held_cte!("$2"),
    "
SELECT account.role AS organisation_role, held.role, held.department_id, department.kind, held.is_own,
    department.archived_at IS NOT NULL AS archived
FROM session JOIN account ON account.id = session.account_id
LEFT JOIN held ON true LEFT JOIN department ON department.id = held.department_id
WHERE session.id = $1 AND account.id = $2 AND session.ended_at IS NULL AND session.expires_at > $3
AND account.archived_at IS NULL"
);

/// A service token by its hash, whether valid or not, with its account's departments and those that it is limited to.
const OF_TOKEN: &str = concat!(
    "WITH RECURSIVE token AS (SELECT * FROM service_token WHERE hash = $1), ",
    held_cte!("(SELECT account_id FROM token)"),
    ", limits (department_id) AS (
    SELECT department_id FROM service_token_department WHERE service_token_id = (SELECT id FROM token)
    UNION
    SELECT department.id FROM department JOIN limits ON department.parent_id = limits.department_id
), rows_of_both (role, department_id, is_own, is_limit) AS (
    SELECT role, department_id, is_own, false FROM held
    UNION ALL SELECT NULL, department_id, false, true FROM limits
)
SELECT account.role AS organisation_role, rows_of_both.role, rows_of_both.department_id, department.kind,
    rows_of_both.is_own, department.archived_at IS NOT NULL AS archived, rows_of_both.is_limit,
    token.id AS token_id, token.account_id, token.scopes, token.expires_at, token.last_used_at, token.revoked_at,
    account.archived_at IS NOT NULL AS deactivated
FROM token JOIN account ON account.id = token.account_id
LEFT JOIN rows_of_both ON true LEFT JOIN department ON department.id = rows_of_both.department_id"
);

/// An account that is not archived, with its departments, without a session or token.
const OF_ACCOUNT: &str = concat!(
    "WITH RECURSIVE ",
    held_cte!("$1"),
    "
SELECT account.role AS organisation_role, held.role, held.department_id, department.kind, held.is_own,
    department.archived_at IS NOT NULL AS archived
FROM account LEFT JOIN held ON true LEFT JOIN department ON department.id = held.department_id
WHERE account.id = $1 AND account.archived_at IS NULL"
);

/// The standing of an account, as in a request of its own; none where it is archived.
pub(crate) async fn load_caller_roles(
    tx: &Transaction,
    account: AccountId,
) -> Result<Option<CallerRoles>> {
    let backend = tx.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, OF_ACCOUNT, [account.into()]);
    let rows = HeldDepartmentRow::find_by_statement(statement)
        .all(tx)
        .await?;
    let role = rows.first().map(|row| row.organisation_role);
    Ok(role.map(|role| build_caller_roles(account, role, rows, None)))
}

/// Makes a caller of a session in one statement.
///
/// # Errors
/// UNAUTHENTICATED where the session has ended or expired, or its account is archived.
pub async fn identify_session(
    store: &Store,
    clock: &Clock,
    session: SessionId,
    account: AccountId,
    request_id: Arc<str>,
) -> Result<Caller> {
    let values = [session.into(), account.into(), clock.now().into()];
    let statement = Statement::from_sql_and_values(store.backend(), OF_SESSION, values);
    let rows = HeldDepartmentRow::find_by_statement(statement)
        .all(store.reader())
        .await?;
    let role = rows.first().map(|row| row.organisation_role);
    let role = role.ok_or(Error::Unauthenticated(
        "The session has ended. Sign in again.",
    ))?;
    let standing = build_caller_roles(account, role, rows, None);
    Ok(Caller {
        session: Some(session),
        ..Caller::new(store.clone(), clock.clone(), standing, request_id)
    })
}

/// Makes a caller of a service token, by its hash, in one statement. Its last use is written beside the request, at
/// most every five minutes.
///
/// # Errors
/// UNAUTHENTICATED where there is no such token, or it was revoked or has expired, or its account is archived.
pub async fn identify_service_token(
    store: &Store,
    clock: &Clock,
    hash: Vec<u8>,
    request_id: Arc<str>,
) -> Result<Caller> {
    let statement = Statement::from_sql_and_values(store.backend(), OF_TOKEN, [hash.into()]);
    let mut rows = TokenWithDepartmentRow::find_by_statement(statement)
        .all(store.reader())
        .await?;
    let limits = rows.extract_if(.., |row| row.is_limit == Some(true));
    let limits: Vec<TokenWithDepartmentRow> = limits.collect();
    let Some(token) = limits.first().or(rows.first()) else {
        return Err(Error::Unauthenticated(
            "The service token is not accepted. Ask an administrator for one.",
        ));
    };
    let now = clock.now();
    refuse_ended_token(token, now)?;
    let (id, account, last_used_at) = (token.token_id, token.account_id, token.last_used_at);
    let departments = limits.iter().filter_map(|row| row.department.department_id);
    let narrowing = TokenNarrowing {
        scopes: token.scopes.0.clone(),
        departments: (!limits.is_empty()).then(|| departments.collect()),
    };
    let role = token.department.organisation_role;
    let rows = rows.into_iter().map(|row| row.department).collect();
    let standing = build_caller_roles(account, role, rows, Some(narrowing));
    if last_used_at.is_none_or(|last| last + USE_NOTED_EVERY <= now) {
        note_token_use(store, id, now);
    }
    Ok(Caller {
        token: Some(id),
        ..Caller::new(store.clone(), clock.clone(), standing, request_id)
    })
}

/// Refuses to go on for a caller whose session or token has ended since the request began, or who has other rights now.
///
/// # Errors
/// UNAUTHENTICATED in both cases.
pub async fn refuse_if_rights_changed(caller: &Caller) -> Result<()> {
    let (store, clock, request_id) = (&caller.store, &caller.clock, caller.request_id.clone());
    let now = match (caller.session, caller.account(), caller.token) {
        (Some(session), Some(account), _) => {
            identify_session(store, clock, session, account, request_id).await?
        }
        (_, _, Some(token)) => {
            let token = service_token::Entity::find_by_id(token)
                .one(store.reader())
                .await?;
            let hash = token.map(|token| token.hash).unwrap_or_default();
            identify_service_token(store, clock, hash, request_id).await?
        }
        // The command line.
        _ => return Ok(()),
    };
    match now.standing == caller.standing {
        true => Ok(()),
        false => Err(Error::Unauthenticated(
            "Your rights have changed since. Send the request again.",
        )),
    }
}

/// Refuses a token that was valid once. Only its holder gets here, so saying why gives nothing away.
fn refuse_ended_token(token: &TokenWithDepartmentRow, now: DateTime<Utc>) -> Result<()> {
    let why = if token.deactivated {
        "The account of this service token is deactivated."
    } else if token.revoked_at.is_some() {
        "The service token was revoked. Ask an administrator for a new one."
    } else if token.expires_at <= now {
        "The service token has expired. Ask an administrator for a new one."
    } else {
        return Ok(());
    };
    Err(Error::Unauthenticated(why))
}

/// Writes that a token was used. Not within the request: a long import may hold SQLite's one writer for minutes. Where
/// it fails, the next request tries again.
fn note_token_use(store: &Store, id: ServiceTokenId, now: DateTime<Utc>) {
    use service_token::Column;
    let earlier = Condition::any()
        .add(Column::LastUsedAt.is_null())
        .add(Column::LastUsedAt.lte(now - USE_NOTED_EVERY));
    let used = service_token::Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(earlier);
    let writer = store.writer().clone();
    tokio::spawn(async move {
        if let Err(error) = used.exec(&writer).await {
            tracing::warn!(%error, "the use of a service token was not noted");
        }
    });
}

/// The standing of an account with these rows of departments, narrowed where a service token speaks for it.
fn build_caller_roles(
    account: AccountId,
    role: OrganisationRole,
    rows: Vec<HeldDepartmentRow>,
    token: Option<TokenNarrowing>,
) -> CallerRoles {
    let mut departments: BTreeMap<DepartmentRole, BTreeSet<DepartmentId>> = BTreeMap::new();
    let mut leads = BTreeSet::new();
    let (mut kinds, mut former_kinds) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        let is_own = row.is_own == Some(true);
        if row.archived == Some(true) {
            former_kinds.extend(row.kind.filter(|_| is_own));
            continue;
        }
        if let (Some(role), Some(department)) = (row.role, row.department_id) {
            departments.entry(role).or_default().insert(department);
            if role == DepartmentRole::Lead && is_own {
                leads.insert(department);
            }
        }
        kinds.extend(row.kind.filter(|_| is_own));
    }
    // Who was a partner's stays one when the department is archived: losing a department opens nothing.
    let kinds = if kinds.is_empty() {
        former_kinds
    } else {
        kinds
    };
    let partner =
        role == OrganisationRole::Member && kinds.into_iter().eq([DepartmentKind::Partner]);
    CallerRoles::Account(AccountRoles {
        account,
        role,
        departments,
        leads,
        partner,
        token,
    })
}
