//! Small canvases for tests, without a database.

use std::{collections::HashMap, sync::OnceLock};

use chrono::{DateTime, Utc};
use entity::{
    blueprint, department,
    id::{BlueprintId, DepartmentId, PhaseId, TouchpointId},
    json::Texts,
    persona, phase, responsibility, touchpoint, transition,
    words::{
        Basis, BlueprintState, BlueprintStatus, End, ResponsibilityStatus, Role, Stage, Subject,
        TransitionKind, Usage, Visibility,
    },
};
use uuid::Uuid;

use super::model::Canvas;
use crate::fields;

/// A side of a transition: a touchpoint by its number, or an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    At(usize),
    End(End),
}

fn uuid(kind: u128, number: usize) -> Uuid {
    Uuid::from_u128((kind << 64) + number as u128)
}

fn touchpoint_id(number: usize) -> TouchpointId {
    uuid(3, number).into()
}

/// A canvas with phases of these stages, touchpoints `T0`, `T1`, … in the phases by number, and these transitions.
/// The phases of the touchpoints must not fall.
pub(crate) fn canvas(
    stages: &[Stage],
    touchpoints: &[usize],
    edges: &[(Side, Side, TransitionKind)],
) -> Canvas {
    let blueprint_id: BlueprintId = uuid(1, 0).into();
    let at = DateTime::<Utc>::UNIX_EPOCH;
    let phase_id = |number: usize| PhaseId::from(uuid(2, number));
    let persona = persona::Model {
        id: uuid(5, 0).into(),
        key: "p".to_owned(),
        name: "Somebody".to_owned(),
        subject: Subject::Customer,
        context: Texts::default(),
        max_contacts_per_month: None,
        created_at: at,
        archived_at: None,
        version: 1,
    };
    let blueprint = blueprint::Model {
        id: blueprint_id,
        key: "b".to_owned(),
        title: "A journey".to_owned(),
        subject: Subject::Customer,
        state: BlueprintState::Current,
        status: BlueprintStatus::Published,
        archived_from: None,
        visibility: Visibility::Organisation,
        persona_id: persona.id,
        owner_department_id: uuid(6, 0).into(),
        next_review_on: None,
        sent_back_reason: None,
        published_number: Some(1),
        published_revision: Some(1),
        created_at: at,
        template_id: None,
        copied_from_id: None,
        archived_at: None,
        version: 1,
        revision: 1,
    };
    let phases = stages.iter().zip(0..).map(|(stage, number)| phase::Model {
        id: phase_id(number),
        blueprint_id,
        key: format!("P{number}"),
        name: format!("Phase {number}"),
        position: i32::try_from(number).expect("a few") + 1,
        stage: *stage,
        customer_goal: None,
        timing: None,
        prompt: None,
        created_at: at,
        copied_from_id: None,
        archived_at: None,
        version: 1,
    });
    let touchpoints = touchpoints.iter().zip(0..);
    let touchpoints = touchpoints.map(|(phase, number)| touchpoint::Model {
        key: format!("T{number}"),
        name: format!("Step {number}"),
        position: i32::try_from(number).expect("a few") + 1,
        usage: Usage::Used,
        basis: Basis::Observed,
        ..fields::touchpoint::initial_touchpoint(
            touchpoint_id(number),
            (blueprint_id, phase_id(*phase)),
            at,
        )
    });
    let transitions = edges.iter().zip(0..).map(|((from, to, kind), number)| {
        let there = |side: Side| match side {
            Side::At(number) => Some(touchpoint_id(number)),
            Side::End(_) => None,
        };
        let end = match (*from, *to) {
            (Side::End(end), _) | (_, Side::End(end)) => Some(end),
            _ => None,
        };
        transition::Model {
            id: uuid(4, number).into(),
            blueprint_id,
            kind: *kind,
            end,
            from_touchpoint_id: there(*from),
            to_touchpoint_id: there(*to),
            condition: None,
            max_wait_minutes: None,
            basis: Basis::Observed,
            created_at: at,
            version: 1,
        }
    });
    Canvas {
        blueprint,
        persona,
        needs: Vec::new(),
        phases: phases.collect(),
        touchpoints: touchpoints.collect(),
        transitions: transitions.collect(),
        responsibilities: Vec::new(),
        links: Vec::new(),
        departments: HashMap::new(),
        kpis: HashMap::new(),
        channels: HashMap::new(),
        of_phase: HashMap::new(),
        of_touchpoint: HashMap::new(),
        graph: OnceLock::new(),
    }
    .sort_and_index()
}

/// The canvas with these departments taking part.
pub(crate) fn with_departments(
    canvas: Canvas,
    departments: HashMap<DepartmentId, department::Model>,
) -> Canvas {
    Canvas {
        departments,
        ..canvas
    }
}

/// A responsibility that was accepted, with an id of this number.
pub(crate) fn accepted_responsibility(
    number: usize,
    touchpoint_id: TouchpointId,
    department_id: DepartmentId,
    role: Role,
) -> responsibility::Model {
    responsibility::Model {
        id: uuid(7, number).into(),
        blueprint_id: uuid(1, 0).into(),
        touchpoint_id,
        department_id,
        role,
        status: ResponsibilityStatus::Accepted,
        tasks: Texts::default(),
        person_id: None,
        note: None,
        proposed_by_department_id: None,
        proposed_by_account_id: None,
        proposed_from_department_id: None,
        proposed_at: DateTime::<Utc>::UNIX_EPOCH,
        replaces_id: None,
        reason: None,
        decided_at: None,
        decided_by_account_id: None,
        valid_from: None,
        valid_to: None,
        handed_over_at: None,
        handed_over_by_account_id: None,
        unasked: false,
        resumes_id: None,
        created_at: DateTime::<Utc>::UNIX_EPOCH,
        version: 1,
    }
}
