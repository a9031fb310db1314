//! The canvas: the rows of one blueprint, arranged so that the rows of a touchpoint are found without a search.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, OnceLock},
};

use entity::{
    blueprint, channel, department,
    id::{DepartmentId, KpiId, PhaseId, TouchpointId},
    kpi, persona, persona_need, phase, responsibility, touchpoint, transition,
    words::{ResponsibilityStatus, Role},
};

use super::graph::FlowGraph;
use crate::judgement::JudgedKpiLink;

/// A blueprint with everything that is not archived inside it, as of one day.
#[derive(Debug)]
pub struct Canvas {
    pub blueprint: blueprint::Model,
    pub persona: persona::Model,
    pub needs: Vec<persona_need::Model>,
    /// In order of display.
    pub phases: Vec<phase::Model>,
    /// By phase, then in order of display.
    pub touchpoints: Vec<touchpoint::Model>,
    /// Between touchpoints that are there, in the order of creation.
    pub transitions: Vec<transition::Model>,
    /// Proposed and accepted ones, by touchpoint.
    pub responsibilities: Vec<responsibility::Model>,
    /// The links that hold on the day, by touchpoint; those of a phase or of the whole blueprint come first.
    pub links: Vec<JudgedKpiLink>,
    pub(super) departments: HashMap<DepartmentId, department::Model>,
    pub(super) kpis: HashMap<KpiId, kpi::Model>,
    pub(super) channels: HashMap<TouchpointId, Vec<channel::Model>>,
    pub(super) of_phase: HashMap<PhaseId, Range<usize>>,
    pub(super) of_touchpoint: HashMap<TouchpointId, TouchpointRowRanges>,
    /// The graph of the transitions, made on first use: most requests never need it.
    pub(super) graph: OnceLock<Arc<FlowGraph>>,
}

/// The rows of one touchpoint: its index, and the ranges of what hangs on it.
#[derive(Clone, Debug, Default)]
pub(super) struct TouchpointRowRanges {
    pub(super) index: usize,
    pub(super) responsibilities: Range<usize>,
    pub(super) links: Range<usize>,
}

impl Canvas {
    /// A phase's touchpoints in order of display.
    #[must_use]
    pub fn touchpoints_of_phase(&self, phase: PhaseId) -> &[touchpoint::Model] {
        self.of_phase
            .get(&phase)
            .and_then(|range| self.touchpoints.get(range.clone()))
            .unwrap_or_default()
    }

    /// A phase by its id.
    #[must_use]
    pub fn phase(&self, id: PhaseId) -> Option<&phase::Model> {
        self.phases.iter().find(|phase| phase.id == id)
    }

    /// A touchpoint by its id.
    #[must_use]
    pub fn touchpoint(&self, id: TouchpointId) -> Option<&touchpoint::Model> {
        self.of_touchpoint
            .get(&id)
            .and_then(|position| self.touchpoints.get(position.index))
    }

    /// The index of a touchpoint among all touchpoints.
    #[must_use]
    pub fn index_of_touchpoint(&self, id: TouchpointId) -> Option<usize> {
        self.of_touchpoint.get(&id).map(|position| position.index)
    }

    /// The responsibilities and open proposals at a touchpoint.
    #[must_use]
    pub fn responsibilities_of_touchpoint(&self, id: TouchpointId) -> &[responsibility::Model] {
        let range = self
            .of_touchpoint
            .get(&id)
            .map(|position| position.responsibilities.clone());
        range
            .and_then(|range| self.responsibilities.get(range))
            .unwrap_or_default()
    }

    /// The KPIs that judge a touchpoint.
    #[must_use]
    pub fn kpi_links_of_touchpoint(&self, id: TouchpointId) -> &[JudgedKpiLink] {
        let range = self
            .of_touchpoint
            .get(&id)
            .map(|position| position.links.clone());
        range
            .and_then(|range| self.links.get(range))
            .unwrap_or_default()
    }

    /// The KPIs that judge a phase as a whole, or with none the whole blueprint.
    pub fn kpi_links_above_touchpoints(
        &self,
        phase: Option<PhaseId>,
    ) -> impl Iterator<Item = &JudgedKpiLink> {
        self.links.iter().filter(move |judged| {
            judged.link.touchpoint_id.is_none() && judged.link.phase_id == phase
        })
    }

    /// The channels of a touchpoint.
    #[must_use]
    pub fn channels_of_touchpoint(&self, id: TouchpointId) -> &[channel::Model] {
        self.channels.get(&id).map_or(&[], Vec::as_slice)
    }

    /// A department that takes part, by its id.
    #[must_use]
    pub fn department(&self, id: DepartmentId) -> Option<&department::Model> {
        self.departments.get(&id)
    }

    /// Number of rows that were read for it, for what a request may compute.
    #[must_use]
    pub fn row_count(&self) -> usize {
        // A link comes with the figures of its KPI.
        let links = 5 * self.links.len();
        let channels: usize = self.channels.values().map(Vec::len).sum();
        let parts = self.touchpoints.len() + self.transitions.len() + self.responsibilities.len();
        self.phases.len() + parts + links + channels
    }

    /// The graph of its transitions, made once.
    pub(super) fn graph(&self) -> Arc<FlowGraph> {
        let make = || {
            let index = |id| self.index_of_touchpoint(id);
            let graph = FlowGraph::new(&self.phases, &self.touchpoints, &self.transitions, index);
            Arc::new(graph)
        };
        Arc::clone(self.graph.get_or_init(make))
    }

    /// A KPI that judges something here, by its id.
    #[must_use]
    pub fn kpi(&self, id: KpiId) -> Option<&kpi::Model> {
        self.kpis.get(&id)
    }
}

/// The accountable department's responsibility, among those of one touchpoint.
#[must_use]
pub fn find_accountable_responsibility(
    held: &[responsibility::Model],
) -> Option<&responsibility::Model> {
    held.iter().find(|held| {
        held.role == Role::Accountable && held.status == ResponsibilityStatus::Accepted
    })
}
