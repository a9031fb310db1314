//! Service tokens: made and revoked by those who keep the organisation, for services, and for people whose BI tool has
//! to see what they see when they are not there. A token stands for its account and only narrows what that may do.

pub mod graphql;

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Duration, Utc};
use entity::{
    account, department,
    id::{AccountId, DepartmentId, ServiceTokenId},
    json::TokenScopes,
    service_token, service_token_department,
    words::TokenScope,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Select, Set, sea_query::Expr};

use crate::{
    access::Caller,
    audit::AuditedChange,
    database::Transaction,
    error::{Result, UserErrorCode},
    input::{self, Faults},
    policy::{Action, RowTies},
    token::service::{DAYS, MOST_DAYS, ServiceTokenSecret},
};

/// A new service token.
#[derive(InputObject)]
pub struct ServiceTokenCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the account as which it acts, a service or a person. The token has those of the account's permissions, at
    /// the time of each request, that its scopes open.
    pub account_id: ID,
    /// The program that uses it, such as a report or a machine.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// The scopes: the parts of the account's permissions that it opens; at least one.
    pub scopes: Vec<TokenScope>,
    /// Ids of the departments to which it is limited, with all below them: to what they take part in, own or hold.
    /// Confidential KPIs granted to the account by name are then left out. Empty for no limit.
    #[graphql(default)]
    pub department_ids: Vec<ID>,
    /// Days until it expires, from 1 to 365.
    #[graphql(default_with = "DAYS")]
    pub expires_in_days: i32,
}

/// A service token to revoke.
#[derive(InputObject)]
pub struct ServiceTokenRevokeInput {
    /// The object's id.
    pub id: ID,
}

/// A token, and what its holder has to keep; nothing where an earlier try made it, as it is shown once.
pub type CreatedToken = (service_token::Model, Option<ServiceTokenSecret>);

/// Makes a token.
pub async fn create(caller: &Caller, input: ServiceTokenCreateInput) -> Result<CreatedToken> {
    let mut faults = Faults::default();
    let id: ServiceTokenId = faults.parse_or_make_id(input.id.as_ref());
    let account_id: AccountId = faults.parse_id("accountId", &input.account_id);
    let name = faults.check_name("name", &input.name);
    let description = faults.check_optional_text("description", input.description.as_deref());
    let scopes = TokenScopes(input.scopes.into_iter().collect());
    if scopes.0.is_empty() {
        let message = "A token without a scope gives no access. Name at least one.";
        faults.add("scopes", UserErrorCode::Required, None, message);
    }
    let departments: Vec<DepartmentId> = faults.parse_ids("departmentIds", &input.department_ids);
    let days = Some(input.expires_in_days);
    faults.check_within("expiresInDays", days, 1..=MOST_DAYS);
    faults.check()?;
    let mut permit = caller
        .open_permit(Action::KeepOrganisation, &RowTies::none())
        .await?;
    let same = |row: &service_token::Model| {
        row.name == name && row.account_id == account_id && row.scopes == scopes
    };
    if let Some(row) = permit
        .find_already_created::<service_token::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok((row, None));
    }
    permit
        .read_unarchived_row::<account::Entity>("accountId", account_id)
        .await?;
    for (at, department) in departments.iter().enumerate() {
        let field = format!("departmentIds.{at}");
        permit
            .read_unarchived_row::<department::Entity>(&field, *department)
            .await?;
    }
    // Only now: a retry made nothing above, and its secret cannot be shown again.
    let secret = ServiceTokenSecret::new()?;
    let row = permit
        .insert::<service_token::Entity>(service_token::ActiveModel {
            id: Set(id),
            account_id: Set(account_id),
            name: Set(name),
            description: Set(description),
            hash: Set(secret.hash()),
            scopes: Set(scopes),
            created_at: Set(caller.now),
            made_by_account_id: Set(caller.account()),
            expires_at: Set(caller.now + Duration::days(input.expires_in_days.into())),
            last_used_at: Set(None),
            revoked_at: Set(None),
        })
        .await?;
    if !departments.is_empty() {
        let limits = departments.iter().zip(1..);
        let limits = limits.map(
            |(department, position)| service_token_department::ActiveModel {
                service_token_id: Set(row.id),
                department_id: Set(*department),
                position: Set(position),
            },
        );
        permit
            .insert_all_unaudited::<service_token_department::Entity>(limits.collect())
            .await?;
        // The row does not show its limits, which are in a table of their own.
        permit.add_audit_event(
            AuditedChange::for_change_outside_row::<service_token::Entity>(
                &row,
                serde_json::json!({ "departmentIds": departments }),
            ),
        );
    }
    permit.commit().await?;
    Ok((row, Some(secret)))
}

/// Revokes a token, from the next request on; revoking it twice is no fault.
pub async fn revoke(
    caller: &Caller,
    input: &ServiceTokenRevokeInput,
) -> Result<service_token::Model> {
    let id: ServiceTokenId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<service_token::Entity>(Action::KeepOrganisation, "id", id)
        .await?;
    if row.revoked_at.is_some() {
        return Ok(row);
    }
    let change = service_token::ActiveModel {
        revoked_at: Set(Some(caller.now)),
        ..Default::default()
    };
    let row = permit.update::<service_token::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Revokes every token of an account.
pub(super) async fn revoke_tokens_of_account(
    tx: &Transaction,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<()> {
    service_token::Entity::update_many()
        .col_expr(service_token::Column::RevokedAt, Expr::value(now))
        .filter(service_token::Column::AccountId.eq(account))
        .filter(service_token::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// The tokens that are good for something now, or all, of an account where one is named.
#[must_use]
pub fn select_tokens(
    caller: &Caller,
    account: Option<AccountId>,
    ended_too: bool,
) -> Select<service_token::Entity> {
    let of = account.map(|account| service_token::Column::AccountId.eq(account));
    let good = Condition::all()
        .add(service_token::Column::RevokedAt.is_null())
        .add(service_token::Column::ExpiresAt.gt(caller.now));
    caller
        .select::<service_token::Entity>()
        .filter(Condition::all().add_option(of))
        .filter(if ended_too { Condition::all() } else { good })
}
