//! Accounts and sessions in the API: what they show of themselves, and what people do to them.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{account, id::ViewerId, session, words::OrganisationRole};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    AccountCreateInput, AccountPasswordResetInput, AccountUpdateInput, PasswordChangeInput,
    session::{SessionEndInput, live_sessions_condition},
};
use crate::{
    error::Result,
    input::{AtVersionInput, By},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, into_node, mutation_caller},
};

/// An account with which a person or a service signs in.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Account {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the organisation: the login name.
    pub key: String,
    /// The name.
    pub name: String,
    /// Whether the account is a service: services have no password and sign in only with service tokens.
    pub service: bool,
    /// The role in the whole organisation.
    pub role: OrganisationRole,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of deactivation; null while the account is active.
    pub archived_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub row: Arc<account::Model>,
}

impl From<account::Model> for Account {
    fn from(row: account::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key.clone(),
            name: row.name.clone(),
            service: row.service,
            role: row.role,
            version: row.version,
            created_at: row.created_at,
            archived_at: row.archived_at,
            row: Arc::new(row),
        }
    }
}

/// A session: a device on which you are signed in.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Session {
    /// The object's id.
    pub id: ID,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// Time of signing in.
    pub created_at: DateTime<Utc>,
    /// Time at which its tokens were last refreshed.
    pub last_used_at: DateTime<Utc>,
    /// Time at which you have to sign in again.
    pub expires_at: DateTime<Utc>,
    /// Time of ending; null while it is alive.
    pub ended_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub row: session::Model,
}

impl From<session::Model> for Session {
    fn from(row: session::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            user_agent: row.user_agent.clone(),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            row,
        }
    }
}

#[ComplexObject]
impl Session {
    /// Whether it is the session of this request.
    async fn current(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(caller(ctx)?.session == Some(self.row.id))
    }
}

/// The signed-in account, which sends the request.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Viewer {
    /// The object's id.
    pub id: ID,
    /// Your account.
    pub account: Account,
}

impl From<account::Model> for Viewer {
    fn from(row: account::Model) -> Self {
        Self {
            id: ID(ViewerId(row.id.0).to_string()),
            account: row.into(),
        }
    }
}

/// Conditions on the accounts to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct AccountFilter {
    /// Only with this role in the organisation.
    pub role: Option<OrganisationRole>,
    /// True: only services; false: only people.
    pub service: Option<bool>,
    /// Also deactivated accounts.
    #[graphql(default)]
    pub include_archived: bool,
}

/// Reading accounts.
#[derive(Default)]
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// The signed-in account and its memberships. A good first query.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Result<Viewer>> {
        let own = async {
            let caller = caller(ctx)?;
            match caller.account() {
                Some(id) => caller.get::<account::Entity>(id).await,
                None => Ok(None),
            }
        };
        into_node(own).await
    }

    /// An account by id or key; null if there is none that you may see.
    async fn account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id or its key.")] by: By,
    ) -> Option<Result<Account>> {
        into_node(async { caller(ctx)?.get_by_id_or_key::<account::Entity>(&by).await }).await
    }

    /// Accounts, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<AccountFilter>,
    ) -> Result<ObjectPage<Account>> {
        let caller = caller(ctx)?;
        let filter = filter.unwrap_or_default();
        let mut select = caller.select::<account::Entity>();
        if let Some(role) = filter.role {
            select = select.filter(account::Column::Role.eq(role));
        }
        if let Some(service) = filter.service {
            select = select.filter(account::Column::Service.eq(service));
        }
        if !filter.include_archived {
            select = select.filter(account::Column::ArchivedAt.is_null());
        }
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Account::from).await
    }
}

/// The caller's own sessions that are alive.
pub async fn own_sessions(ctx: &Context<'_>, page: PageArguments) -> Result<ObjectPage<Session>> {
    let caller = caller(ctx)?;
    let select = caller
        .select::<session::Entity>()
        .filter(live_sessions_condition(caller.now));
    page::page_oldest_first(ctx, select, page, Session::from).await
}

payload! {
    /// Result of a mutation on an account.
    AccountPayload {
        /// The account as it is now.
        account: Account of account::Entity
    }
}

payload! {
    /// Result of a mutation on a session.
    SessionPayload {
        /// The session as it is now.
        session: Session of session::Entity
    }
}

/// Changing accounts.
#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Creates an account. Requires: KEEP_ORGANISATION.
    async fn account_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: AccountCreateInput,
    ) -> Result<AccountPayload> {
        let caller = mutation_caller(ctx)?;
        AccountPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes an account's name or role. Nobody changes their own role, and the last ADMIN stays one. Requires:
    /// KEEP_ORGANISATION.
    async fn account_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: AccountUpdateInput,
    ) -> Result<AccountPayload> {
        let caller = mutation_caller(ctx)?;
        AccountPayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Reactivates an account, with its role and memberships. Requires: KEEP_ORGANISATION.
    async fn account_reactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<AccountPayload> {
        let caller = mutation_caller(ctx)?;
        AccountPayload::from_result(&caller, super::reactivate(&caller, &input).await).await
    }

    /// Sets a new password for somebody else and ends their sessions. Requires: KEEP_ORGANISATION.
    async fn account_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account, the version that you read, and its new password.")]
        input: AccountPasswordResetInput,
    ) -> Result<AccountPayload> {
        let caller = mutation_caller(ctx)?;
        AccountPayload::from_result(&caller, super::reset_password(&caller, input).await).await
    }

    /// Changes your own password and ends your other sessions. Requires: KEEP_OWN_SIGN_IN.
    async fn password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your current password and the new one.")] input: PasswordChangeInput,
    ) -> Result<AccountPayload> {
        let caller = mutation_caller(ctx)?;
        AccountPayload::from_result(&caller, super::change_password(&caller, input).await).await
    }

    /// Ends one of your own sessions: its device has to sign in again. Requires: KEEP_OWN_SIGN_IN.
    async fn session_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to end.")] input: SessionEndInput,
    ) -> Result<SessionPayload> {
        let caller = mutation_caller(ctx)?;
        SessionPayload::from_result(&caller, super::session::end_session(&caller, &input).await)
            .await
    }
}
