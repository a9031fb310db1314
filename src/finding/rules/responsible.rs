//! Rules about who delivers: nobody, a partner, too many, one with too much on its hands.

use std::collections::HashMap;

use entity::{
    id::DepartmentId,
    touchpoint,
    words::{DepartmentKind, Lane, ResponsibilityStatus, Role},
};

use super::{
    context::RuleContext,
    table::FindingCode,
    violation::{FindingSubject, Violations, quote},
};
use crate::{
    canvas::{Canvas, find_accountable_responsibility},
    responsibility::in_force::is_delivering,
};

/// The number of departments that have accepted a role at a touchpoint.
fn count_departments_holding(canvas: &Canvas, touchpoint: &touchpoint::Model, role: Role) -> usize {
    let held = canvas.responsibilities_of_touchpoint(touchpoint.id).iter();
    held.filter(|held| held.role == role && held.status == ResponsibilityStatus::Accepted)
        .count()
}

/// Touchpoints that nobody answers for, or does.
pub(super) fn add_missing_role_violations(canvas: &Canvas, found: &mut Violations) {
    let delivered = canvas.touchpoints.iter();
    for row in delivered.filter(|row| row.lane != Lane::Customer) {
        let name = quote(&row.name);
        if count_departments_holding(canvas, row, Role::Accountable) == 0 {
            let sentence = format!("Nobody is accountable for {name}.");
            found.add(
                FindingCode::NobodyAccountable,
                FindingSubject::of_touchpoint(row),
                sentence,
            );
        }
        if count_departments_holding(canvas, row, Role::Responsible) == 0 {
            let sentence = format!("Nobody is responsible for doing {name}.");
            found.add(
                FindingCode::NobodyResponsible,
                FindingSubject::of_touchpoint(row),
                sentence,
            );
        }
    }
}

pub(super) fn add_responsibility_violations(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    add_missing_role_violations(canvas, found);
    let most_consulted = context.threshold(FindingCode::TooManyConsulted);
    for row in &canvas.touchpoints {
        add_accountable_partner_violation(canvas, row, found);
        let consulted = count_departments_holding(canvas, row, Role::Consulted);
        if as_number(consulted) > most_consulted {
            let sentence = format!(
                "{consulted} departments are consulted at {}.",
                quote(&row.name)
            );
            found.add(
                FindingCode::TooManyConsulted,
                FindingSubject::of_touchpoint(row),
                sentence,
            );
        }
    }
    add_overload_violations(context, found);
}

fn add_accountable_partner_violation(
    canvas: &Canvas,
    row: &touchpoint::Model,
    found: &mut Violations,
) {
    let held = find_accountable_responsibility(canvas.responsibilities_of_touchpoint(row.id));
    let department = held.and_then(|held| canvas.department(held.department_id));
    if let Some(department) = department
        && department.kind == DepartmentKind::Partner
    {
        let subject = FindingSubject {
            department: Some(department.id),
            ..FindingSubject::of_touchpoint(row)
        };
        let sentence = format!(
            "{}, a partner, is accountable for {}.",
            quote(&department.name),
            quote(&row.name)
        );
        found.add(FindingCode::AccountableIsPartner, subject, sentence);
    }
}

fn add_overload_violations(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let mut here: HashMap<DepartmentId, usize> = HashMap::new();
    for held in &canvas.responsibilities {
        if is_delivering(held) {
            *here.entry(held.department_id).or_default() += 1;
        }
    }
    for (id, here) in here {
        let elsewhere = context.around.held_elsewhere.get(&id).copied();
        let held = here + elsewhere.unwrap_or_default();
        let Some(department) = canvas.department(id) else {
            continue;
        };
        if as_number(held) > context.threshold(FindingCode::DepartmentOverloaded) {
            let subject = FindingSubject {
                department: Some(id),
                ..FindingSubject::default()
            };
            let sentence = format!(
                "{} is responsible or accountable {held} times.",
                quote(&department.name)
            );
            found.add(FindingCode::DepartmentOverloaded, subject, sentence);
        }
    }
}

/// A number of things, to be held against a threshold.
pub(super) fn as_number(things: usize) -> f64 {
    u32::try_from(things).map_or(f64::INFINITY, f64::from)
}
