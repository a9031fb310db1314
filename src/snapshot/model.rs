//! The snapshot: rows by table, and the lists that join tables hold by the id of their owner.

use std::collections::HashMap;

use entity::{
    account, department, evaluation,
    id::{
        AccountId, DepartmentId, EvaluationId, ImprovementId, InsightId, KpiId, NeedId, PersonaId,
        PhaseId, PromiseId, ScenarioId, SegmentId, SourceId, TouchpointId,
    },
    improvement, insight, kpi, kpi_link, persona, promise, scenario, segment, source,
    words::Verdict,
};

use crate::canvas::Canvas;

/// A blueprint with all that hangs on it, archived parts left out. Rows come in the order of creation, lists in the
/// order of their positions.
#[derive(Debug)]
pub struct WholeBlueprint {
    pub canvas: Canvas,
    /// The personas besides the main one, by position.
    pub secondary_personas: Vec<persona::Model>,
    /// The segments that the personas stand for while in a phase; in a phase without an entry, the personas' own.
    pub phase_segments: HashMap<PhaseId, Vec<SegmentId>>,
    /// The segments that a touchpoint is for; a touchpoint without an entry is for everybody.
    pub touchpoint_segments: HashMap<TouchpointId, Vec<SegmentId>>,
    /// The segments in `phase_segments` and `touchpoint_segments`.
    pub segments: HashMap<SegmentId, segment::Model>,
    /// The links of KPIs that are not archived, whatever days they hold for.
    pub kpi_links: Vec<kpi_link::Model>,
    pub scenarios: Vec<scenario::Model>,
    /// The touchpoints of each scenario.
    pub scenario_steps: HashMap<ScenarioId, Vec<TouchpointId>>,
    pub sources: Vec<source::Model>,
    pub insights: Vec<insight::Model>,
    /// The personas that `insights` are known of.
    pub insight_personas: HashMap<PersonaId, persona::Model>,
    /// The sources that each insight rests on.
    pub insight_sources: HashMap<InsightId, Vec<SourceId>>,
    pub promises: Vec<promise::Model>,
    /// The touchpoints that deliver each promise.
    pub promise_deliveries: HashMap<PromiseId, Vec<TouchpointId>>,
    pub evaluations: Vec<evaluation::Model>,
    /// What each evaluation found, need by need.
    pub evaluation_verdicts: HashMap<EvaluationId, Vec<(NeedId, Verdict)>>,
    pub improvements: Vec<improvement::Model>,
    /// The touchpoints that each improvement is about.
    pub improvement_touchpoints: HashMap<ImprovementId, Vec<TouchpointId>>,
    /// The KPIs that measure the success of each improvement.
    pub improvement_kpis: HashMap<ImprovementId, Vec<KpiId>>,
    /// The KPIs in `improvement_kpis` that the caller may see and that are not archived.
    pub kpis_of_improvements: HashMap<KpiId, kpi::Model>,
    /// The departments that own `improvements`, as far as the caller may see them.
    pub owners_of_improvements: HashMap<DepartmentId, department::Model>,
    /// The people of open responsibilities and of evaluations, as far as the caller may see them.
    pub people: HashMap<AccountId, account::Model>,
    /// The touchpoints of scenarios, promises and improvements with the archived ones among them, of those that have any.
    pub touchpoints_with_archived: HashMap<uuid::Uuid, Vec<TouchpointId>>,
    /// The insights at archived touchpoints and phases.
    pub archived_insights: Vec<insight::Model>,
    /// The promises at archived touchpoints.
    pub archived_promises: Vec<promise::Model>,
}

impl WholeBlueprint {
    /// The main persona, then the others.
    pub fn personas(&self) -> impl Iterator<Item = &persona::Model> {
        std::iter::once(&self.canvas.persona).chain(&self.secondary_personas)
    }

    /// Number of rows that it holds, for what a request may compute: each costs the same number of steps. Rows that
    /// only lend their key (segments, people, …) are not counted.
    #[must_use]
    pub fn row_count(&self) -> usize {
        let parts = [
            self.kpi_links.len(),
            self.scenarios.len(),
            self.sources.len(),
            self.insights.len(),
            self.promises.len(),
            self.evaluations.len(),
            self.improvements.len(),
        ];
        let lists = [
            count_list_items(&self.phase_segments),
            count_list_items(&self.touchpoint_segments),
            count_list_items(&self.scenario_steps),
            count_list_items(&self.promise_deliveries),
            count_list_items(&self.evaluation_verdicts),
            count_list_items(&self.improvement_touchpoints),
        ];
        self.canvas.row_count() + parts.iter().chain(&lists).sum::<usize>()
    }

    /// Leaves out what hangs on archived touchpoints, phases and KPIs.
    pub(super) fn without_parts_of_archived(mut self) -> Self {
        let canvas = &self.canvas;
        let at = |touchpoint: TouchpointId| canvas.touchpoint(touchpoint).is_some();
        let there = |phase: Option<_>, touchpoint: Option<_>| {
            phase.is_none_or(|id| canvas.phase(id).is_some()) && touchpoint.is_none_or(at)
        };
        self.phase_segments
            .retain(|id, _| canvas.phase(*id).is_some());
        self.touchpoint_segments.retain(|id, _| at(*id));
        self.kpi_links.retain(|link| {
            there(link.phase_id, link.touchpoint_id) && canvas.kpi(link.kpi_id).is_some()
        });
        let (shown, archived) = std::mem::take(&mut self.insights)
            .into_iter()
            .partition(|row| there(row.phase_id, row.touchpoint_id));
        (self.insights, self.archived_insights) = (shown, archived);
        let (shown, archived) = std::mem::take(&mut self.promises)
            .into_iter()
            .partition(|row| at(row.touchpoint_id));
        (self.promises, self.archived_promises) = (shown, archived);
        self.evaluations.retain(|row| at(row.touchpoint_id));
        let steps = self.scenario_steps.iter_mut();
        let delivered = self.promise_deliveries.iter_mut();
        let improved = self.improvement_touchpoints.iter_mut();
        let lists = steps.map(|(id, list)| (id.0, list));
        let lists = lists.chain(delivered.map(|(id, list)| (id.0, list)));
        for (owner, touchpoints) in lists.chain(improved.map(|(id, list)| (id.0, list))) {
            if touchpoints.iter().all(|id| at(*id)) {
                continue;
            }
            let shown = touchpoints.iter().copied().filter(|id| at(*id)).collect();
            let all = std::mem::replace(touchpoints, shown);
            self.touchpoints_with_archived.insert(owner, all);
        }
        self
    }

    /// A blueprint on which nothing hangs.
    #[cfg(test)]
    pub(crate) fn from_canvas(canvas: Canvas) -> Self {
        Self {
            canvas,
            secondary_personas: Vec::new(),
            phase_segments: HashMap::new(),
            touchpoint_segments: HashMap::new(),
            segments: HashMap::new(),
            kpi_links: Vec::new(),
            scenarios: Vec::new(),
            scenario_steps: HashMap::new(),
            sources: Vec::new(),
            insights: Vec::new(),
            insight_personas: HashMap::new(),
            insight_sources: HashMap::new(),
            promises: Vec::new(),
            promise_deliveries: HashMap::new(),
            evaluations: Vec::new(),
            evaluation_verdicts: HashMap::new(),
            improvements: Vec::new(),
            improvement_touchpoints: HashMap::new(),
            improvement_kpis: HashMap::new(),
            kpis_of_improvements: HashMap::new(),
            owners_of_improvements: HashMap::new(),
            people: HashMap::new(),
            touchpoints_with_archived: HashMap::new(),
            archived_insights: Vec::new(),
            archived_promises: Vec::new(),
        }
    }
}

fn count_list_items<K, V>(lists: &HashMap<K, Vec<V>>) -> usize {
    lists.values().map(Vec::len).sum()
}
