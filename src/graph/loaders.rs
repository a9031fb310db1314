//! The data loaders of the edges between slices. Each key type names an edge and holds the id at its near end; its
//! `load` answers all keys of one level of a document in one statement, with the caller's access in it. Edges inside a
//! blueprint use them only where the object was not read with its canvas.

mod answers;
mod handshake;
mod kpi_links;
mod trends;

pub(super) use answers::{FeedbackSummaryAt, FollowUpOf, PlaybookOfFeedbackGroup};
pub(super) use handshake::{DepartmentLeads, DepartmentParents, ReadableOpenProposals};
pub(super) use kpi_links::{KpiJudgementKey, LinkJudgementKey};
pub(super) use trends::TrendOf;

use std::{collections::HashMap, sync::Arc};

use entity::{
    account, blueprint, blueprint_persona, channel, department, evaluation, evaluation_verdict,
    feedback, follow_up,
    id::{
        AccountId, BlueprintId, ChannelId, DepartmentId, EvaluationId, FeedbackId, FollowUpId,
        ImprovementId, InsightId, KpiGrantId, KpiId, KpiLinkId, KpiTargetId, MeasurementId,
        MembershipId, NeedId, PersonaId, PhaseId, PlaybookId, PromiseId, PublicationId,
        ResponsibilityId, RoutingRuleId, ScenarioId, SegmentId, ServiceTokenId, SessionId,
        SourceId, TemplateId, TouchpointId, TransitionId,
    },
    improvement, improvement_kpi, improvement_touchpoint, insight, insight_source, kpi, kpi_grant,
    kpi_link, kpi_target, measurement, membership, persona, persona_need, persona_segment, phase,
    phase_segment, playbook, promise, promise_delivery, publication, responsibility, routing_rule,
    scenario, scenario_step, segment, service_token, service_token_department, session, source,
    template, touchpoint, touchpoint_channel, touchpoint_segment, transition,
    words::{ResponsibilityStatus, Role, Verdict},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};

use super::permissions::OpenRole;
use crate::{
    access::{Caller, Guarded, history, scope},
    batch::LoaderKey,
    department::below as department_below,
    error::Result,
    insight::graphql::without_archived_locations,
    judgement::{self, JudgedKpiLink},
    publication::select_without_document,
};

macro_rules! by_id {
    ($($id:ident of $entity:ident,)*) => {
        $(impl LoaderKey for $id {
            type Value = $entity::Model;

            async fn load(caller: &Caller, ids: &[Self]) -> Result<HashMap<Self, Self::Value>> {
                load_rows_by_id::<$entity::Entity>(caller, ids.iter().copied()).await
            }
        })*
    };
}

by_id! {
    AccountId of account,
    BlueprintId of blueprint,
    ChannelId of channel,
    DepartmentId of department,
    EvaluationId of evaluation,
    FeedbackId of feedback,
    FollowUpId of follow_up,
    ImprovementId of improvement,
    InsightId of insight,
    KpiGrantId of kpi_grant,
    KpiId of kpi,
    KpiLinkId of kpi_link,
    KpiTargetId of kpi_target,
    MeasurementId of measurement,
    MembershipId of membership,
    PersonaId of persona,
    PhaseId of phase,
    PlaybookId of playbook,
    PromiseId of promise,
    ResponsibilityId of responsibility,
    RoutingRuleId of routing_rule,
    ScenarioId of scenario,
    SegmentId of segment,
    ServiceTokenId of service_token,
    SessionId of session,
    SourceId of source,
    TemplateId of template,
    TouchpointId of touchpoint,
    TransitionId of transition,
}

impl LoaderKey for PublicationId {
    type Value = publication::Model;

    async fn load(caller: &Caller, ids: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let select = caller.select::<publication::Entity>();
        let select =
            select_without_document(select.filter(publication::Column::Id.is_in(ids.to_vec())));
        let rows = select.all(caller.connection()).await?.into_iter();
        Ok(rows.map(|row| (row.id, row)).collect())
    }
}

/// The responsibilities at a touchpoint that are accepted or proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ResponsibilitiesAt(pub TouchpointId);

impl LoaderKey for ResponsibilitiesAt {
    type Value = Arc<Vec<responsibility::Model>>;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let rows = caller
            .select::<responsibility::Entity>()
            .filter(responsibility::Column::TouchpointId.is_in(keys.iter().map(|key| key.0)))
            .filter(scope::open_responsibility_condition())
            .order_by_asc(responsibility::Column::CreatedAt)
            .order_by_asc(responsibility::Column::Id)
            .all(caller.connection())
            .await?;
        Ok(group_rows(rows, |row| {
            ResponsibilitiesAt(row.touchpoint_id)
        }))
    }
}

/// The roles that departments hold at touchpoints of a blueprint, or that are proposed to them, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OpenRolesIn(pub BlueprintId);

impl LoaderKey for OpenRolesIn {
    type Value = Arc<Vec<OpenRole>>;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let rows: Vec<(BlueprintId, DepartmentId, Role, ResponsibilityStatus)> = caller
            .select::<responsibility::Entity>()
            .select_only()
            .distinct()
            .column(responsibility::Column::BlueprintId)
            .column(responsibility::Column::DepartmentId)
            .column(responsibility::Column::Role)
            .column(responsibility::Column::Status)
            .filter(responsibility::Column::BlueprintId.is_in(keys.iter().map(|key| key.0)))
            .filter(scope::open_responsibility_condition())
            .into_tuple()
            .all(caller.connection())
            .await?;
        let rows = rows.into_iter();
        Ok(group_pairs(rows.map(
            |(blueprint, department, role, status)| {
                let open = OpenRole {
                    department_id: department,
                    role,
                    status,
                };
                (OpenRolesIn(blueprint), open)
            },
        )))
    }
}

/// Whether the caller may read what was done to a KPI; absent where not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReadableHistoryOf(pub KpiId);

impl LoaderKey for ReadableHistoryOf {
    type Value = ();

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let ids = keys.iter().map(|key| key.0);
        let readable = history::load_kpis_with_readable_history(caller, ids).await?;
        let readable = readable.into_iter();
        Ok(readable.map(|id| (ReadableHistoryOf(id), ())).collect())
    }
}

/// The KPIs that judge a touchpoint, as of today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct KpisJudgingTouchpoint(pub TouchpointId);

/// The KPIs that judge a phase as a whole, as of today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct KpisJudgingPhase(pub PhaseId);

macro_rules! judging_links {
    ($($key:ident by $column:ident $field:ident,)*) => {
        $(impl LoaderKey for $key {
            type Value = Arc<Vec<(JudgedKpiLink, kpi::Model)>>;

            async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
                let day = caller.today;
                let links = caller
                    .select::<kpi_link::Entity>()
                    .select_only()
                    .column(kpi_link::Column::Id)
                    .filter(kpi_link::Column::$column.is_in(keys.iter().map(|key| key.0)));
                let judged = judgement::load_judged_links(caller, links.into_query(), day).await?;
                let today = judged.into_iter().filter(|(judged, kpi)| {
                    kpi.archived_at.is_none() && judgement::is_link_in_force(&judged.link, day)
                });
                Ok(group_pairs(today.filter_map(|pair| Some(($key(pair.0.link.$field?), pair)))))
            }
        })*
    };
}

judging_links! {
    KpisJudgingTouchpoint by TouchpointId touchpoint_id,
    KpisJudgingPhase by PhaseId phase_id,
}

/// The touchpoints of a phase that are not archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TouchpointsIn(pub PhaseId);

impl LoaderKey for TouchpointsIn {
    type Value = Arc<Vec<touchpoint::Model>>;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let rows = caller
            .select::<touchpoint::Entity>()
            .filter(touchpoint::Column::PhaseId.is_in(keys.iter().map(|key| key.0)))
            .filter(touchpoint::Column::ArchivedAt.is_null())
            .order_by_asc(touchpoint::Column::Position)
            .order_by_asc(touchpoint::Column::Id)
            .all(caller.connection())
            .await?;
        Ok(group_rows(rows, |row| TouchpointsIn(row.phase_id)))
    }
}

/// A department and all below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DepartmentSubtree(pub DepartmentId);

impl LoaderKey for DepartmentSubtree {
    type Value = Arc<Vec<DepartmentId>>;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let roots: Vec<DepartmentId> = keys.iter().map(|key| key.0).collect();
        let trees = department_below(caller, &roots).await?.into_iter();
        Ok(trees
            .map(|(root, tree)| (DepartmentSubtree(root), Arc::new(tree)))
            .collect())
    }
}

/// Defines loaders of rows in the order of creation: `Key(type of its id, column, field): what is done to the select =>
/// entity`.
macro_rules! by_creation {
    ($($(#[$doc:meta])* $key:ident($of:ident $column:ident $field:ident): $select:expr => $entity:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) struct $key(pub $of);

        impl LoaderKey for $key {
            type Value = Arc<Vec<$entity::Model>>;

            async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
                let rows = $select(caller.select::<$entity::Entity>())
                    .filter($entity::Column::$column.is_in(keys.iter().map(|key| key.0)))
                    .order_by_asc($entity::Column::CreatedAt)
                    .order_by_asc($entity::Column::Id)
                    .all(caller.connection())
                    .await?;
                Ok(group_pairs(rows.into_iter().filter_map(|row| {
                    let of: Option<$of> = row.$field.into();
                    Some(($key(of?), row))
                })))
            }
        }
    )*};
}

by_creation! {
    /// The insights at a touchpoint, in the order of creation.
    InsightsAt(TouchpointId TouchpointId touchpoint_id): std::convert::identity => insight;
    /// The insights of a phase as a whole, in the order of creation.
    InsightsOfPhase(PhaseId PhaseId phase_id): std::convert::identity => insight;
    /// The insights of a blueprint, of its phases and at its touchpoints, in the order of creation.
    InsightsIn(BlueprintId BlueprintId blueprint_id): without_archived_locations => insight;
    /// The sources of a blueprint, in the order of creation.
    SourcesIn(BlueprintId BlueprintId blueprint_id): std::convert::identity => source;
    /// The promises made at a touchpoint, in the order of creation.
    PromisesAt(TouchpointId TouchpointId touchpoint_id): std::convert::identity => promise;
    /// The promises made at the touchpoints of a blueprint that are not archived, in the order of creation.
    PromisesIn(BlueprintId BlueprintId blueprint_id): exclude_archived_touchpoints(promise::Column::TouchpointId) => promise;
    /// The evaluations of a touchpoint, in the order of creation.
    EvaluationsAt(TouchpointId TouchpointId touchpoint_id): std::convert::identity => evaluation;
    /// The evaluations of the touchpoints of a blueprint that are not archived, in the order of creation.
    EvaluationsIn(BlueprintId BlueprintId blueprint_id): exclude_archived_touchpoints(evaluation::Column::TouchpointId) => evaluation;
    /// The improvements of a blueprint, in the order of creation.
    ImprovementsIn(BlueprintId BlueprintId blueprint_id): std::convert::identity => improvement;
    /// The scenarios of a blueprint, in the order of creation.
    ScenariosIn(BlueprintId BlueprintId blueprint_id): std::convert::identity => scenario;
}

/// Adds the condition that a row's touchpoint is not archived.
fn exclude_archived_touchpoints<E: EntityTrait, C: ColumnTrait>(
    touchpoint: C,
) -> impl Fn(Select<E>) -> Select<E> {
    move |select| {
        let archived = touchpoint::Entity::find()
            .select_only()
            .column(touchpoint::Column::Id)
            .filter(touchpoint::Column::ArchivedAt.is_not_null());
        select.filter(touchpoint.not_in_subquery(archived.into_query()))
    }
}

/// The verdicts of an evaluation with their needs, in the order of the needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct VerdictsOf(pub EvaluationId);

impl LoaderKey for VerdictsOf {
    type Value = Arc<Vec<(persona_need::Model, Verdict)>>;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let readable = caller
            .select::<evaluation::Entity>()
            .select_only()
            .column(evaluation::Column::Id);
        let found = evaluation_verdict::Entity::find()
            .filter(evaluation_verdict::Column::EvaluationId.is_in(keys.iter().map(|key| key.0)))
            .filter(evaluation_verdict::Column::EvaluationId.in_subquery(readable.into_query()))
            .order_by_asc(evaluation_verdict::Column::Position)
            .all(caller.connection())
            .await?;
        let needs = persona_need::Entity::find()
            .filter(persona_need::Column::Id.is_in(found.iter().map(|row| row.need_id)))
            .filter(persona_need::Column::PersonaId.in_subquery(select_persona_ids(caller)))
            .all(caller.connection())
            .await?;
        let needs: HashMap<NeedId, persona_need::Model> =
            needs.into_iter().map(|row| (row.id, row)).collect();
        Ok(group_pairs(found.into_iter().filter_map(|row| {
            let need = needs.get(&row.need_id)?.clone();
            Some((VerdictsOf(row.evaluation_id), (need, row.verdict)))
        })))
    }
}

/// The needs of a persona, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NeedsOf(pub PersonaId);

impl LoaderKey for NeedsOf {
    type Value = Arc<Vec<persona_need::Model>>;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let rows = persona_need::Entity::find()
            .filter(persona_need::Column::PersonaId.is_in(keys.iter().map(|key| key.0)))
            .filter(persona_need::Column::PersonaId.in_subquery(select_persona_ids(caller)))
            .order_by_asc(persona_need::Column::Position)
            .all(caller.connection())
            .await?;
        Ok(group_rows(rows, |row| NeedsOf(row.persona_id)))
    }
}

/// Defines loaders of ordered lists that are kept in a table with a position.
macro_rules! by_position {
    ($($(#[$doc:meta])* $key:ident($of:ident $of_id:ident $of_column:ident: $owner:ident) =
        $entity:ident($id:ident) in $place:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) struct $key(pub $of);

        impl LoaderKey for $key {
            type Value = Arc<Vec<$entity::Model>>;

            async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
                let readable = caller
                    .select::<$owner::Entity>()
                    .select_only()
                    .column($owner::Column::Id);
                let places = $place::Entity::find()
                    .filter($place::Column::$of_column.is_in(keys.iter().map(|key| key.0)))
                    .filter($place::Column::$of_column.in_subquery(readable.into_query()))
                    .order_by_asc($place::Column::Position)
                    .all(caller.connection())
                    .await?;
                let there = places.iter().map(|place| place.$id);
                let rows = load_rows_by_id::<$entity::Entity>(caller, there).await?;
                let pairs = places.iter().filter_map(|place| {
                    Some(($key(place.$of_id), rows.get(&place.$id)?.clone()))
                });
                Ok(group_pairs(pairs))
            }
        }
    )*};
}

by_position! {
    /// The channels of a touchpoint, in order.
    ChannelsOf(TouchpointId touchpoint_id TouchpointId: touchpoint) = channel(channel_id) in touchpoint_channel;
    /// The segments that personas stand for while in a phase, in order.
    SegmentsInPhase(PhaseId phase_id PhaseId: phase) = segment(segment_id) in phase_segment;
    /// The segments in a touchpoint's audience, in order.
    AudienceOf(TouchpointId touchpoint_id TouchpointId: touchpoint) = segment(segment_id) in touchpoint_segment;
    /// The further personas of a blueprint, in order.
    SecondaryPersonasOf(BlueprintId blueprint_id BlueprintId: blueprint) = persona(persona_id) in blueprint_persona;
    /// The sources that an insight rests on, in order.
    SourcesOf(InsightId insight_id InsightId: insight) = source(source_id) in insight_source;
    /// The touchpoints of a scenario, in the order of going; archived ones too.
    ScenarioStepsOf(ScenarioId scenario_id ScenarioId: scenario) = touchpoint(touchpoint_id) in scenario_step;
    /// The touchpoints at which a promise is delivered, in order; archived ones too.
    DeliveryPlacesOf(PromiseId promise_id PromiseId: promise) = touchpoint(touchpoint_id) in promise_delivery;
    /// The promises that are delivered at a touchpoint.
    PromisesDeliveredAt(TouchpointId touchpoint_id TouchpointId: touchpoint) = promise(promise_id) in promise_delivery;
    /// The touchpoints that an improvement is about, in order; archived ones too.
    TouchpointsOfImprovement(ImprovementId improvement_id ImprovementId: improvement) =
        touchpoint(touchpoint_id) in improvement_touchpoint;
    /// The KPIs that tell whether an improvement works, in order.
    KpisOfImprovement(ImprovementId improvement_id ImprovementId: improvement) = kpi(kpi_id) in improvement_kpi;
    /// The departments that a service token is limited to, in order.
    TokenLimitsOf(ServiceTokenId service_token_id ServiceTokenId: service_token) =
        department(department_id) in service_token_department;
    /// The segments that a persona stands for, in order.
    SegmentsOf(PersonaId persona_id PersonaId: persona) = segment(segment_id) in persona_segment;
}

/// The rows with these ids, as far as the caller may see them.
async fn load_rows_by_id<E: Guarded>(
    caller: &Caller,
    ids: impl Iterator<Item = E::Id>,
) -> Result<HashMap<E::Id, E::Model>>
where
    E::Id: std::hash::Hash,
{
    let select = caller.select::<E>().filter(E::id_column().is_in(ids));
    let rows = select.all(caller.connection()).await?.into_iter();
    Ok(rows.map(|row| (E::id(&row), row)).collect())
}

fn select_persona_ids(caller: &Caller) -> SelectStatement {
    caller
        .select::<persona::Entity>()
        .select_only()
        .column(persona::Column::Id)
        .into_query()
}

fn group_pairs<K: std::hash::Hash + Eq, R>(
    pairs: impl Iterator<Item = (K, R)>,
) -> HashMap<K, Arc<Vec<R>>> {
    let mut groups: HashMap<K, Vec<R>> = HashMap::new();
    for (key, row) in pairs {
        groups.entry(key).or_default().push(row);
    }
    groups
        .into_iter()
        .map(|(key, rows)| (key, Arc::new(rows)))
        .collect()
}

fn group_rows<K: std::hash::Hash + Eq, R>(
    rows: Vec<R>,
    key: impl Fn(&R) -> K,
) -> HashMap<K, Arc<Vec<R>>> {
    group_pairs(rows.into_iter().map(|row| (key(&row), row)))
}
