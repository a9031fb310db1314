//! Accounts of people and services, and their passwords. Memberships of departments are in `department`.

pub mod authorship;
pub mod graphql;
pub mod password;
pub mod service_token;
pub mod session;
pub mod throttle;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    account,
    id::AccountId,
    membership,
    words::{AuditOutcome, OrganisationRole},
};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, Set,
};

use self::{password::HashPermit, throttle::SessionPasswordThrottle};
use crate::{
    access::{Caller, Guarded, Permit, expect_version, require_unarchived},
    audit,
    audit::AuditSubject,
    database::Transaction,
    error::{Error, Forbidden, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, set_if_given},
    policy::{Action, RowTies},
};

/// A new account of a person or a service.
#[derive(InputObject)]
pub struct AccountCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the organisation: the login name. Derived from the name if absent.
    pub key: Option<String>,
    /// The name.
    pub name: String,
    /// The role in the whole organisation.
    #[graphql(default_with = "OrganisationRole::Member")]
    pub role: OrganisationRole,
    /// Whether the account is a service: services have no password and sign in only with service tokens.
    #[graphql(default)]
    pub service: bool,
    /// The first password. Without one nobody can sign in until an ADMIN sets one.
    pub password: Option<String>,
}

/// Changes to an account. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct AccountUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name.
    pub name: MaybeUndefined<String>,
    /// Another role in the whole organisation. AUDITOR and ANALYST hold no memberships.
    pub role: MaybeUndefined<OrganisationRole>,
}

/// A new password for another account.
#[derive(InputObject)]
pub struct AccountPasswordResetInput {
    /// Id of the account.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new password.
    pub password: String,
}

/// The change of your own password.
#[derive(InputObject)]
pub struct PasswordChangeInput {
    /// The current password.
    pub current_password: String,
    /// The new password.
    pub new_password: String,
}

/// Makes an account.
pub async fn create(caller: &Caller, input: AccountCreateInput) -> Result<account::Model> {
    // Before anything costly is done for somebody who may not.
    caller.require_reach(Action::KeepOrganisation)?;
    let mut faults = Faults::default();
    let id: AccountId = faults.parse_or_make_id(input.id.as_ref());
    let name = faults.check_name("name", &input.name);
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    if let Some(password) = &input.password {
        if input.service {
            faults.add(
                "password",
                UserErrorCode::Invalid,
                Some(Reason::ServiceAccount),
                NO_PASSWORD,
            );
        }
        let known_as = key.as_deref().unwrap_or(&name);
        password::validate_new_password(&mut faults, "password", password, known_as);
    }
    faults.check()?;
    // Before the permit: hashing takes long by design, and whoever holds a permit keeps others waiting.
    let password_hash = match &input.password {
        Some(password) => Some(password::hash(password).await?),
        None => None,
    };
    let mut permit = caller
        .open_permit(Action::KeepOrganisation, &RowTies::none())
        .await?;
    let same = |row: &account::Model| row.name == name && row.service == input.service;
    if let Some(row) = permit
        .find_already_created::<account::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let key = permit
        .choose_unique_key::<account::Entity>(key.as_deref(), &name, id, None)
        .await?;
    let row = permit
        .insert::<account::Entity>(account::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(name),
            service: Set(input.service),
            role: Set(input.role),
            password_hash: Set(password_hash),
            created_at: Set(caller.now),
            archived_at: Set(None),
            version: Set(1),
        })
        .await?;
    permit.commit().await?;
    Ok(row)
}

const NO_PASSWORD: &str = "A service has no password: it signs in with service tokens.";

/// Changes name or role.
pub async fn update(caller: &Caller, input: AccountUpdateInput) -> Result<account::Model> {
    let mut faults = Faults::default();
    let id: AccountId = faults.parse_id("id", &input.id);
    let name = set_if_given(faults.given("name", &input.name), |name| {
        faults.check_name("name", name)
    });
    let role = faults.given("role", &input.role).copied();
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    // Before the account's own lock: admins are locked in one order, the account among them.
    let others = lock_and_count_other_admins(&mut permit, id).await?;
    let row = permit
        .fetch_at_version::<account::Entity>(
            Action::KeepOrganisation,
            "id",
            id,
            input.expected_version,
        )
        .await?;
    if let Some(role) = role.filter(|role| *role != row.role) {
        if caller.account() == Some(row.id) {
            return Err(own_role_change_error(row.id));
        }
        refuse_last_admin(&row, others)?;
        if !may_hold_memberships(role) {
            refuse_while_member(&permit, &row).await?;
        }
    }
    let change = account::ActiveModel {
        name,
        role: set_if_given(role.as_ref(), |role| *role),
        ..Default::default()
    };
    let row = permit.update::<account::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Whether accounts with this role may belong to departments.
#[must_use]
pub const fn may_hold_memberships(role: OrganisationRole) -> bool {
    !matches!(role, OrganisationRole::Auditor | OrganisationRole::Analyst)
}

/// The error for changing one's own role.
pub(crate) fn own_role_change_error(account: AccountId) -> Error {
    Error::Forbidden(Forbidden {
        path: String::new(),
        action: Action::KeepOrganisation,
        subject: Some((account::Entity::TYPE, account.0)),
        because: Some((
            Reason::OwnRole,
            "Nobody changes their own role: ask another ADMIN to change yours.",
        )),
        with_token: false,
    })
}

fn last_admin_error(row: &account::Model) -> Error {
    let message = "This is the last active ADMIN. Make another one first.";
    Error::conflict("id", Reason::LastAdmin, message).with_current(row.id.0)
}

async fn refuse_while_member(permit: &Permit<'_>, row: &account::Model) -> Result<()> {
    let held = membership::Entity::find()
        .filter(membership::Column::AccountId.eq(row.id))
        .count(permit.tx())
        .await?;
    if held == 0 {
        return Ok(());
    }
    Err(Error::fault(
        "role",
        UserErrorCode::Invalid,
        Some(Reason::RoleWithoutMemberships),
        format!(
            "AUDITOR and ANALYST hold no memberships, and this account has {held}. Revoke them first."
        ),
    ))
}

/// Number of active ADMINs besides this account.
pub async fn count_other_admins(tx: &Transaction, id: AccountId) -> Result<usize> {
    let admins = select_active_admins().all(tx).await?;
    Ok(admins.iter().filter(|admin| admin.id != id).count())
}

fn select_active_admins() -> Select<account::Entity> {
    account::Entity::find()
        .filter(account::Column::Role.eq(OrganisationRole::Admin))
        .filter(account::Column::ArchivedAt.is_null())
}

/// Number of active ADMINs besides this account. All of them are locked, in one order, until the end: two ADMINs who
/// depose each other at the same moment come one after the other, and the second is refused.
async fn lock_and_count_other_admins(permit: &mut Permit<'_>, id: AccountId) -> Result<usize> {
    let row = permit.get::<account::Entity>("id", id).await?;
    permit.require_permission_on_row::<account::Entity>(
        Action::KeepOrganisation,
        &RowTies::none(),
        &row,
    )?;
    let admins = select_active_admins()
        .order_by_asc(account::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(permit.tx())
        .await?;
    Ok(admins.iter().filter(|admin| admin.id != id).count())
}

/// Refuses to take the last ADMIN away.
pub fn refuse_last_admin(row: &account::Model, others: usize) -> Result<()> {
    match row.role == OrganisationRole::Admin && others == 0 {
        true => Err(last_admin_error(row)),
        false => Ok(()),
    }
}

/// Deactivates an account, which ends its sessions and revokes its tokens for good, and says whether it was active.
/// What that means for departments is told in `reorganise`.
pub async fn deactivate(
    permit: &mut Permit<'_>,
    input: &AtVersionInput,
) -> Result<(account::Model, bool)> {
    let id: AccountId = input::parse_id("id", &input.id)?;
    let others = lock_and_count_other_admins(permit, id).await?;
    let row = permit
        .fetch_locked::<account::Entity>(Action::KeepOrganisation, "id", id)
        .await?;
    expect_version::<account::Entity>(&row, input.expected_version)?;
    if row.archived_at.is_some() {
        return Ok((row, false));
    }
    refuse_last_admin(&row, others)?;
    // In the act itself, so that no request of the account comes between.
    session::end_account_sessions(permit.tx(), row.id, None, permit.caller.now).await?;
    service_token::revoke_tokens_of_account(permit.tx(), row.id, permit.caller.now).await?;
    let row = permit.set_archived::<account::Entity>(&row, true).await?;
    Ok((row, true))
}

/// Brings a deactivated account back.
pub async fn reactivate(caller: &Caller, input: &AtVersionInput) -> Result<account::Model> {
    let id: AccountId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<account::Entity>(Action::KeepOrganisation, "id", id)
        .await?;
    expect_version::<account::Entity>(&row, input.expected_version)?;
    if row.archived_at.is_none() {
        return Ok(row);
    }
    let row = permit.set_archived::<account::Entity>(&row, false).await?;
    permit.commit().await?;
    Ok(row)
}

/// Sets a new password for somebody else and ends their sessions.
pub async fn reset_password(
    caller: &Caller,
    input: AccountPasswordResetInput,
) -> Result<account::Model> {
    caller.require_reach(Action::KeepOrganisation)?;
    let id: AccountId = input::parse_id("id", &input.id)?;
    let found = caller.get::<account::Entity>(id).await?;
    let found = found.ok_or_else(|| Error::not_found("id", account::Entity::NOUN))?;
    let mut faults = Faults::default();
    if found.service {
        faults.add(
            "id",
            UserErrorCode::Invalid,
            Some(Reason::ServiceAccount),
            NO_PASSWORD,
        );
    }
    if caller.account() == Some(id) {
        let message =
            "Change your own password with `passwordChange`, which asks for the current one.";
        faults.add("id", UserErrorCode::Invalid, None, message);
    }
    password::validate_new_password(&mut faults, "password", &input.password, &found.key);
    faults.check()?;
    let hash = password::hash(&input.password).await?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .fetch_at_version::<account::Entity>(
            Action::KeepOrganisation,
            "id",
            id,
            input.expected_version,
        )
        .await?;
    session::end_account_sessions(permit.tx(), row.id, None, caller.now).await?;
    // Failures with the old password say nothing of the new one, and must not keep its owner waiting.
    throttle::forget_failures(permit.tx(), row.id, &row.key).await?;
    let row = set_password(&mut permit, &row, hash).await?;
    permit.commit().await?;
    Ok(row)
}

async fn set_password(
    permit: &mut Permit<'_>,
    row: &account::Model,
    hash: String,
) -> Result<account::Model> {
    let change = account::ActiveModel {
        password_hash: Set(Some(hash)),
        ..Default::default()
    };
    permit.update::<account::Entity>(row, change).await
}

/// Changes the caller's own password and ends their other sessions. Wrong present passwords are counted for the
/// session, so that a stolen access token is no way to guess it; failed sign-ins elsewhere keep nobody from changing
/// theirs.
pub async fn change_password(
    caller: &Caller,
    input: PasswordChangeInput,
) -> Result<account::Model> {
    caller.require_reach(Action::KeepOwnSignIn)?;
    let own = match caller.account() {
        Some(id) => caller.get::<account::Entity>(id).await?,
        None => None,
    };
    let own = own.ok_or(Error::Unauthenticated("Sign in first."))?;
    let mut faults = Faults::default();
    if own.service {
        faults.add(
            "",
            UserErrorCode::Invalid,
            Some(Reason::ServiceAccount),
            NO_PASSWORD,
        );
    }
    password::validate_new_password(&mut faults, "newPassword", &input.new_password, &own.key);
    faults.check()?;
    let session = caller
        .session
        .ok_or(Error::Unauthenticated("Sign in first."))?;
    let guess = SessionPasswordThrottle::new(session);
    // Before a turn is waited for: who has to wait anyway takes no place in the queue.
    guess
        .refuse_if_throttled(caller.connection(), caller.now)
        .await?;
    let hash_permit = HashPermit::acquire().await?;
    // Again with the turn taken: of many tries at once each sees what those before it came to.
    guess
        .refuse_if_throttled(caller.connection(), caller.now)
        .await?;
    let verified = own.password_hash.clone();
    if !hash_permit
        .verify(input.current_password, verified.clone())
        .await?
    {
        note_wrong_password(caller, &own, &guess).await?;
        return Err(wrong_password_error());
    }
    let hash = hash_permit.hash(input.new_password).await?;
    drop(hash_permit);
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .lock_and_read_row::<account::Entity>("", own.id)
        .await?;
    require_unarchived::<account::Entity>("", &row)?;
    // Somebody has set another password since: the one that was typed is no longer the current one.
    if row.password_hash != verified {
        return Err(wrong_password_error());
    }
    session::end_account_sessions(permit.tx(), row.id, caller.session, caller.now).await?;
    let row = set_password(&mut permit, &row, hash).await?;
    permit.commit().await?;
    Ok(row)
}

fn wrong_password_error() -> Error {
    Error::fault(
        "currentPassword",
        UserErrorCode::Invalid,
        Some(Reason::WrongPassword),
        "This is not your current password.",
    )
}

async fn note_wrong_password(
    caller: &Caller,
    own: &account::Model,
    guess: &SessionPasswordThrottle,
) -> Result<()> {
    // In a transaction of its own, which stays although the act is refused.
    let tx: Transaction = caller.begin_unaudited_transaction().await?;
    guess.note_failure(&tx, caller.now).await?;
    audit::record_sign_in(
        &tx,
        &caller.act,
        AuditOutcome::Failed,
        Some(own.id),
        caller.now,
        &caller.request_id,
    )
    .await?;
    Ok(tx.commit().await?)
}
