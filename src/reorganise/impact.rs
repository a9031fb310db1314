//! The impact of an act: what it would change, or has changed, by ids. Pure functions over holdings and plan. Whoever
//! shows an impact leaves out what its reader may not see.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    id::{
        BlueprintId, DepartmentId, FollowUpId, ImprovementId, InsightId, KpiId, PromiseId,
        ResponsibilityId, ScenarioId, TouchpointId, TransitionId,
    },
    responsibility,
    words::Role,
};

use super::{
    holdings::Holdings, links::KpiLinksAndDeliveries, plan::AfterResponsibilityEnd,
    plan::ResponsibilityPlanStep,
};
use crate::{
    canvas::flow::FlowAnalysis,
    error::{Result, UserError},
    responsibility::in_force::is_delivering_role,
    snapshot::WholeBlueprint,
};

/// What follows from an act.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReorganisationImpact {
    /// What stands in its way.
    pub obstacles: Vec<UserError>,
    /// Become part of the successor.
    pub departments_moved: Vec<DepartmentId>,
    /// End, and nobody takes them over.
    pub responsibilities_ended: Vec<ResponsibilityId>,
    /// End, and the successor takes them over.
    pub responsibilities_handed_over: Vec<ResponsibilityId>,
    /// End, as the successor has the same role there.
    pub responsibilities_merged: Vec<ResponsibilityId>,
    pub proposals_closed: Vec<ResponsibilityId>,
    /// Are made to the successor, by it, or to take over from it.
    pub proposals_readdressed: Vec<ResponsibilityId>,
    /// Have nobody accountable any more.
    pub lost_accountable: Vec<TouchpointId>,
    /// Lose somebody responsible.
    pub lost_responsible: Vec<TouchpointId>,
    /// Have nobody responsible any more.
    pub left_without_responsible: Vec<TouchpointId>,
    pub blueprints_handed_over: Vec<BlueprintId>,
    /// Have no owner any more.
    pub blueprints_left: Vec<BlueprintId>,
    pub kpis_handed_over: Vec<KpiId>,
    /// Have no owner any more.
    pub kpis_left: Vec<KpiId>,
    pub improvements_handed_over: Vec<ImprovementId>,
    /// Have no owner any more.
    pub improvements_left: Vec<ImprovementId>,
    pub follow_ups_handed_over: Vec<FollowUpId>,
    /// Have nobody who looks after them any more.
    pub follow_ups_left: Vec<FollowUpId>,
    /// Judge nothing any more but what is gone, or what nobody delivers.
    pub kpis_hanging: Vec<KpiId>,
    pub transitions_broken: Vec<TransitionId>,
    pub newly_unreachable: Vec<TouchpointId>,
    pub new_dead_ends: Vec<TouchpointId>,
    /// Lose a step.
    pub scenarios_shortened: Vec<ScenarioId>,
    /// Go out of sight.
    pub insights_gone: Vec<InsightId>,
    /// Go out of sight.
    pub promises_gone: Vec<PromiseId>,
    /// Are delivered nowhere any more but where it is gone, or where nobody delivers.
    pub promises_hanging: Vec<PromiseId>,
    /// Name the person.
    pub person_of: Vec<ResponsibilityId>,
    /// Lose the last lead of their own.
    pub departments_without_own_lead: Vec<DepartmentId>,
    /// Have nobody who leads them any more, nor from above.
    pub departments_unled: Vec<DepartmentId>,
    /// Wait for a department that nobody leads any more.
    pub proposals_unanswerable: Vec<ResponsibilityId>,
    /// Belong to a department that nobody leads any more.
    pub blueprints_unled: Vec<BlueprintId>,
}

impl ReorganisationImpact {
    /// Of departments that go, with or without a successor; `hung` is what hangs on where they hold
    /// anything.
    #[must_use]
    pub fn from_departments(
        holdings: &Holdings,
        steps: &[ResponsibilityPlanStep],
        hung: &KpiLinksAndDeliveries,
        successor: Option<DepartmentId>,
    ) -> Self {
        let mut impact = Self::from_steps(steps);
        impact.add_touchpoints_losing_roles(holdings, steps);
        impact.add_placeless_kpis_and_promises(
            hung,
            &find_touchpoints_losing_delivery(holdings, steps),
        );
        let blueprints = holdings.owned.iter().map(|row| row.id).collect();
        let kpis = holdings.kpis.iter().map(|row| row.id).collect();
        let improvements = holdings.improvements.iter().map(|row| row.id).collect();
        let follow_ups = holdings.follow_ups.iter().map(|row| row.id).collect();
        match successor {
            Some(_) => {
                impact.blueprints_handed_over = blueprints;
                impact.kpis_handed_over = kpis;
                impact.improvements_handed_over = improvements;
                impact.follow_ups_handed_over = follow_ups;
            }
            None => {
                impact.blueprints_left = blueprints;
                impact.kpis_left = kpis;
                impact.improvements_left = improvements;
                impact.follow_ups_left = follow_ups;
            }
        }
        impact
    }

    /// Of a touchpoint that goes from its blueprint; `hung` is what hangs on it.
    #[must_use]
    pub fn from_touchpoint(
        snapshot: &WholeBlueprint,
        gone: TouchpointId,
        steps: &[ResponsibilityPlanStep],
        hung: &KpiLinksAndDeliveries,
    ) -> Self {
        let canvas = &snapshot.canvas;
        let broken = canvas.transitions.iter().filter(|row| {
            row.from_touchpoint_id == Some(gone) || row.to_touchpoint_id == Some(gone)
        });
        let before = FlowAnalysis::new(canvas);
        let after = canvas
            .index_of_touchpoint(gone)
            .map(|place| before.without_touchpoint(place));
        let newly = |found: fn(&FlowAnalysis<'_>) -> BTreeSet<TouchpointId>| -> Vec<TouchpointId> {
            let after = after.as_ref().map(found).unwrap_or_default();
            let mut newly = &after - &found(&before);
            // The touchpoint itself is cut off by definition.
            newly.remove(&gone);
            newly.into_iter().collect()
        };
        let shortened = snapshot.scenarios.iter().filter(|row| {
            let steps = snapshot.scenario_steps.get(&row.id);
            steps.is_some_and(|steps| steps.contains(&gone))
        });
        let (known, promises) = (snapshot.insights.iter(), snapshot.promises.iter());
        let mut impact = Self {
            transitions_broken: broken.map(|row| row.id).collect(),
            newly_unreachable: newly(|flow| flow.unreachable().iter().map(|row| row.id).collect()),
            new_dead_ends: newly(|flow| flow.dead_ends().iter().map(|row| row.id).collect()),
            scenarios_shortened: shortened.map(|row| row.id).collect(),
            insights_gone: known
                .filter(|row| row.touchpoint_id == Some(gone))
                .map(|row| row.id)
                .collect(),
            promises_gone: promises
                .filter(|row| row.touchpoint_id == gone)
                .map(|row| row.id)
                .collect(),
            ..Self::from_steps(steps)
        };
        impact.add_placeless_kpis_and_promises(hung, &BTreeSet::from([gone]));
        impact
    }

    fn from_steps(steps: &[ResponsibilityPlanStep]) -> Self {
        let mut impact = Self::default();
        for step in steps {
            match step {
                ResponsibilityPlanStep::End(
                    row,
                    AfterResponsibilityEnd::Nothing | AfterResponsibilityEnd::Suspended,
                ) => {
                    impact.responsibilities_ended.push(row.id);
                }
                ResponsibilityPlanStep::End(row, AfterResponsibilityEnd::Successor) => {
                    impact.responsibilities_handed_over.push(row.id);
                }
                ResponsibilityPlanStep::End(row, AfterResponsibilityEnd::Merged) => {
                    impact.responsibilities_merged.push(row.id)
                }
                ResponsibilityPlanStep::Decline(row, _) => impact.proposals_closed.push(row.id),
                ResponsibilityPlanStep::ChangeAddressee(row)
                | ResponsibilityPlanStep::ChangeProposer(row)
                | ResponsibilityPlanStep::ChangeReplaced(row, _) => {
                    impact.proposals_readdressed.push(row.id);
                }
                ResponsibilityPlanStep::Accept(..) | ResponsibilityPlanStep::Merge(..) => {}
            }
        }
        // One proposal may be addressed anew and speak for a department that goes: it is told once.
        impact.proposals_readdressed.sort_unstable();
        impact.proposals_readdressed.dedup();
        impact
    }

    fn add_touchpoints_losing_roles(
        &mut self,
        holdings: &Holdings,
        steps: &[ResponsibilityPlanStep],
    ) {
        let lost = |role| -> BTreeSet<TouchpointId> {
            let ended =
                responsibilities_ending_without_successor(steps).filter(|row| row.role == role);
            ended.map(|row| row.touchpoint_id).collect()
        };
        let beside = holdings.beside.iter();
        let responsible: BTreeSet<TouchpointId> = beside
            .filter(|row| row.role == Role::Responsible)
            .map(|row| row.touchpoint_id)
            .collect();
        let lost_responsible = lost(Role::Responsible);
        self.left_without_responsible = (&lost_responsible - &responsible).into_iter().collect();
        self.lost_responsible = lost_responsible.into_iter().collect();
        self.lost_accountable = lost(Role::Accountable).into_iter().collect();
    }

    /// Notes the KPIs and promises that are left with these touchpoints only.
    fn add_placeless_kpis_and_promises(
        &mut self,
        hung: &KpiLinksAndDeliveries,
        gone: &BTreeSet<TouchpointId>,
    ) {
        let judging = hung
            .links
            .iter()
            .map(|link| (link.kpi_id, link.touchpoint_id));
        self.kpis_hanging = keys_only_at_touchpoints(judging, gone);
        let delivered = hung.deliveries.iter();
        let delivered = delivered.map(|row| (row.promise_id, Some(row.touchpoint_id)));
        self.promises_hanging = keys_only_at_touchpoints(delivered, gone);
    }

    /// Adds the refusals of the act's checks as obstacles.
    pub(super) fn with_obstacles<const N: usize>(
        mut self,
        checks: [Result<()>; N],
    ) -> Result<Self> {
        for refused in checks.into_iter().filter_map(Result::err) {
            self.obstacles.extend(refused.into_user_errors()?);
        }
        Ok(self)
    }
}

/// The responsibilities that end without a successor.
fn responsibilities_ending_without_successor(
    steps: &[ResponsibilityPlanStep],
) -> impl Iterator<Item = &responsibility::Model> {
    steps.iter().filter_map(|step| match step {
        ResponsibilityPlanStep::End(
            row,
            AfterResponsibilityEnd::Nothing | AfterResponsibilityEnd::Suspended,
        ) => Some(row),
        _ => None,
    })
}

/// The touchpoints that lose their last delivering department.
fn find_touchpoints_losing_delivery(
    holdings: &Holdings,
    steps: &[ResponsibilityPlanStep],
) -> BTreeSet<TouchpointId> {
    let lost =
        responsibilities_ending_without_successor(steps).filter(|row| is_delivering_role(row.role));
    let lost: BTreeSet<TouchpointId> = lost.map(|row| row.touchpoint_id).collect();
    let beside = holdings.beside.iter();
    let delivered: BTreeSet<TouchpointId> = beside.map(|row| row.touchpoint_id).collect();
    &lost - &delivered
}

/// The keys whose rows are all at these touchpoints.
fn keys_only_at_touchpoints<K: Ord>(
    hung: impl Iterator<Item = (K, Option<TouchpointId>)>,
    gone: &BTreeSet<TouchpointId>,
) -> Vec<K> {
    let mut only: BTreeMap<K, bool> = BTreeMap::new();
    for (what, touchpoint) in hung {
        let goes = touchpoint.is_some_and(|id| gone.contains(&id));
        // A row without a touchpoint, as of a link to a phase, does not go.
        *only.entry(what).or_insert(true) &= goes;
    }
    let only = only.into_iter().filter(|(_, only)| *only);
    only.map(|(what, _)| what).collect()
}
