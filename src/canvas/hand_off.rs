//! Hand-offs: where one accountable department stops and another begins.

use std::collections::BTreeMap;

use entity::{id::DepartmentId, transition, words::Lane};

use super::{flow::FlowAnalysis, model::find_accountable_responsibility};

/// The transitions by which one accountable department takes over from another.
#[derive(Clone, Debug)]
pub struct DepartmentHandOff<'c> {
    pub from: DepartmentId,
    pub to: DepartmentId,
    /// Those that arrive at the second department, in the order of creation.
    pub transitions: Vec<&'c transition::Model>,
}

impl<'c> FlowAnalysis<'c> {
    /// The hand-offs: transitions, those of kind ENABLES among them, between touchpoints whose accountable departments
    /// are known and differ. Steps of lane CUSTOMER where nobody is accountable are passed: who was accountable before
    /// them hands over to who is so after them. By both departments, in the order of the first of each.
    #[must_use]
    pub fn hand_offs(&self) -> Vec<DepartmentHandOff<'c>> {
        let accountable = self.accountable_departments();
        let before = self.departments_before_customer_steps(&accountable);
        let mut found: Vec<DepartmentHandOff<'c>> = Vec::new();
        let mut at: BTreeMap<(DepartmentId, DepartmentId), usize> = BTreeMap::new();
        for edge in self.edges() {
            let Some((from, to)) = edge.joined_touchpoints() else {
                continue;
            };
            let Some(receiving) = accountable[to] else {
                continue;
            };
            let passed = before.get(&from).filter(|_| !edge.is_enabling());
            let giving = accountable[from]
                .into_iter()
                .chain(passed.into_iter().flatten().copied());
            for from in giving.filter(|from| *from != receiving) {
                // An index into a list and not the map's own order: hand-offs are told in the order of their first
                // transition.
                let place = *at.entry((from, receiving)).or_insert_with(|| {
                    found.push(DepartmentHandOff {
                        from,
                        to: receiving,
                        transitions: Vec::new(),
                    });
                    found.len() - 1
                });
                found[place].transitions.push(self.transition(edge));
            }
        }
        found
    }

    fn accountable_departments(&self) -> Vec<Option<DepartmentId>> {
        let touchpoints = self.canvas().touchpoints.iter();
        touchpoints
            .map(|row| {
                let held = self.canvas().responsibilities_of_touchpoint(row.id);
                find_accountable_responsibility(held).map(|held| held.department_id)
            })
            .collect()
    }

    /// For each step of the customer alone where nobody is accountable: the departments that people come from, perhaps
    /// over further such steps. One walk for each department.
    fn departments_before_customer_steps(
        &self,
        accountable: &[Option<DepartmentId>],
    ) -> BTreeMap<usize, Vec<DepartmentId>> {
        let alone = |at: usize| {
            let step = self.canvas().touchpoints.get(at);
            accountable[at].is_none() && step.is_some_and(|row| row.lane == Lane::Customer)
        };
        let moves = self.edges().iter().filter(|edge| !edge.is_enabling());
        let mut onward: Vec<Vec<usize>> = vec![Vec::new(); accountable.len()];
        for (from, to) in moves.filter_map(|edge| edge.joined_touchpoints()) {
            if alone(to) {
                onward[from].push(to);
            }
        }
        let mut steps: BTreeMap<DepartmentId, Vec<usize>> = BTreeMap::new();
        for (at, department) in accountable.iter().enumerate() {
            if let Some(department) = department {
                steps.entry(*department).or_default().push(at);
            }
        }
        let mut before: BTreeMap<usize, Vec<DepartmentId>> = BTreeMap::new();
        for (department, mut next) in steps {
            let mut met = vec![false; accountable.len()];
            while let Some(at) = next.pop() {
                for to in &onward[at] {
                    if !std::mem::replace(&mut met[*to], true) {
                        before.entry(*to).or_default().push(department);
                        next.push(*to);
                    }
                }
            }
        }
        before
    }
}
