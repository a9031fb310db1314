//! Rules about who delivers: nobody, a partner, too many, one with too much on its hands.

use std::collections::HashMap;

use entity::{
    id::DepartmentId,
    touchpoint,
    words::{DepartmentKind, Lane, ResponsibilityStatus, Role},
};

use super::{Canvas, Code, Found, Place, Seen, quoted};
use crate::canvas::accountable;

/// How many departments have accepted a role at a touchpoint.
fn holding(canvas: &Canvas, touchpoint: &touchpoint::Model, role: Role) -> usize {
    let held = canvas.responsibilities_of(touchpoint.id).iter();
    held.filter(|held| held.role == role && held.status == ResponsibilityStatus::Accepted)
        .count()
}

/// Touchpoints that nobody answers for, or does.
pub(super) fn errors(canvas: &Canvas, found: &mut Found) {
    let delivered = canvas.touchpoints.iter();
    for row in delivered.filter(|row| row.lane != Lane::Customer) {
        let name = quoted(&row.name);
        if holding(canvas, row, Role::Accountable) == 0 {
            let sentence = format!("Nobody is accountable for {name}.");
            found.add(Code::NobodyAccountable, Place::at(row), sentence);
        }
        if holding(canvas, row, Role::Responsible) == 0 {
            let sentence = format!("Nobody is responsible for doing {name}.");
            found.add(Code::NobodyResponsible, Place::at(row), sentence);
        }
    }
}

pub(super) fn find(seen: &Seen<'_>, found: &mut Found) {
    let canvas = seen.canvas();
    errors(canvas, found);
    let most_consulted = seen.threshold(Code::TooManyConsulted);
    for row in &canvas.touchpoints {
        partner(canvas, row, found);
        let consulted = holding(canvas, row, Role::Consulted);
        if count(consulted) > most_consulted {
            let sentence = format!(
                "{consulted} departments are consulted at {}.",
                quoted(&row.name)
            );
            found.add(Code::TooManyConsulted, Place::at(row), sentence);
        }
    }
    overloaded(seen, found);
}

fn partner(canvas: &Canvas, row: &touchpoint::Model, found: &mut Found) {
    let held = accountable(canvas.responsibilities_of(row.id));
    let department = held.and_then(|held| canvas.department(held.department_id));
    if let Some(department) = department
        && department.kind == DepartmentKind::Partner
    {
        let place = Place {
            department: Some(department.id),
            ..Place::at(row)
        };
        let sentence = format!(
            "{}, a partner, is accountable for {}.",
            quoted(&department.name),
            quoted(&row.name)
        );
        found.add(Code::AccountableIsPartner, place, sentence);
    }
}

fn overloaded(seen: &Seen<'_>, found: &mut Found) {
    let canvas = seen.canvas();
    let mut here: HashMap<DepartmentId, usize> = HashMap::new();
    for held in &canvas.responsibilities {
        let delivers = matches!(held.role, Role::Responsible | Role::Accountable);
        if delivers && held.status == ResponsibilityStatus::Accepted {
            *here.entry(held.department_id).or_default() += 1;
        }
    }
    for (id, here) in here {
        let elsewhere = seen.around.held_elsewhere.get(&id).copied();
        let held = here + elsewhere.unwrap_or_default();
        let Some(department) = canvas.department(id) else {
            continue;
        };
        if count(held) > seen.threshold(Code::DepartmentOverloaded) {
            let place = Place {
                department: Some(id),
                ..Place::default()
            };
            let sentence = format!(
                "{} is responsible or accountable {held} times.",
                quoted(&department.name)
            );
            found.add(Code::DepartmentOverloaded, place, sentence);
        }
    }
}

/// A number of things, to be held against a threshold.
pub(super) fn count(things: usize) -> f64 {
    u32::try_from(things).map_or(f64::INFINITY, f64::from)
}
