//! Any object by its id alone: the prefix says which kind it is.

use async_graphql::{Context, ID, Interface, Object};
use entity::{
    account, blueprint, channel, department, evaluation, feedback, follow_up,
    id::{
        AccountId, BlueprintId, ChannelId, DepartmentId, EvaluationId, FeedbackId, FollowUpId, Id,
        ImprovementId, InsightId, KpiId, KpiLinkId, KpiTargetId, MeasurementId, MembershipId,
        PersonaId, PhaseId, PlaybookId, PromiseId, PublicationId, ResponsibilityId, ScenarioId,
        SegmentId, ServiceTokenId, SourceId, TemplateId, TouchpointId, TransitionId,
    },
    improvement, insight, kpi, kpi_link, kpi_target, measurement, membership, persona, phase,
    playbook, promise, publication, responsibility, scenario, segment, service_token, source,
    template, touchpoint, transition,
};

use crate::{
    access::{Caller, Guarded},
    account::{graphql::Account, service_token::graphql::ServiceToken},
    blueprint::graphql::{Blueprint, Phase},
    department::graphql::{Department, Membership},
    error::{Error, Result},
    evaluation::graphql::Evaluation,
    feedback::graphql::{Feedback, FollowUp, Playbook},
    improvement::graphql::Improvement,
    insight::graphql::{Insight, Source},
    kpi::graphql::{Kpi, KpiLink, KpiTarget, Measurement},
    payload::caller,
    persona::graphql::{Channel, Persona, Segment},
    promise::graphql::Promise,
    publication::graphql::Publication,
    responsibility::graphql::Responsibility,
    scenario::graphql::Scenario,
    template::graphql::Template,
    touchpoint::graphql::{Touchpoint, Transition},
};

/// How many objects one request for `nodes` may name.
const MOST: usize = 100;

/// Anything with an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "Its id."))]
pub enum Node {
    Account(Account),
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
    Promise(Promise),
    Evaluation(Evaluation),
    Improvement(Improvement),
    Feedback(Feedback),
    FollowUp(FollowUp),
    Playbook(Playbook),
    Publication(Publication),
    Responsibility(Responsibility),
    Kpi(Kpi),
    KpiTarget(KpiTarget),
    KpiLink(KpiLink),
    Measurement(Measurement),
}

/// Reading anything by its id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object by its id; null where there is none, or none that you may see.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Option<Result<Node>> {
        match caller(ctx) {
            Ok(caller) => find(caller, &id).await.transpose(),
            Err(error) => Some(Err(error)),
        }
    }

    /// Several objects by their ids, in the same order, null where there is none that you may see. At most 100.
    #[graphql(complexity = "ids.len().min(MOST).saturating_mul(child_complexity)")]
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        if ids.len() > MOST {
            return Err(Error::BadInput(format!(
                "`ids` names {} objects; {MOST} is the most.",
                ids.len()
            )));
        }
        let caller = caller(ctx)?;
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            nodes.push(find(caller, id).await?);
        }
        Ok(nodes)
    }
}

async fn get<E: Guarded, N: From<E::Model>>(caller: &Caller, id: &ID) -> Result<Option<N>> {
    match id.parse::<E::Id>() {
        Ok(id) => Ok(caller.get::<E>(id).await?.map(N::from)),
        Err(_) => Ok(None),
    }
}

async fn find(caller: &Caller, id: &ID) -> Result<Option<Node>> {
    let (prefix, _) = id.split_once('_').unwrap_or_default();
    macro_rules! by_prefix {
        ($($id:ident: $entity:ident => $node:ident,)*) => {
            match prefix {
                $($id::PREFIX => get::<$entity::Entity, $node>(caller, id).await?.map(Node::$node),)*
                _ => None,
            }
        };
    }
    Ok(by_prefix! {
        AccountId: account => Account,
        ServiceTokenId: service_token => ServiceToken,
        MembershipId: membership => Membership,
        DepartmentId: department => Department,
        PersonaId: persona => Persona,
        SegmentId: segment => Segment,
        ChannelId: channel => Channel,
        BlueprintId: blueprint => Blueprint,
        TemplateId: template => Template,
        PhaseId: phase => Phase,
        TouchpointId: touchpoint => Touchpoint,
        TransitionId: transition => Transition,
        ScenarioId: scenario => Scenario,
        SourceId: source => Source,
        InsightId: insight => Insight,
        PromiseId: promise => Promise,
        EvaluationId: evaluation => Evaluation,
        ImprovementId: improvement => Improvement,
        FeedbackId: feedback => Feedback,
        FollowUpId: follow_up => FollowUp,
        PlaybookId: playbook => Playbook,
        PublicationId: publication => Publication,
        ResponsibilityId: responsibility => Responsibility,
        KpiId: kpi => Kpi,
        KpiTargetId: kpi_target => KpiTarget,
        KpiLinkId: kpi_link => KpiLink,
        MeasurementId: measurement => Measurement,
    })
}
