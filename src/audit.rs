//! The audit log: who did what to what. Every change leaves an event in the change's own transaction, every refusal one
//! after the rollback, every sign-in one. Bodies hold no secret, no confidential value and nobody's words from
//! feedback.
//!
//! This room stands below the door, which writes the events: an act comes as an [`Actor`], a row as an
//! [`AuditSubject`].

pub mod position;

use std::collections::BTreeSet;

use chrono::Duration;
use entity::{
    audit_event, audit_event_department,
    id::{AccountId, AuditEventId, BlueprintId, DepartmentId, Id, ServiceTokenId},
    words::{ActorKind, AuditOutcome},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
    Set,
    prelude::{DateTimeUtc, Json, Uuid},
    sea_query::{Expr, ExprTrait},
};
use serde::Serialize;

use crate::{
    database::{Store, Transaction},
    error::{Forbidden, Result},
    id,
};

/// A table whose rows can be the subject of an audit event.
pub trait AuditSubject: EntityTrait<Model: Serialize> {
    /// The API's name of the type.
    const TYPE: &'static str;

    /// The id of a row.
    fn row_id(row: &Self::Model) -> Uuid;

    /// The blueprint that a row lies in.
    fn blueprint_id(row: &Self::Model) -> Option<BlueprintId>;
}

/// The actor of an event: an account, by a session or a service token, or the operator.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The account; none for the operator.
    pub account: Option<AccountId>,
    /// The service token that speaks for the account.
    pub token: Option<ServiceTokenId>,
    /// The request's id, also found in the log.
    pub request_id: &'a str,
    /// The act's name in the API.
    pub act: &'a str,
    /// The moment of the request.
    pub now: DateTimeUtc,
}

/// An audit event before it is written: its subject and what differs, without its actor.
#[derive(Clone, Debug)]
pub struct AuditedChange {
    subject: Option<(&'static str, Uuid)>,
    blueprint: Option<BlueprintId>,
    before: Option<Json>,
    after: Option<Json>,
    /// The departments whose leads may read it, where they are not those of the whole act.
    concerned: Option<BTreeSet<DepartmentId>>,
}

impl AuditedChange {
    /// A row was inserted: `after` is the whole row.
    pub fn inserted<E: AuditSubject>(row: &E::Model) -> Self {
        Self::new::<E>(row, None, Some(row_to_json::<E>(row)))
    }

    /// A row was deleted: `before` is the whole row.
    pub fn deleted<E: AuditSubject>(row: &E::Model) -> Self {
        Self::new::<E>(row, Some(row_to_json::<E>(row)), None)
    }

    /// A row was updated: the bodies hold the columns that differ.
    pub fn updated<E: AuditSubject>(before: &E::Model, after: &E::Model) -> Self {
        // Compared as JSON, the form in which they are kept and read: no column can be forgotten.
        let (mut old, mut new) = (row_to_json::<E>(before), row_to_json::<E>(after));
        if let (Json::Object(old), Json::Object(new)) = (&mut old, &mut new) {
            old.retain(|key, value| new.get(key) != Some(value));
            new.retain(|key, _| old.contains_key(key));
        }
        Self::new::<E>(after, Some(old), Some(new))
    }

    /// Something was done to a thing that its row does not show, such as a change in its lists: `after` says what.
    pub fn for_change_outside_row<E: AuditSubject>(row: &E::Model, after: Json) -> Self {
        Self::new::<E>(row, None, Some(after))
    }

    /// Many rows were written at once: one event without a subject, whose `after` counts them.
    #[must_use]
    pub fn for_bulk_write(counts: Json) -> Self {
        Self {
            subject: None,
            blueprint: None,
            before: None,
            after: Some(counts),
            concerned: None,
        }
    }

    /// Replaces the content of these fields in both bodies: what is left says that they were set or changed.
    #[must_use]
    pub fn with_redacted(mut self, fields: &[&str]) -> Self {
        for body in [&mut self.before, &mut self.after] {
            redact(body.as_mut(), fields);
        }
        self
    }

    /// The body after the act; none where a row was deleted.
    pub(crate) fn body_after(&self) -> Option<&Json> {
        self.after.as_ref()
    }

    fn new<E: AuditSubject>(row: &E::Model, before: Option<Json>, after: Option<Json>) -> Self {
        Self {
            subject: Some((E::TYPE, E::row_id(row))),
            blueprint: E::blueprint_id(row),
            before,
            after,
            concerned: None,
        }
    }

    /// Shows it to the leads of these departments, unless that was said before.
    pub fn set_concerned(&mut self, departments: &BTreeSet<DepartmentId>) {
        self.concerned.get_or_insert_with(|| departments.clone());
    }
}

/// Replaces the content of these fields of a body by "withheld".
pub(crate) fn redact(body: Option<&mut Json>, fields: &[&str]) {
    let Some(Json::Object(body)) = body else {
        return;
    };
    for field in fields {
        if let Some(content) = body.get_mut(*field) {
            *content = Json::String("withheld".to_owned());
        }
    }
}

/// The fields of a KPI target that are as confidential as the values of its KPI.
pub(crate) const CONFIDENTIAL_TARGET_FIELDS: &[&str] = &["value", "warning"];

fn row_to_json<E: AuditSubject>(row: &E::Model) -> Json {
    // A row of plain columns always has a JSON form; without one the event still says that it happened.
    serde_json::to_value(row).unwrap_or(Json::Null)
}

/// Rows of one INSERT: with their columns fewer than the 32,766 parameters of SQLite.
const EVENTS_AT_ONCE: usize = 500;
const DEPARTMENTS_AT_ONCE: usize = 10_000;

/// Writes the events of one act in the act's own transaction. The leads of the `concerned` departments may read those of
/// which nothing else was said.
pub(crate) async fn write_events<C: ConnectionTrait>(
    actor: Actor<'_>,
    tx: &C,
    events: Vec<AuditedChange>,
    concerned: &BTreeSet<DepartmentId>,
) -> Result<()> {
    let (mut rows, mut departments) = (Vec::with_capacity(events.len()), Vec::new());
    for event in events {
        let id = id::new::<AuditEventId>();
        let leads = event.concerned.as_ref().unwrap_or(concerned);
        departments.extend(
            leads
                .iter()
                .map(|department| audit_event_department::ActiveModel {
                    audit_event_id: Set(id),
                    department_id: Set(*department),
                }),
        );
        rows.push(audit_event::ActiveModel {
            id: Set(id),
            subject_type: Set(event.subject.map(|(name, _)| name.to_owned())),
            subject_id: Set(event.subject.map(|(_, id)| id)),
            blueprint_id: Set(event.blueprint),
            before: Set(event.before),
            after: Set(event.after),
            ..actor_event_row(actor, AuditOutcome::Done)
        });
    }
    for some in rows.chunks(EVENTS_AT_ONCE) {
        audit_event::Entity::insert_many(some.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    for some in departments.chunks(DEPARTMENTS_AT_ONCE) {
        audit_event_department::Entity::insert_many(some.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn actor_event_row(actor: Actor<'_>, outcome: AuditOutcome) -> audit_event::ActiveModel {
    audit_event::ActiveModel {
        actor_kind: Set(if actor.account.is_some() {
            ActorKind::Account
        } else {
            ActorKind::Operator
        }),
        actor_account_id: Set(actor.account),
        actor_token_id: Set(actor.token),
        request_id: Set(Some(actor.request_id.to_owned())),
        ..base_event_row(actor.act, outcome, actor.now)
    }
}

fn base_event_row(
    action: &str,
    outcome: AuditOutcome,
    at: DateTimeUtc,
) -> audit_event::ActiveModel {
    audit_event::ActiveModel {
        id: Set(id::new::<AuditEventId>()),
        at: Set(at),
        actor_kind: Set(ActorKind::Anonymous),
        actor_account_id: Set(None),
        actor_token_id: Set(None),
        action: Set(action.to_owned()),
        outcome: Set(outcome),
        subject_type: Set(None),
        subject_id: Set(None),
        blueprint_id: Set(None),
        before: Set(None),
        after: Set(None),
        request_id: Set(None),
        repeats: Set(1),
        last_at: Set(at),
    }
}

/// Whether an account made a thing, given its API type and id: its first event is theirs and has no state before.
pub(crate) async fn was_created_by<C: ConnectionTrait>(
    db: &C,
    (kind, id): (&str, uuid::Uuid),
    account: AccountId,
) -> Result<bool> {
    let first = audit_event::Entity::find()
        .filter(audit_event::Column::SubjectType.eq(kind))
        .filter(audit_event::Column::SubjectId.eq(id))
        .filter(audit_event::Column::Outcome.eq(AuditOutcome::Done))
        .order_by_asc(audit_event::Column::At)
        .order_by_asc(audit_event::Column::Id)
        .one(db)
        .await?;
    Ok(
        first
            .is_some_and(|event| event.before.is_none() && event.actor_account_id == Some(account)),
    )
}

/// Writes a refusal in a transaction of its own. The same refusal within an hour raises `repeats` of the first: a
/// program that tries again and again fills no log.
pub(crate) async fn record_refusal(
    actor: Actor<'_>,
    store: &Store,
    forbidden: &Forbidden,
) -> Result<()> {
    // The refused act was rolled back, and with it everything it had noted.
    let tx = store.begin().await?;
    let subject = forbidden.subject.map(|(_, id)| id);
    let again = audit_event::Entity::find()
        .filter(audit_event::Column::Outcome.eq(AuditOutcome::Refused))
        .filter(audit_event::Column::ActorAccountId.eq(actor.account))
        .filter(actor.token.map_or_else(
            || audit_event::Column::ActorTokenId.is_null(),
            |token| audit_event::Column::ActorTokenId.eq(token),
        ))
        .filter(audit_event::Column::Action.eq(actor.act))
        .filter(subject.map_or_else(
            || audit_event::Column::SubjectId.is_null(),
            |id| audit_event::Column::SubjectId.eq(id),
        ))
        .filter(audit_event::Column::At.gt(actor.now - Duration::hours(1)))
        .order_by_desc(audit_event::Column::At)
        .one(&tx)
        .await?;
    match again {
        Some(again) => {
            audit_event::Entity::update_many()
                .col_expr(
                    audit_event::Column::Repeats,
                    Expr::col(audit_event::Column::Repeats).add(1),
                )
                // Not before the ones counted so far, however the clocks of servers differ.
                .col_expr(
                    audit_event::Column::LastAt,
                    Expr::value(std::cmp::max(again.last_at, actor.now)),
                )
                .filter(audit_event::Column::Id.eq(again.id))
                .exec(&tx)
                .await?;
        }
        None => {
            let row = audit_event::ActiveModel {
                subject_type: Set(forbidden.subject.map(|(name, _)| name.to_owned())),
                subject_id: Set(subject),
                after: Set(Some(
                    serde_json::json!({ "requiredPermission": forbidden.action.as_str() }),
                )),
                ..actor_event_row(actor, AuditOutcome::Refused)
            };
            audit_event::Entity::insert(row)
                .exec_without_returning(&tx)
                .await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Writes a sign-in, a sign-out, or a failure of either kind: also a wrong present password (`passwordChange`) and a
/// refresh token used twice (`sessionReuse`). Of a failure the account is the subject and not the actor: who tried
/// is not known.
pub(crate) async fn record_sign_in<C: ConnectionTrait>(
    db: &C,
    act: &str,
    outcome: AuditOutcome,
    account: Option<AccountId>,
    at: DateTimeUtc,
    request_id: &str,
) -> Result<()> {
    let actor = account.filter(|_| outcome == AuditOutcome::Done);
    let row = audit_event::ActiveModel {
        actor_kind: Set(if actor.is_some() {
            ActorKind::Account
        } else {
            ActorKind::Anonymous
        }),
        actor_account_id: Set(actor),
        subject_type: Set(account.map(|_| ACCOUNT.to_owned())),
        subject_id: Set(account.map(Id::uuid)),
        request_id: Set(Some(request_id.to_owned())),
        ..base_event_row(act, outcome, at)
    };
    audit_event::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Number of events since a moment, sign-ins excepted. Any write changes it, so where it is equal in two snapshots of
/// one day, since the same moment, nothing was done between them: ETags are made from it.
pub async fn count_changes_since(tx: &Transaction, since: DateTimeUtc) -> Result<u64> {
    let done = select_changing_events().filter(audit_event::Column::At.gte(since));
    Ok(done.count(tx).await?)
}

/// The events that changed something: signing in changes nothing that anybody else sees.
fn select_changing_events() -> Select<audit_event::Entity> {
    audit_event::Entity::find()
        .filter(audit_event::Column::Outcome.eq(AuditOutcome::Done))
        .filter(audit_event::Column::Action.ne(SIGN_IN))
}

/// The API's type of accounts, which sign-ins are about.
pub const ACCOUNT: &str = "Account";

/// The act of signing in.
pub const SIGN_IN: &str = "signIn";
