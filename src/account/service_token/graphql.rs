//! Service tokens in the API: what they show of themselves, and how they are made and revoked.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{id::AccountId, service_token, words::TokenScope};

use super::{ServiceTokenCreateInput, ServiceTokenRevokeInput};
use crate::{
    access::Caller,
    error::{Result, UserError},
    input,
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, mutation_caller},
    policy::Action,
    token::service::ServiceTokenSecret,
};

/// A token with which a program signs in, as `Authorization: Bearer cxb_…`. It acts as an account, with a part of that
/// account's permissions. The token itself is shown once, at creation.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct ServiceToken {
    /// The object's id.
    pub id: ID,
    /// The program that uses it.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// The scopes: the parts of the account's permissions that it opens.
    pub scopes: Vec<TokenScope>,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of expiry.
    pub expires_at: DateTime<Utc>,
    /// Time of its latest use, to within five minutes; null if it was never used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Time of revocation; null if it was not revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub row: service_token::Model,
}

impl From<service_token::Model> for ServiceToken {
    fn from(row: service_token::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            name: row.name.clone(),
            description: row.description.clone(),
            scopes: row.scopes.0.iter().copied().collect(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            row,
        }
    }
}

/// Conditions on the service tokens to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct ServiceTokenFilter {
    /// Only those that act as this account.
    pub account_id: Option<ID>,
    /// Also expired and revoked tokens.
    #[graphql(default)]
    pub include_ended: bool,
}

/// Reading service tokens.
#[derive(Default)]
pub struct ServiceTokenQuery;

#[Object]
impl ServiceTokenQuery {
    /// Service tokens, in the order of creation. Requires: KEEP_ORGANISATION.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn service_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<ServiceTokenFilter>,
    ) -> Option<Result<ObjectPage<ServiceToken>>> {
        Some(
            page_of_tokens(
                ctx,
                PageArguments { first, after },
                filter.unwrap_or_default(),
            )
            .await,
        )
    }
}

async fn page_of_tokens(
    ctx: &Context<'_>,
    page: PageArguments,
    filter: ServiceTokenFilter,
) -> Result<ObjectPage<ServiceToken>> {
    let caller = caller(ctx)?;
    caller.require_reach(Action::KeepOrganisation)?;
    let account: Option<AccountId> =
        input::parse_optional_id("filter.accountId", filter.account_id.as_ref())?;
    let select = super::select_tokens(caller, account, filter.include_ended);
    page::page_oldest_first(ctx, select, page, ServiceToken::from).await
}

/// Result of creating a service token.
#[derive(SimpleObject)]
pub struct ServiceTokenCreatePayload {
    /// The token's entry, without the secret.
    pub service_token: Option<ServiceToken>,
    /// The token to sign in with, shown only this once. Null if an earlier request with the same id created it: if its
    /// answer was lost, revoke that token and create another.
    pub secret: Option<String>,
    /// The reasons why it was not created; empty if it was.
    pub user_errors: Vec<UserError>,
}

impl ServiceTokenCreatePayload {
    async fn from_result(caller: &Caller, result: Result<super::CreatedToken>) -> Result<Self> {
        match result {
            Ok((row, secret)) => Ok(Self {
                service_token: Some(row.into()),
                secret: secret.map(ServiceTokenSecret::into_text),
                user_errors: Vec::new(),
            }),
            Err(error) => {
                let refusal = payload::refusal_from_error(caller, error).await?;
                Ok(Self {
                    service_token: None,
                    secret: None,
                    user_errors: refusal.errors,
                })
            }
        }
    }
}

payload! {
    /// Result of a mutation on a service token.
    ServiceTokenPayload {
        /// The token as it is now.
        service_token: ServiceToken of service_token::Entity
    }
}

/// Changing service tokens.
#[derive(Default)]
pub struct ServiceTokenMutation;

#[Object]
impl ServiceTokenMutation {
    /// Creates a service token; its secret is shown only in this answer. Requires: KEEP_ORGANISATION.
    async fn service_token_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: ServiceTokenCreateInput,
    ) -> Result<ServiceTokenCreatePayload> {
        let caller = mutation_caller(ctx)?;
        ServiceTokenCreatePayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Revokes a service token, from the next request on. Requires: KEEP_ORGANISATION.
    async fn service_token_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service token to revoke.")] input: ServiceTokenRevokeInput,
    ) -> Result<ServiceTokenPayload> {
        let caller = mutation_caller(ctx)?;
        ServiceTokenPayload::from_result(&caller, super::revoke(&caller, &input).await).await
    }
}
