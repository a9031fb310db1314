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
    violation::{FindingSubject, Violations, quoted},
};
use crate::{
    canvas::{Canvas, accountable},
    responsibility::in_force::is_delivering,
};

/// The number of departments that have accepted a role at a touchpoint.
fn holding(canvas: &Canvas, touchpoint: &touchpoint::Model, role: Role) -> usize {
    let held = canvas.responsibilities_of(touchpoint.id).iter();
    held.filter(|held| held.role == role && held.status == ResponsibilityStatus::Accepted)
        .count()
}

/// Touchpoints that nobody answers for, or does.
pub(super) fn errors(canvas: &Canvas, found: &mut Violations) {
    let delivered = canvas.touchpoints.iter();
    for row in delivered.filter(|row| row.lane != Lane::Customer) {
        let name = quoted(&row.name);
        if holding(canvas, row, Role::Accountable) == 0 {
            let sentence = format!("Nobody is accountable for {name}.");
            found.add(
                FindingCode::NobodyAccountable,
                FindingSubject::at(row),
                sentence,
            );
        }
        if holding(canvas, row, Role::Responsible) == 0 {
            let sentence = format!("Nobody is responsible for doing {name}.");
            found.add(
                FindingCode::NobodyResponsible,
                FindingSubject::at(row),
                sentence,
            );
        }
    }
}

pub(super) fn find(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    errors(canvas, found);
    let most_consulted = context.threshold(FindingCode::TooManyConsulted);
    for row in &canvas.touchpoints {
        partner(canvas, row, found);
        let consulted = holding(canvas, row, Role::Consulted);
        if count(consulted) > most_consulted {
            let sentence = format!(
                "{consulted} departments are consulted at {}.",
                quoted(&row.name)
            );
            found.add(
                FindingCode::TooManyConsulted,
                FindingSubject::at(row),
                sentence,
            );
        }
    }
    overloaded(context, found);
}

fn partner(canvas: &Canvas, row: &touchpoint::Model, found: &mut Violations) {
    let held = accountable(canvas.responsibilities_of(row.id));
    let department = held.and_then(|held| canvas.department(held.department_id));
    if let Some(department) = department
        && department.kind == DepartmentKind::Partner
    {
        let place = FindingSubject {
            department: Some(department.id),
            ..FindingSubject::at(row)
        };
        let sentence = format!(
            "{}, a partner, is accountable for {}.",
            quoted(&department.name),
            quoted(&row.name)
        );
        found.add(FindingCode::AccountableIsPartner, place, sentence);
    }
}

fn overloaded(context: &RuleContext<'_>, found: &mut Violations) {
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
        if count(held) > context.threshold(FindingCode::DepartmentOverloaded) {
            let place = FindingSubject {
                department: Some(id),
                ..FindingSubject::default()
            };
            let sentence = format!(
                "{} is responsible or accountable {held} times.",
                quoted(&department.name)
            );
            found.add(FindingCode::DepartmentOverloaded, place, sentence);
        }
    }
}

/// A number of things, to be held against a threshold.
pub(super) fn count(things: usize) -> f64 {
    u32::try_from(things).map_or(f64::INFINITY, f64::from)
}
