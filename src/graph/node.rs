//! Any object by its id alone: the prefix says which kind it is.

use async_graphql::{Context, ID, Interface, Object};
use entity::id::{
    AccountId, BlueprintId, ChannelId, DepartmentId, EvaluationId, FeedbackId, FollowUpId, Id,
    ImprovementId, InsightId, KpiGrantId, KpiId, KpiLinkId, KpiTargetId, MeasurementId,
    MembershipId, PersonaId, PhaseId, PlaybookId, PromiseId, PublicationId, ResponsibilityId,
    RoutingRuleId, ScenarioId, SegmentId, ServiceTokenId, SessionId, SourceId, TemplateId,
    TouchpointId, TransitionId, ViewerId,
};
use futures_util::future::try_join_all;

use super::{
    audit::{AuditEvent, AuditEventById},
    permissions,
};
use crate::{
    account::{
        graphql::{Account, Session, Viewer},
        service_token::graphql::ServiceToken,
    },
    batch::load,
    blueprint::graphql::{Blueprint, Phase},
    department::graphql::{Department, Membership},
    error::{Error, Result},
    evaluation::graphql::Evaluation,
    feedback::graphql::{Feedback, FollowUp, Playbook, RoutingRule},
    improvement::graphql::Improvement,
    insight::graphql::{Insight, Source},
    kpi::graphql::{Kpi, KpiGrant, KpiLink, KpiTarget, Measurement},
    payload::caller,
    persona::graphql::{Channel, Persona, Segment},
    promise::graphql::CustomerPromise,
    publication::graphql::Publication,
    responsibility::graphql::Responsibility,
    scenario::graphql::Scenario,
    template::graphql::Template,
    touchpoint::graphql::{Touchpoint, Transition},
};

/// Most ids of one `nodes` field.
pub const MOST: usize = 100;

/// An object with an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "The object's id."))]
pub(super) enum Node {
    Viewer(Viewer),
    Account(Account),
    Session(Session),
    ServiceToken(ServiceToken),
    Membership(Membership),
    Department(Department),
    Persona(Persona),
    Segment(Segment),
    Channel(Channel),
    Blueprint(Blueprint),
    Template(Template),
    Phase(Phase),
    Touchpoint(Touchpoint),
    Transition(Transition),
    Scenario(Scenario),
    Source(Source),
    Insight(Insight),
    CustomerPromise(CustomerPromise),
    Evaluation(Evaluation),
    Improvement(Improvement),
    Feedback(Feedback),
    FollowUp(FollowUp),
    Playbook(Playbook),
    RoutingRule(RoutingRule),
    Publication(Publication),
    Responsibility(Responsibility),
    Kpi(Kpi),
    KpiGrant(KpiGrant),
    KpiTarget(KpiTarget),
    KpiLink(KpiLink),
    Measurement(Measurement),
    AuditEvent(AuditEvent),
}

/// Reading anything by its id.
#[derive(Default)]
pub(super) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object by its id; null if there is none that you may see.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<Node>> {
        find_node(ctx, &id).await.transpose()
    }

    /// Objects by their ids, in the same order; null for each that does not exist or that you may not see.
    #[graphql(complexity = "ids.len().min(MOST).saturating_mul(child_complexity)")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The objects' ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MOST {
            return Err(Error::BadInput(format!(
                "`ids` names {} objects; at most {MOST} are allowed.",
                ids.len()
            )));
        }
        try_join_all(ids.iter().map(|id| find_node(ctx, id))).await
    }
}

/// The object with an id; none where the caller may not see one. Ids that are asked for together are batched by kind.
async fn find_node(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    let (prefix, _) = id.split_once('_').unwrap_or_default();
    macro_rules! by_prefix {
        ($($id:ident => $node:ident,)*) => {
            match prefix {
                $($id::PREFIX => match id.parse::<$id>() {
                    Ok(id) => load(ctx, id).await?.map(|row| Node::$node(row.into())),
                    Err(_) => None,
                },)*
                _ => None,
            }
        };
    }
    if let Ok(ViewerId(account)) = id.parse() {
        // Of others there is no such object.
        return match caller(ctx)?.account() {
            Some(own) if own.0 == account => {
                Ok(load(ctx, own).await?.map(|row| Node::Viewer(row.into())))
            }
            _ => Ok(None),
        };
    }
    if let Ok(id) = id.parse::<KpiGrantId>() {
        return find_grant(ctx, id).await;
    }
    if let Ok(id) = id.parse() {
        return Ok(load(ctx, AuditEventById(id)).await?.map(Node::AuditEvent));
    }
    Ok(by_prefix! {
        AccountId => Account,
        SessionId => Session,
        ServiceTokenId => ServiceToken,
        MembershipId => Membership,
        DepartmentId => Department,
        PersonaId => Persona,
        SegmentId => Segment,
        ChannelId => Channel,
        BlueprintId => Blueprint,
        TemplateId => Template,
        PhaseId => Phase,
        TouchpointId => Touchpoint,
        TransitionId => Transition,
        ScenarioId => Scenario,
        SourceId => Source,
        InsightId => Insight,
        PromiseId => CustomerPromise,
        EvaluationId => Evaluation,
        ImprovementId => Improvement,
        FeedbackId => Feedback,
        FollowUpId => FollowUp,
        PlaybookId => Playbook,
        RoutingRuleId => RoutingRule,
        PublicationId => Publication,
        ResponsibilityId => Responsibility,
        KpiId => Kpi,
        KpiTargetId => KpiTarget,
        KpiLinkId => KpiLink,
        MeasurementId => Measurement,
    })
}

/// A grant by its id, for those who see the grants of its KPI: who may see the values need not know who else may.
async fn find_grant(ctx: &Context<'_>, id: KpiGrantId) -> Result<Option<Node>> {
    let Some(grant) = load(ctx, id).await? else {
        return Ok(None);
    };
    let kpi = load(ctx, grant.kpi_id).await?;
    let caller = caller(ctx)?;
    let may = kpi.is_some_and(|kpi| permissions::may_define_kpi(caller, &kpi));
    Ok(may.then(|| Node::KpiGrant(grant.into())))
}
