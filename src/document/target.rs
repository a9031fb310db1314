//! The rows of a blueprint before an import (current) and as its document wants them (target).

use std::collections::HashMap;
use std::sync::Arc;

use entity::id::{
    AccountId, ChannelId, DepartmentId, EvaluationId, ImprovementId, InsightId, KpiId, NeedId,
    PersonaId, PhaseId, PromiseId, ScenarioId, SegmentId, SourceId, TouchpointId,
};
use entity::words::{Role, Verdict};
use entity::{
    blueprint, evaluation, improvement, insight, kpi_link, phase, promise, responsibility,
    scenario, source, touchpoint, transition,
};

use crate::snapshot::WholeBlueprint;

/// A blueprint as it is before an import, read under its lock.
pub struct CurrentBlueprint {
    /// Without the phases and touchpoints that go, and with those that come back.
    pub snapshot: Arc<WholeBlueprint>,
}

/// A role of a department at a touchpoint that a document wants.
#[derive(Clone, Debug)]
pub struct WantedResponsibility {
    /// Its path in the document, for faults.
    pub path: String,
    pub touchpoint: TouchpointId,
    pub department: DepartmentId,
    pub role: Role,
    pub accepted: bool,
    pub tasks: Vec<String>,
    pub person: Option<AccountId>,
    /// The open responsibility or proposal that exists already.
    pub current: Option<responsibility::Model>,
}

/// Ordered lists by the id of their owner.
pub type ListsByOwner<O, P> = HashMap<O, Vec<P>>;

/// A need, and whether it is met.
pub type NeedVerdict = (NeedId, Verdict);

/// A KPI link that a document wants, with its path in the document.
pub type WantedKpiLink = (String, kpi_link::Model);

/// The rows that an import wants; current rows that are not among them are archived or deleted.
#[derive(Debug)]
pub struct WantedRows {
    pub blueprint: blueprint::Model,
    pub secondary_personas: Vec<PersonaId>,
    pub phases: Vec<phase::Model>,
    pub phase_segments: ListsByOwner<PhaseId, SegmentId>,
    pub touchpoints: Vec<touchpoint::Model>,
    pub touchpoint_channels: ListsByOwner<TouchpointId, ChannelId>,
    pub touchpoint_segments: ListsByOwner<TouchpointId, SegmentId>,
    pub transitions: Vec<transition::Model>,
    pub responsibilities: Vec<WantedResponsibility>,
    pub kpi_links: Vec<WantedKpiLink>,
    pub scenarios: Vec<scenario::Model>,
    pub scenario_steps: ListsByOwner<ScenarioId, TouchpointId>,
    pub sources: Vec<source::Model>,
    pub insights: Vec<insight::Model>,
    pub insight_sources: ListsByOwner<InsightId, SourceId>,
    pub promises: Vec<promise::Model>,
    pub promise_deliveries: ListsByOwner<PromiseId, TouchpointId>,
    pub evaluations: Vec<evaluation::Model>,
    pub evaluation_verdicts: ListsByOwner<EvaluationId, NeedVerdict>,
    pub improvements: Vec<improvement::Model>,
    pub improvement_touchpoints: ListsByOwner<ImprovementId, TouchpointId>,
    pub improvement_kpis: ListsByOwner<ImprovementId, KpiId>,
}
