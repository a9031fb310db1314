//! The audit log in the API: who did what to what, for those who may know. It lies under the roof, as its events
//! are about things of every slice, and changes nothing.

use std::collections::{HashMap, HashSet};

use async_graphql::{Context, ID, InputObject, Json, Object, OutputType, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    account, audit_event, audit_event_department, blueprint, channel, department, evaluation,
    feedback, follow_up,
    id::{
        AccountId, AuditEventId, BlueprintId, DepartmentId, KpiTargetId, PREFIXES, ServiceTokenId,
    },
    improvement, insight, kpi, kpi_grant, kpi_link, kpi_target, measurement, membership, persona,
    phase, playbook, promise, publication, responsibility, routing_rule, scenario, segment,
    service_token, session, source, template, touchpoint, transition,
    words::{ActorKind, AuditOutcome},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select, prelude::Uuid,
};

use crate::{
    access::{Caller, Guarded},
    audit::{AuditSubject, CONFIDENTIAL_TARGET_FIELDS, redact},
    batch::LoaderKey,
    error::{Error, Result},
    input,
    page::{self, ObjectPage, PageArguments},
    payload::caller,
    policy::Action,
    promise::graphql::CustomerPromise,
};

/// An act that was carried out or refused, as the audit log keeps it.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub(super) struct AuditEvent {
    /// The object's id.
    pub id: ID,
    /// Time of the act.
    pub at: DateTime<Utc>,
    /// The kind of actor: an account, the command line, or nobody known.
    pub actor_kind: ActorKind,
    /// The act, by its name in the API: `touchpointMove`, `signIn`.
    pub action: String,
    /// Outcome of the act.
    pub outcome: AuditOutcome,
    /// Type of the object acted on, by its name in the API.
    pub subject_type: Option<String>,
    /// Id of the object acted on.
    pub subject_id: Option<ID>,
    /// Id of the blueprint that contains the object.
    pub blueprint_id: Option<ID>,
    /// The object before the change; null where you may not read its blueprint.
    pub before: Option<Json<serde_json::Value>>,
    /// The object after the change; null where you may not read its blueprint.
    pub after: Option<Json<serde_json::Value>>,
    /// Id of the request, as in the header `x-request-id`.
    pub request_id: Option<String>,
    /// Number of times: refusals that repeat within an hour are counted in one event.
    pub repeats: i32,
    /// Time of the latest repetition.
    pub last_at: DateTime<Utc>,
    #[graphql(skip)]
    pub actor_id: Option<AccountId>,
    #[graphql(skip)]
    pub actor_token_id: Option<ServiceTokenId>,
    #[graphql(skip)]
    pub lies_in: Option<BlueprintId>,
    /// The target that it was done to, if it was one.
    #[graphql(skip)]
    pub target: Option<KpiTargetId>,
}

impl From<audit_event::Model> for AuditEvent {
    fn from(row: audit_event::Model) -> Self {
        let subject = row.subject_type.as_deref().zip(row.subject_id);
        let is_target = |kind: &str| kind == <kpi_target::Entity as AuditSubject>::TYPE;
        let target = subject.filter(|(kind, _)| is_target(kind));
        let target = target.map(|(_, id)| id.into());
        Self {
            id: ID(row.id.to_string()),
            at: row.at,
            actor_kind: row.actor_kind,
            subject_id: subject.and_then(|(kind, id)| to_typed_id(kind, id)).map(ID),
            action: row.action,
            outcome: row.outcome,
            subject_type: row.subject_type.as_deref().map(name_in_api),
            blueprint_id: row.blueprint_id.map(|id| ID(id.to_string())),
            before: row.before.map(Json),
            after: row.after.map(Json),
            request_id: row.request_id,
            repeats: row.repeats,
            last_at: row.last_at,
            actor_id: row.actor_account_id,
            actor_token_id: row.actor_token_id,
            lies_in: row.blueprint_id,
            target,
        }
    }
}

/// The name in the API of a type as events are stored with it, which are never changed.
fn name_in_api(stored: &str) -> String {
    let is_promise = stored == <promise::Entity as AuditSubject>::TYPE;
    if is_promise {
        <CustomerPromise as OutputType>::type_name().into_owned()
    } else {
        stored.to_owned()
    }
}

macro_rules! typed_ids {
    ($($module:ident)*) => {
        /// A bare id as the API writes it.
        fn to_typed_id(kind: &str, id: Uuid) -> Option<String> {
            $(if kind == <$module::Entity as AuditSubject>::TYPE {
                return Some(<$module::Entity as Guarded>::Id::from(id).to_string());
            })*
            None
        }
    };
}

typed_ids!(
    account session service_token membership department persona segment channel blueprint phase touchpoint template
    transition scenario source insight promise evaluation improvement feedback follow_up playbook routing_rule publication responsibility kpi kpi_target kpi_link kpi_grant measurement audit_event
);

/// The bare id behind an id of any type.
fn parse_id_of_any_type(path: &str, id: &ID) -> Result<Uuid> {
    id.split_once('_')
        .filter(|(prefix, hex)| PREFIXES.contains(prefix) && hex.len() == 32)
        .and_then(|(_, hex)| Uuid::try_parse(hex).ok())
        .ok_or_else(|| Error::BadInput(format!("`{path}` is not an id.")))
}

/// Conditions on the events to list; all that are given must hold.
#[derive(Default, InputObject)]
pub(super) struct AuditEventFilter {
    /// Only acts on the object of this id, whatever its type.
    pub subject_id: Option<ID>,
    /// Only acts of this account.
    pub actor_id: Option<ID>,
    /// Only this act, by its name in the API: `touchpointMove`, `signIn`.
    pub action: Option<String>,
    /// Only acts with this outcome.
    pub outcome: Option<AuditOutcome>,
    /// From this moment on (included).
    pub from: Option<DateTime<Utc>>,
    /// Until this moment (excluded).
    pub to: Option<DateTime<Utc>>,
    /// Only acts that concern this department.
    pub department_id: Option<ID>,
}

/// Reading the audit log.
#[derive(Default)]
pub(super) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit log: acts carried out and refused, the newest first. Leads see events that concern their departments.
    /// What was done in a blueprint or to a KPI is at `Blueprint.history` and `Kpi.history` for more people. Requires:
    /// READ_AUDIT.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<AuditEventFilter>,
    ) -> Option<Result<ObjectPage<AuditEvent>>> {
        Some(
            page_of_events(
                ctx,
                PageArguments { first, after },
                filter.unwrap_or_default(),
            )
            .await,
        )
    }
}

async fn page_of_events(
    ctx: &Context<'_>,
    page: PageArguments,
    filter: AuditEventFilter,
) -> Result<ObjectPage<AuditEvent>> {
    let caller = caller(ctx)?;
    caller.require_reach(Action::ReadAudit)?;
    let mut select = caller.select::<audit_event::Entity>();
    if let Some(id) = &filter.subject_id {
        select = select.filter(
            audit_event::Column::SubjectId.eq(parse_id_of_any_type("filter.subjectId", id)?),
        );
    }
    if let Some(id) = &filter.actor_id {
        let actor: AccountId = input::parse_id("filter.actorId", id)?;
        select = select.filter(audit_event::Column::ActorAccountId.eq(actor));
    }
    if let Some(action) = &filter.action {
        select = select.filter(audit_event::Column::Action.eq(action));
    }
    if let Some(outcome) = filter.outcome {
        select = select.filter(audit_event::Column::Outcome.eq(outcome));
    }
    input::refuse_reversed_range(filter.from, filter.to)?;
    if let Some(from) = filter.from {
        select = select.filter(audit_event::Column::At.gte(from));
    }
    if let Some(to) = filter.to {
        select = select.filter(audit_event::Column::At.lt(to));
    }
    if let Some(id) = &filter.department_id {
        let department: DepartmentId = input::parse_id("filter.departmentId", id)?;
        let concerning = audit_event_department::Entity::find()
            .select_only()
            .column(audit_event_department::Column::AuditEventId)
            .filter(audit_event_department::Column::DepartmentId.eq(department));
        select = select.filter(audit_event::Column::Id.in_subquery(concerning.into_query()));
    }
    page_of_readable_events(ctx, select, page).await
}

/// A page of these events, the newest first, without what the caller may not read now.
pub(super) async fn page_of_readable_events(
    ctx: &Context<'_>,
    select: Select<audit_event::Entity>,
    page: PageArguments,
) -> Result<ObjectPage<AuditEvent>> {
    let mut page = page::page_newest_first(ctx, select, page, AuditEvent::from).await?;
    let events = page.edges.iter_mut().map(|edge| &mut edge.node.0);
    hide_unreadable_contents(caller(ctx)?, events.collect()).await?;
    Ok(page)
}

/// An event by its id, as far as the caller may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AuditEventById(pub AuditEventId);

impl LoaderKey for AuditEventById {
    type Value = AuditEvent;

    async fn load(caller: &Caller, ids: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let select = caller.select::<audit_event::Entity>();
        let select = select.filter(audit_event::Column::Id.is_in(ids.iter().map(|id| id.0)));
        let rows = select.all(caller.connection()).await?.into_iter();
        let mut events: Vec<(Self, AuditEvent)> =
            rows.map(|row| (Self(row.id), row.into())).collect();
        hide_unreadable_contents(caller, events.iter_mut().map(|(_, event)| event).collect())
            .await?;
        Ok(events.into_iter().collect())
    }
}

/// Takes out of events what the caller may not read now.
async fn hide_unreadable_contents(caller: &Caller, mut events: Vec<&mut AuditEvent>) -> Result<()> {
    hide_unreadable_bodies(caller, events.iter_mut().map(|event| &mut **event)).await?;
    hide_unreadable_kpi_targets(caller, events.into_iter()).await
}

/// Takes the bodies out of events in blueprints that the caller may not read. Those of a blueprint that is gone
/// are left to those who may read every blueprint.
async fn hide_unreadable_bodies<'a>(
    caller: &Caller,
    events: impl Iterator<Item = &'a mut AuditEvent>,
) -> Result<()> {
    if caller.readable_condition::<blueprint::Entity>().is_empty() {
        return Ok(());
    }
    let events: Vec<&mut AuditEvent> = events.filter(|event| event.lies_in.is_some()).collect();
    let lie_in: HashSet<BlueprintId> = events.iter().filter_map(|event| event.lies_in).collect();
    if lie_in.is_empty() {
        return Ok(());
    }
    let readable: Vec<BlueprintId> = caller
        .select::<blueprint::Entity>()
        .select_only()
        .column(blueprint::Column::Id)
        .filter(blueprint::Column::Id.is_in(lie_in))
        .into_tuple()
        .all(caller.connection())
        .await?;
    for event in events {
        if event.lies_in.is_some_and(|id| !readable.contains(&id)) {
            event.before = None;
            event.after = None;
        }
    }
    Ok(())
}

/// Takes out what targets were, of KPIs whose values the caller may not read now, whatever they were when it was noted.
/// Those of a target that is gone are left to those who may read all values.
async fn hide_unreadable_kpi_targets<'a>(
    caller: &Caller,
    events: impl Iterator<Item = &'a mut AuditEvent>,
) -> Result<()> {
    if caller.reach(Action::ReadConfidential).everything {
        return Ok(());
    }
    let events: Vec<&mut AuditEvent> = events.filter(|event| event.target.is_some()).collect();
    if events.is_empty() {
        return Ok(());
    }
    let targets = events.iter().filter_map(|event| event.target);
    let readable: Vec<KpiTargetId> = caller
        .select::<kpi_target::Entity>()
        .select_only()
        .column(kpi_target::Column::Id)
        .filter(kpi_target::Column::Id.is_in(targets))
        .into_tuple()
        .all(caller.connection())
        .await?;
    for event in events {
        if event.target.is_some_and(|id| !readable.contains(&id)) {
            for body in [&mut event.before, &mut event.after] {
                redact(
                    body.as_mut().map(|Json(body)| body),
                    CONFIDENTIAL_TARGET_FIELDS,
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_every_type_are_read_and_written_alike() {
        let id = Uuid::from_u128(7);
        let text = to_typed_id("Touchpoint", id).expect("a known type");
        assert!(text.starts_with("tch_"));
        assert_eq!(parse_id_of_any_type("id", &ID(text)).expect("an id"), id);
        assert!(
            parse_id_of_any_type("id", &ID("xyz_00000000000000000000000000000007".to_owned()))
                .is_err()
        );
        assert!(parse_id_of_any_type("id", &ID("tch_7".to_owned())).is_err());
        assert_eq!(to_typed_id("Something", id), None);
    }
}
