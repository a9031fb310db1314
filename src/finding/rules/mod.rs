//! The rules: what a blueprint can get wrong. Pure functions over a whole blueprint, linear in its size.
//!
//! [`table`] lists every rule with its code, severity, sentence and threshold. Five files apply them, one per question:
//! who is [`responsible`], what is [`measured`], whether the [`journey`] holds together, what it means for the
//! [`customer`], and what the [`knowledge`] of it rests on. Each takes a [`RuleContext`] and adds a [`Violation`] for
//! each breach; its fingerprint is a hash of the code and the ids that it is about, so that renaming or moving a
//! touchpoint opens no new finding:
//!
//! ```text
//! NOBODY_ACCOUNTABLE at touchpoint 0197… ─► fingerprint 5c1f… ─► open since, dismissed by (table `finding`)
//! ```
//!
//! The rules know nobody's permissions: whoever may not see a thing hands in a blueprint without it. When findings
//! opened, and who dismissed them, is noted outside, in `finding`.

mod context;
mod customer;
mod journey;
mod knowledge;
mod measured;
mod responsible;
mod table;
mod violation;

use std::collections::{HashMap, HashSet};

use entity::{department, id::DepartmentId};

use self::{
    context::RuleContext,
    violation::{Violations, quote},
};
pub use self::{
    context::{RuleOptions, Surroundings},
    table::{FindingCode, Rule, Severity, Threshold, Thresholds},
    violation::{FindingSubject, Violation},
};
use crate::{canvas::Canvas, snapshot::WholeBlueprint};

/// The flaws of a blueprint: the gravest first, then in the order of the table and of display.
#[must_use]
pub fn find_violations(
    snapshot: &WholeBlueprint,
    around: &Surroundings,
    options: &RuleOptions<'_>,
) -> Vec<Violation> {
    let context = RuleContext {
        snapshot,
        around,
        options,
    };
    let mut found = Violations::new(Some(snapshot.canvas.blueprint.id));
    journey::add_emptiness_violation(context.canvas(), &mut found);
    responsible::add_responsibility_violations(&context, &mut found);
    measured::add_kpi_violations(&context, &mut found);
    journey::add_journey_violations(&context, &mut found);
    customer::add_customer_violations(&context, &mut found);
    knowledge::add_knowledge_violations(&context, &mut found);
    let canvas = &snapshot.canvas;
    let mut findings = found.findings;
    findings.sort_by_cached_key(|finding| {
        let at = finding
            .subject
            .touchpoint
            .and_then(|id| canvas.index_of_touchpoint(id));
        (finding.code.severity(), finding.code, at, finding.subject)
    });
    findings
}

/// The flaws that prevent publishing: of rules of severity ERROR, which need nothing but the canvas.
#[must_use]
pub fn find_error_violations(canvas: &Canvas) -> Vec<Violation> {
    let mut found = Violations::new(Some(canvas.blueprint.id));
    journey::add_emptiness_violation(canvas, &mut found);
    responsible::add_missing_role_violations(canvas, &mut found);
    found.findings
}

/// The flaws of the organisation as a whole: departments that hold no role, nor any department below them, and answers
/// on the organisation that nobody looks after.
#[must_use]
pub fn find_organisation_violations(
    departments: &[department::Model],
    holding: &HashSet<DepartmentId>,
    unroutable: usize,
) -> Vec<Violation> {
    let parents: HashMap<DepartmentId, Option<DepartmentId>> = departments
        .iter()
        .map(|row| (row.id, row.parent_id))
        .collect();
    let mut with_role: HashSet<DepartmentId> = HashSet::new();
    for holder in holding {
        let mut next = Some(*holder);
        while let Some(id) = next.filter(|id| with_role.insert(*id)) {
            next = parents.get(&id).copied().flatten();
        }
    }
    let mut found = Violations::new(None);
    if unroutable > 0 {
        let subject = FindingSubject::default();
        let place = "on the organisation as a whole";
        customer::add_unroutable_violation(&mut found, subject, unroutable, place);
    }
    for row in departments.iter().filter(|row| row.archived_at.is_none()) {
        if !with_role.contains(&row.id) {
            let subject = FindingSubject {
                department: Some(row.id),
                ..FindingSubject::default()
            };
            let sentence = format!("{} holds no role in any journey.", quote(&row.name));
            found.add(FindingCode::DepartmentWithoutRole, subject, sentence);
        }
    }
    found.findings
}

#[cfg(test)]
mod tests;
