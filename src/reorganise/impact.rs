//! What an act would change, or has changed: pure functions from what was loaded and planned. They name things by id
//! alone; whoever shows an impact shows as much of it as its reader may see.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    id::{
        BlueprintId, DepartmentId, InsightId, KpiId, ResponsibilityId, ScenarioId, TouchpointId,
        TransitionId,
    },
    kpi_link, responsibility,
    words::Role,
};

use super::{After, Holdings, Step};
use crate::{
    canvas::{flow::Flow, whole::Whole},
    error::{Result, UserError},
    responsibility::rules::delivers,
};

/// What follows from an act.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Impact {
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
    /// Judge nothing any more but what is gone, or what nobody delivers.
    pub kpis_hanging: Vec<KpiId>,
    pub transitions_broken: Vec<TransitionId>,
    pub newly_unreachable: Vec<TouchpointId>,
    pub new_dead_ends: Vec<TouchpointId>,
    /// Lose a step.
    pub scenarios_shortened: Vec<ScenarioId>,
    /// Go out of sight.
    pub insights_gone: Vec<InsightId>,
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

impl Impact {
    /// Of departments that go, with or without a successor; `links` are those of the KPIs that judge where they
    /// hold anything.
    #[must_use]
    pub fn of_departments(
        holdings: &Holdings,
        steps: &[Step],
        links: &[kpi_link::Model],
        successor: Option<DepartmentId>,
    ) -> Self {
        let mut impact = Self::of_steps(steps);
        impact.tell_lost(holdings, steps);
        impact.kpis_hanging = only_at(links, &undelivered(holdings, steps));
        let blueprints = holdings.owned.iter().map(|row| row.id).collect();
        let kpis = holdings.kpis.iter().map(|row| row.id).collect();
        match successor {
            Some(_) => {
                impact.blueprints_handed_over = blueprints;
                impact.kpis_handed_over = kpis;
            }
            None => {
                impact.blueprints_left = blueprints;
                impact.kpis_left = kpis;
            }
        }
        impact
    }

    /// Of a touchpoint that goes from its blueprint; `links` are those of the KPIs that judge it.
    #[must_use]
    pub fn of_touchpoint(
        whole: &Whole,
        gone: TouchpointId,
        steps: &[Step],
        links: &[kpi_link::Model],
    ) -> Self {
        let canvas = &whole.canvas;
        let broken = canvas.transitions.iter().filter(|row| {
            row.from_touchpoint_id == Some(gone) || row.to_touchpoint_id == Some(gone)
        });
        let before = Flow::of(canvas);
        let after = canvas.place(gone).map(|place| before.without(place));
        let newly = |found: fn(&Flow<'_>) -> BTreeSet<TouchpointId>| -> Vec<TouchpointId> {
            let after = after.as_ref().map(found).unwrap_or_default();
            let mut newly = &after - &found(&before);
            newly.remove(&gone);
            newly.into_iter().collect()
        };
        let shortened = whole.scenarios.iter().filter(|row| {
            let steps = whole.steps.get(&row.id);
            steps.is_some_and(|steps| steps.contains(&gone))
        });
        let known = whole.insights.iter();
        Self {
            transitions_broken: broken.map(|row| row.id).collect(),
            newly_unreachable: newly(|flow| flow.unreachable().iter().map(|row| row.id).collect()),
            new_dead_ends: newly(|flow| flow.dead_ends().iter().map(|row| row.id).collect()),
            scenarios_shortened: shortened.map(|row| row.id).collect(),
            insights_gone: known
                .filter(|row| row.touchpoint_id == Some(gone))
                .map(|row| row.id)
                .collect(),
            kpis_hanging: only_at(links, &BTreeSet::from([gone])),
            ..Self::of_steps(steps)
        }
    }

    fn of_steps(steps: &[Step]) -> Self {
        let mut impact = Self::default();
        for step in steps {
            match step {
                Step::End(row, After::Nothing) => impact.responsibilities_ended.push(row.id),
                Step::End(row, After::Successor) => {
                    impact.responsibilities_handed_over.push(row.id);
                }
                Step::End(row, After::Merged) => impact.responsibilities_merged.push(row.id),
                Step::Decline(row, _) => impact.proposals_closed.push(row.id),
                Step::Address(row) | Step::Speak(row) | Step::Replace(row, _) => {
                    impact.proposals_readdressed.push(row.id);
                }
                Step::Accept(..) | Step::Merge(..) => {}
            }
        }
        impact.proposals_readdressed.sort_unstable();
        impact.proposals_readdressed.dedup();
        impact
    }

    fn tell_lost(&mut self, holdings: &Holdings, steps: &[Step]) {
        let lost = |role| -> BTreeSet<TouchpointId> {
            let ended = ended(steps).filter(|row| row.role == role);
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

    /// Notes what the checks of the act refuse as what stands in its way.
    pub(super) fn hindered_by<const N: usize>(mut self, checks: [Result<()>; N]) -> Result<Self> {
        for refused in checks.into_iter().filter_map(Result::err) {
            self.obstacles.extend(refused.into_user_errors()?);
        }
        Ok(self)
    }
}

/// What ends without anybody who takes it over.
fn ended(steps: &[Step]) -> impl Iterator<Item = &responsibility::Model> {
    steps.iter().filter_map(|step| match step {
        Step::End(row, After::Nothing) => Some(row),
        _ => None,
    })
}

/// The touchpoints that nobody delivers any more.
fn undelivered(holdings: &Holdings, steps: &[Step]) -> BTreeSet<TouchpointId> {
    let lost = ended(steps).filter(|row| delivers(row.role));
    let lost: BTreeSet<TouchpointId> = lost.map(|row| row.touchpoint_id).collect();
    let beside = holdings.beside.iter();
    let delivered: BTreeSet<TouchpointId> = beside.map(|row| row.touchpoint_id).collect();
    &lost - &delivered
}

/// The KPIs that judge these touchpoints and nothing else.
fn only_at(links: &[kpi_link::Model], gone: &BTreeSet<TouchpointId>) -> Vec<KpiId> {
    let mut only: BTreeMap<KpiId, bool> = BTreeMap::new();
    for link in links {
        let goes = link.touchpoint_id.is_some_and(|id| gone.contains(&id));
        *only.entry(link.kpi_id).or_insert(true) &= goes;
    }
    let only = only.into_iter().filter(|(_, only)| *only);
    only.map(|(kpi, _)| kpi).collect()
}
