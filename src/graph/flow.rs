//! How people move through a blueprint, in the API: it only shows what the graph of its transitions says.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{Context, ID, Object, SimpleObject};
use entity::{
    id::{DepartmentId, TouchpointId},
    touchpoint, transition,
};

use crate::{
    canvas::{Canvas, flow},
    compute::WorkBudget,
    department::graphql::Department,
    error::{Error, Result},
    input,
    meter::{BudgetCharged, BudgetChargedList, metered_list},
    payload::caller,
    touchpoint::graphql::{Touchpoint, Transition},
};

/// Transitions of a way at most, unless said.
const LONGEST: usize = 20;

/// How people move through a blueprint: its transitions as a graph. Work that ENABLES a step is no movement.
pub(super) struct BlueprintFlow(pub Arc<Canvas>);

/// A loop: touchpoints of which each can be reached from every other.
#[derive(SimpleObject)]
pub(super) struct Loop {
    /// The touchpoints, in order of display.
    touchpoints: BudgetChargedList<Touchpoint>,
}

/// The hand-offs from one accountable department to another.
#[derive(SimpleObject)]
pub(super) struct HandOff {
    /// The department accountable at the touchpoints that people come from.
    from: Department,
    /// The department accountable at the touchpoints that they go to.
    to: Department,
    /// Number of transitions with this hand-off.
    count: usize,
    /// The transitions with this hand-off, in the order of creation.
    transitions: BudgetChargedList<Transition>,
}

/// Ways from one touchpoint to another.
#[derive(SimpleObject)]
pub(super) struct Ways {
    /// The ways, shorter ones first; at most 100.
    ways: BudgetChargedList<Way>,
    /// Whether there are, or may be, more ways than these.
    has_more: bool,
}

/// A way from one touchpoint to another that passes no touchpoint twice.
#[derive(SimpleObject)]
pub(super) struct Way {
    /// The transitions, in order. A way may lead to a competitor and back.
    transitions: BudgetChargedList<Transition>,
}

impl BlueprintFlow {
    /// The graph, for one walk through it. A walk takes as many steps as there are places and transitions, 2,000 at the
    /// most, so about a tenth of a millisecond: it is done where it is asked for.
    fn charge_and_analyse(&self, ctx: &Context<'_>) -> Result<flow::FlowAnalysis<'_>> {
        let steps = self.0.touchpoints.len() + self.0.transitions.len();
        caller(ctx)?.budget.spend(steps as u64)?;
        Ok(flow::FlowAnalysis::new(&self.0))
    }

    fn list_touchpoints(&self, rows: Vec<&touchpoint::Model>) -> BudgetChargedList<Touchpoint> {
        let rows = rows.into_iter();
        metered_list(rows.map(|row| Touchpoint::from_canvas(row, &self.0)))
    }

    fn list_transitions(&self, rows: Vec<&transition::Model>) -> BudgetChargedList<Transition> {
        let rows = rows.into_iter();
        metered_list(rows.map(|row| Transition::from_canvas(row, &self.0)))
    }

    fn find_department(&self, id: DepartmentId) -> Result<Department> {
        let row = self.0.department(id);
        let row = row.ok_or_else(|| Error::internal(format!("{id} is not on the canvas")))?;
        Ok(row.clone().into())
    }

    fn touchpoint_index(&self, field: &str, id: &ID) -> Result<usize> {
        let id: TouchpointId = input::parse_id(field, id)?;
        let place = self.0.index_of_touchpoint(id);
        place.ok_or_else(|| Error::not_found(field, "touchpoint in this blueprint"))
    }
}

/// The movement of people through a blueprint: its transitions as a graph. Those of kind ENABLES are left out, except
/// for hand-offs.
#[Object(name = "Flow")]
impl BlueprintFlow {
    /// The loops, in order of display. Ends of the graph belong to none.
    #[graphql(complexity = "10 * child_complexity")]
    async fn loops(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Loop>> {
        let loops = self.charge_and_analyse(ctx)?.loops().into_iter();
        Ok(metered_list(loops.map(|rows| Loop {
            touchpoints: self.list_touchpoints(rows),
        })))
    }

    /// Transitions of kind BACKTRACK, and those that lead back to an earlier phase.
    #[graphql(complexity = "10 * child_complexity")]
    async fn backtracks(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Transition>> {
        Ok(self.list_transitions(self.charge_and_analyse(ctx)?.backtracks()))
    }

    /// Transitions of kind SKIP, and those that pass over a whole phase.
    #[graphql(complexity = "10 * child_complexity")]
    async fn skips(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Transition>> {
        Ok(self.list_transitions(self.charge_and_analyse(ctx)?.skips()))
    }

    /// Transitions by which people leave the journey.
    #[graphql(complexity = "10 * child_complexity")]
    async fn exits(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Transition>> {
        Ok(self.list_transitions(self.charge_and_analyse(ctx)?.exits()))
    }

    /// Transitions by which people come back into it.
    #[graphql(complexity = "10 * child_complexity")]
    async fn re_entries(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Transition>> {
        Ok(self.list_transitions(self.charge_and_analyse(ctx)?.re_entries()))
    }

    /// Touchpoints that people reach and that no transition leaves, not even out of the journey.
    #[graphql(complexity = "10 * child_complexity")]
    async fn dead_ends(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Touchpoint>> {
        Ok(self.list_touchpoints(self.charge_and_analyse(ctx)?.dead_ends()))
    }

    /// Touchpoints that no way reaches from START or a re-entry, and that enable no step that people reach. Empty if no
    /// transition enters the journey.
    #[graphql(complexity = "10 * child_complexity")]
    async fn unreachable(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Touchpoint>> {
        Ok(self.list_touchpoints(self.charge_and_analyse(ctx)?.unreachable()))
    }

    /// Hand-offs: transitions, those of kind ENABLES among them, between touchpoints whose accountable departments are
    /// known and differ, grouped by both departments. Steps of lane CUSTOMER where nobody is accountable are passed;
    /// the transitions are then those that arrive at the second department.
    #[graphql(complexity = "10 * child_complexity")]
    async fn hand_offs(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<HandOff>> {
        // Besides, a walk along the transitions for each department that takes part; ten transitions cost a step.
        let departments = self.0.responsibilities.iter();
        let departments: BTreeSet<_> = departments.map(|held| held.department_id).collect();
        let walks = departments.len() * self.0.transitions.len();
        caller(ctx)?.budget.spend((walks / 10) as u64)?;
        let found = self.charge_and_analyse(ctx)?.hand_offs().into_iter();
        found
            .map(|found| {
                Ok(BudgetCharged(HandOff {
                    from: self.find_department(found.from)?,
                    to: self.find_department(found.to)?,
                    count: found.transitions.len(),
                    transitions: self.list_transitions(found.transitions),
                }))
            })
            .collect()
    }

    /// The touchpoints that every way from START to a phase of stage GOAL passes, in that order; the last is the one by
    /// which all ways reach the goal. A way may lead to a competitor and back.
    #[graphql(complexity = "10 * child_complexity")]
    async fn must_pass(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Touchpoint>> {
        Ok(self.list_touchpoints(self.charge_and_analyse(ctx)?.unavoidable_touchpoints()))
    }

    /// The ways from one touchpoint of the blueprint to another that pass no touchpoint twice.
    #[graphql(complexity = "500 + 10 * child_complexity")]
    async fn ways(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the touchpoint where the ways begin.")] from: ID,
        #[graphql(desc = "Id of the touchpoint where the ways end.")] to: ID,
        #[graphql(desc = "Largest number of transitions in a way, from 1; 20 if absent.")] longest: Option<
            i32,
        >,
    ) -> Result<Ways> {
        let from = self.touchpoint_index("from", &from)?;
        let to = self.touchpoint_index("to", &to)?;
        let longest = longest.map_or(LONGEST, |longest| usize::try_from(longest).unwrap_or(0));
        let canvas = Arc::clone(&self.0);
        let work = move |steps: &WorkBudget| {
            flow::FlowAnalysis::new(&canvas).find_ways_between(from, to, longest, steps)
        };
        let found = caller(ctx)?.run_on_compute_pool(work).await?;
        let rows = |way: Vec<usize>| {
            let rows = way.into_iter();
            rows.filter_map(|at| self.0.transitions.get(at)).collect()
        };
        let ways = found.ways.into_iter().map(|way| Way {
            transitions: self.list_transitions(rows(way)),
        });
        Ok(Ways {
            ways: metered_list(ways),
            has_more: found.more,
        })
    }
}
