//! Signing in and staying so: sessions, the refresh tokens they rotate, and what ends them.

use std::net::IpAddr;

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Duration, Utc};
use entity::{
    account,
    id::{AccountId, SessionId},
    refresh_token, session,
    words::AuditOutcome,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, LockType, SelectStatement},
};
use serde::Serialize;

use super::{
    password::HashPermit,
    throttle::{self, CountedSignInAttempt},
};
use crate::{
    access::{Caller, HasKeyColumn},
    audit,
    clock::Clock,
    database::{Store, Transaction},
    error::{Error, Result},
    id, input,
    policy::Action,
    token::{RefreshToken, SessionClaims, SigningKey},
};

/// Longest life of a session, however often its tokens are refreshed.
pub const LIFETIME: Duration = Duration::days(30);
/// How long a rotated refresh token is still accepted: two tabs of a browser wake up together.
const GRACE: Duration = Duration::seconds(30);
/// Characters that are kept of a client's `User-Agent`.
const USER_AGENT: usize = 200;

const WRONG: &str = "The login or the password is not right.";
const ENDED: &str = "The session has ended. Sign in again.";

/// A pair of tokens, the answer to signing in and to refreshing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionTokens {
    /// The token for the `Authorization` header, after `Bearer`.
    pub access_token: String,
    /// The token for the next pair, valid once.
    pub refresh_token: String,
    /// The moment at which the access token expires.
    pub expires_at: DateTime<Utc>,
}

/// An attempt to sign in.
pub struct SignInAttempt {
    /// The account's key, as typed.
    pub login: String,
    pub password: String,
    /// The address that it comes from.
    pub network: IpAddr,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
}

/// Signs people in, refreshes their tokens and signs them out: where there is no caller yet.
#[derive(Clone, Copy)]
pub struct SessionManager<'a> {
    pub store: &'a Store,
    pub clock: &'a Clock,
    pub key: &'a SigningKey,
    pub request_id: &'a str,
}

impl SessionManager<'_> {
    /// Signs in with a password. An unknown account, a wrong password, a service and a deactivated account are refused
    /// alike, in words, in statements and in time, so that nobody learns which accounts exist.
    ///
    /// # Errors
    /// `Unauthenticated` where it is refused; `RateLimited` where too many attempts failed or too many wait for a hash.
    pub async fn sign_in(self, attempt: SignInAttempt) -> Result<SessionTokens> {
        let guess = CountedSignInAttempt::new(
            self.key,
            &attempt.login,
            attempt.network,
            &attempt.password,
        )?;
        guess
            .refuse_if_throttled(self.store.sign_in_reader(), self.clock.now())
            .await?;
        let hash_permit = HashPermit::acquire().await?;
        // Once more with the turn taken: of many tries at once only as many run as there are turns, and each sees
        // what those before it came to.
        guess
            .refuse_if_throttled(self.store.sign_in_reader(), self.clock.now())
            .await?;
        let account = self.find_account(&attempt.login).await?;
        let hash = account
            .as_ref()
            // Filtered here and not in the statement: all refusals run the same statements and hash once.
            .filter(|account| !account.service && account.archived_at.is_none())
            .and_then(|account| account.password_hash.clone());
        let right = hash_permit.verify(attempt.password, hash).await?;
        match account {
            Some(account) if right => {
                drop(hash_permit);
                self.start_session(&account, &guess, attempt.user_agent)
                    .await
            }
            account => {
                self.record_failure(account.map(|account| account.id), &guess)
                    .await?;
                drop(hash_permit);
                throttle::delete_expired_in_background(self.store.clone(), self.clock.now());
                Err(Error::Unauthenticated(WRONG))
            }
        }
    }

    async fn find_account(self, login: &str) -> Result<Option<account::Model>> {
        let login = login.trim();
        // What cannot be a key is looked for as well, as nothing: it takes as long and breaks no database.
        let key = if input::is_valid_key(login) {
            login
        } else {
            ""
        };
        Ok(account::Entity::find()
            .filter(account::Entity::key_condition(key))
            .one(self.store.sign_in_reader())
            .await?)
    }

    async fn start_session(
        self,
        verified: &account::Model,
        guess: &CountedSignInAttempt,
        user_agent: Option<String>,
    ) -> Result<SessionTokens> {
        let now = self.clock.now();
        let tx = self.store.begin_sign_in().await?;
        let account = account::Entity::find_by_id(verified.id)
            .lock(LockType::NoKeyUpdate)
            .one(&tx)
            .await?;
        // A new password or a deactivation that came between counts.
        if !account.is_some_and(|account| {
            account.archived_at.is_none() && account.password_hash == verified.password_hash
        }) {
            return Err(Error::Unauthenticated(WRONG));
        }
        guess
            .record_success_and_forget_failures(&tx, verified.id, now)
            .await?;
        delete_tokens_of_ended_sessions(&tx, verified.id, now).await?;
        let session = session::ActiveModel {
            id: Set(id::new()),
            account_id: Set(verified.id),
            user_agent: Set(user_agent.map(|text| text.chars().take(USER_AGENT).collect())),
            created_at: Set(now),
            last_used_at: Set(now),
            expires_at: Set(now + LIFETIME),
            ended_at: Set(None),
        };
        let session = session::Entity::insert(session)
            .exec_with_returning(&tx)
            .await?;
        let refresh = RefreshToken::new()?;
        store_refresh_token(&tx, &refresh, session.id, now).await?;
        audit::record_sign_in(
            &tx,
            audit::SIGN_IN,
            AuditOutcome::Done,
            Some(verified.id),
            now,
            self.request_id,
        )
        .await?;
        tx.commit().await?;
        self.issue_tokens(&session, &refresh, now)
    }

    async fn record_failure(
        self,
        account: Option<AccountId>,
        guess: &CountedSignInAttempt,
    ) -> Result<()> {
        let now = self.clock.now();
        let tx = self.store.begin_sign_in().await?;
        guess.note_failure(&tx, now).await?;
        audit::record_sign_in(
            &tx,
            audit::SIGN_IN,
            AuditOutcome::Failed,
            account,
            now,
            self.request_id,
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Rotates a refresh token: answers the next pair. A token is accepted once, and for [`GRACE`] more. One that is
    /// used later has two holders, one of whom stole it, and the whole session ends.
    ///
    /// # Errors
    /// `Unauthenticated` where the token is unknown or its session has ended.
    pub async fn refresh(self, token: &str) -> Result<SessionTokens> {
        let now = self.clock.now();
        let (token, found) = self.find_refresh_token(token).await?;
        let tx = self.store.begin_sign_in().await?;
        let session = session::Entity::find_by_id(found.session_id)
            .lock(LockType::NoKeyUpdate)
            .one(&tx)
            .await?;
        let session = session.filter(|session| session.ended_at.is_none());
        let session = session.filter(|session| session.expires_at > now);
        // Read again under the session's lock: another server may be rotating the same token.
        let kept = refresh_token::Entity::find_by_id(token.hash())
            .one(&tx)
            .await?;
        let (Some(session), Some(kept)) = (session, kept) else {
            return Err(Error::Unauthenticated(ENDED));
        };
        let next = self.key.derive_next_refresh_token(&token)?;
        match kept.rotated_at {
            None => {
                mark_token_rotated(&tx, &kept, now).await?;
                store_refresh_token(&tx, &next, session.id, now).await?;
                note_session_use(&tx, session.id, now).await?;
            }
            Some(at) if now <= at + GRACE => {}
            Some(_) => {
                end_sessions_where(
                    &tx,
                    Condition::all().add(session::Column::Id.eq(session.id)),
                    now,
                )
                .await?;
                audit::record_sign_in(
                    &tx,
                    "sessionReuse",
                    AuditOutcome::Failed,
                    Some(session.account_id),
                    now,
                    self.request_id,
                )
                .await?;
                tx.commit().await?;
                return Err(Error::Unauthenticated(ENDED));
            }
        }
        tx.commit().await?;
        self.issue_tokens(&session, &next, now)
    }

    /// Ends the session of a refresh token; an unknown token is no error.
    pub async fn sign_out(self, token: &str) -> Result<()> {
        let now = self.clock.now();
        let found = match self.find_refresh_token(token).await {
            Ok((_, found)) => found,
            // Another request may have ended it just now.
            Err(Error::Unauthenticated(_)) => return Ok(self.store.await_durable().await?),
            Err(error) => return Err(error),
        };
        let tx = self.store.begin_sign_in().await?;
        let session = session::Entity::find_by_id(found.session_id)
            .lock(LockType::NoKeyUpdate)
            .one(&tx)
            .await?;
        if let Some(session) = session.filter(|session| session.ended_at.is_none()) {
            end_sessions_where(
                &tx,
                Condition::all().add(session::Column::Id.eq(session.id)),
                now,
            )
            .await?;
            audit::record_sign_in(
                &tx,
                "signOut",
                AuditOutcome::Done,
                Some(session.account_id),
                now,
                self.request_id,
            )
            .await?;
        }
        Ok(tx.commit().await?)
    }

    async fn find_refresh_token(self, token: &str) -> Result<(RefreshToken, refresh_token::Model)> {
        let ended = || Error::Unauthenticated(ENDED);
        let token = RefreshToken::from_text(token.trim()).ok_or_else(ended)?;
        let found = refresh_token::Entity::find_by_id(token.hash())
            .one(self.store.sign_in_reader())
            .await?;
        Ok((token, found.ok_or_else(ended)?))
    }

    fn issue_tokens(
        self,
        session: &session::Model,
        refresh: &RefreshToken,
        now: DateTime<Utc>,
    ) -> Result<SessionTokens> {
        let access = SessionClaims {
            account: session.account_id,
            session: session.id,
        };
        let (access_token, expires_at) = self.key.sign_access(access, now)?;
        Ok(SessionTokens {
            access_token,
            refresh_token: refresh.to_text(),
            expires_at,
        })
    }
}

async fn store_refresh_token(
    tx: &Transaction,
    token: &RefreshToken,
    session: SessionId,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = refresh_token::ActiveModel {
        hash: Set(token.hash()),
        session_id: Set(session),
        issued_at: Set(now),
        rotated_at: Set(None),
    };
    refresh_token::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

async fn mark_token_rotated(
    tx: &Transaction,
    token: &refresh_token::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::RotatedAt, Expr::value(now))
        .filter(refresh_token::Column::Hash.eq(token.hash.clone()))
        .exec(tx)
        .await?;
    Ok(())
}

async fn note_session_use(tx: &Transaction, session: SessionId, now: DateTime<Utc>) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::LastUsedAt, Expr::value(now))
        .filter(session::Column::Id.eq(session))
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends every session of an account, except one where one is named.
pub(super) async fn end_account_sessions(
    tx: &Transaction,
    account: AccountId,
    except: Option<SessionId>,
    now: DateTime<Utc>,
) -> Result<()> {
    let theirs = Condition::all()
        .add(session::Column::AccountId.eq(account))
        .add_option(except.map(|session| session::Column::Id.ne(session)));
    end_sessions_where(tx, theirs, now).await
}

/// Ends sessions and deletes their tokens, which open nothing any more and reveal no theft either.
async fn end_sessions_where(tx: &Transaction, which: Condition, now: DateTime<Utc>) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(now))
        .filter(which.clone())
        .filter(session::Column::EndedAt.is_null())
        .exec(tx)
        .await?;
    delete_tokens_of_sessions(
        tx,
        select_session_ids(which.add(session::Column::EndedAt.is_not_null())),
    )
    .await
}

/// Drops the tokens of an account's sessions that have ended or run out.
async fn delete_tokens_of_ended_sessions(
    tx: &Transaction,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<()> {
    let dead = Condition::any()
        .add(session::Column::EndedAt.is_not_null())
        .add(session::Column::ExpiresAt.lte(now));
    let theirs = Condition::all()
        .add(session::Column::AccountId.eq(account))
        .add(dead);
    delete_tokens_of_sessions(tx, select_session_ids(theirs)).await
}

fn select_session_ids(which: Condition) -> SelectStatement {
    session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(which)
        .into_query()
}

async fn delete_tokens_of_sessions(tx: &Transaction, sessions: SelectStatement) -> Result<()> {
    refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::SessionId.in_subquery(sessions))
        .exec(tx)
        .await?;
    Ok(())
}

/// The session to end, one of your own.
#[derive(InputObject)]
pub struct SessionEndInput {
    /// The object's id.
    pub id: ID,
}

/// The sessions in which somebody is signed in now, as a condition.
#[must_use]
pub fn live_sessions_condition(now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(session::Column::EndedAt.is_null())
        .add(session::Column::ExpiresAt.gt(now))
}

/// Ends one of the caller's own sessions; ending it twice is no fault.
pub async fn end_session(caller: &Caller, input: &SessionEndInput) -> Result<session::Model> {
    caller.require_reach(Action::KeepOwnSignIn)?;
    let id: SessionId = input::parse_id("id", &input.id)?;
    let mut permit = caller.open_permit_without_check().await?;
    // Nobody sees another's session: finding it is the decision.
    let row = permit
        .lock_and_read_row::<session::Entity>("id", id)
        .await?;
    if row.ended_at.is_some() {
        return Ok(row);
    }
    let change = session::ActiveModel {
        ended_at: Set(Some(caller.now)),
        ..Default::default()
    };
    let row = permit.update::<session::Entity>(&row, change).await?;
    let it = Condition::all().add(session::Column::Id.eq(row.id));
    delete_tokens_of_sessions(permit.tx(), select_session_ids(it)).await?;
    permit.commit().await?;
    Ok(row)
}
