//! The rules of taking over, case by case.

use chrono::DateTime;
use entity::{
    blueprint,
    json::Texts,
    words::{BlueprintState, BlueprintStatus, Role, Subject, Visibility},
};
use uuid::Uuid;

use super::*;
use crate::canvas::sample::accepted_responsibility;

const OLD: u128 = 1;
const NEW: u128 = 2;
const OTHER: u128 = 3;

fn department(n: u128) -> DepartmentId {
    Uuid::from_u128(n).into()
}

fn responsibility(
    n: u128,
    of: u128,
    role: Role,
    status: ResponsibilityStatus,
) -> responsibility::Model {
    responsibility::Model {
        id: Uuid::from_u128(n).into(),
        blueprint_id: Uuid::from_u128(1).into(),
        status,
        tasks: Texts(vec![format!("task {n}")]),
        ..accepted_responsibility(0, Uuid::from_u128(1).into(), department(of), role)
    }
}

fn blueprint(state: BlueprintState, status: BlueprintStatus) -> blueprint::Model {
    blueprint::Model {
        id: Uuid::from_u128(1).into(),
        key: "b".to_owned(),
        title: "A journey".to_owned(),
        subject: Subject::Customer,
        state,
        status,
        archived_from: None,
        visibility: Visibility::Organisation,
        persona_id: Uuid::from_u128(1).into(),
        owner_department_id: department(OTHER),
        next_review_on: None,
        sent_back_reason: None,
        published_number: None,
        published_revision: None,
        created_at: DateTime::UNIX_EPOCH,
        template_id: None,
        copied_from_id: None,
        archived_at: None,
        version: 1,
        revision: 1,
    }
}

fn tasks(numbers: &[u128]) -> Vec<String> {
    let numbers = numbers.iter();
    numbers.map(|n| format!("task {n}")).collect()
}

use ResponsibilityStatus::{Accepted, Proposed};

#[test]
fn what_is_in_force_ends_and_is_accepted_anew() {
    let held = responsibility(1, OLD, Role::Accountable, Accepted);
    let rival = responsibility::Model {
        replaces_id: Some(held.id),
        ..responsibility(2, OTHER, Role::Accountable, Proposed)
    };
    let holdings = Holdings {
        held: vec![held.clone()],
        rivals: vec![rival.clone()],
        ..Holdings::default()
    };
    let plan = [
        ResponsibilityPlanStep::End(held.clone(), AfterResponsibilityEnd::Successor),
        ResponsibilityPlanStep::Accept(held.clone(), tasks(&[1])),
        ResponsibilityPlanStep::ChangeReplaced(rival, held.id),
    ];
    assert_eq!(holdings.plan_steps(Some(department(NEW))), plan);
}

#[test]
fn duplicates_merge() {
    let held = responsibility(1, OLD, Role::Responsible, Accepted);
    let own = responsibility(2, NEW, Role::Responsible, Accepted);
    let holdings = Holdings {
        held: vec![held.clone()],
        met: vec![own.clone()],
        ..Holdings::default()
    };
    let plan = [
        ResponsibilityPlanStep::End(held, AfterResponsibilityEnd::Merged),
        ResponsibilityPlanStep::Merge(own, tasks(&[2, 1])),
    ];
    assert_eq!(holdings.plan_steps(Some(department(NEW))), plan);
}

#[test]
fn what_the_successor_was_offered_gives_way_to_what_it_takes_over() {
    let held = responsibility(1, OLD, Role::Accountable, Accepted);
    let offered = responsibility::Model {
        replaces_id: Some(held.id),
        ..responsibility(2, NEW, Role::Accountable, Proposed)
    };
    let holdings = Holdings {
        held: vec![held.clone()],
        rivals: vec![offered.clone()],
        met: vec![offered.clone()],
        ..Holdings::default()
    };
    let plan = [
        ResponsibilityPlanStep::End(held.clone(), AfterResponsibilityEnd::Successor),
        ResponsibilityPlanStep::Decline(offered, TAKEN),
        ResponsibilityPlanStep::Accept(held, tasks(&[1])),
    ];
    assert_eq!(holdings.plan_steps(Some(department(NEW))), plan);
}

#[test]
fn what_several_hold_of_one_role_becomes_one_of_the_successor() {
    let (first, second) = (
        responsibility(1, OLD, Role::Responsible, Accepted),
        responsibility(2, OTHER, Role::Responsible, Accepted),
    );
    let holdings = Holdings {
        held: vec![first.clone(), second.clone()],
        ..Holdings::default()
    };
    let plan = [
        ResponsibilityPlanStep::End(first.clone(), AfterResponsibilityEnd::Successor),
        ResponsibilityPlanStep::End(second, AfterResponsibilityEnd::Merged),
        ResponsibilityPlanStep::Accept(first, tasks(&[1, 2])),
    ];
    assert_eq!(holdings.plan_steps(Some(department(NEW))), plan);
}

#[test]
fn what_several_are_offered_of_one_role_is_offered_to_the_successor_once_or_not_where_one_holds_it()
{
    let (first, second) = (
        responsibility(1, OLD, Role::Accountable, Proposed),
        responsibility(2, OTHER, Role::Accountable, Proposed),
    );
    let offered = Holdings {
        held: vec![first.clone(), second.clone()],
        ..Holdings::default()
    };
    let plan = [
        ResponsibilityPlanStep::ChangeAddressee(first.clone()),
        ResponsibilityPlanStep::Decline(second, TAKEN),
    ];
    assert_eq!(offered.plan_steps(Some(department(NEW))), plan);
    let held = responsibility(2, OTHER, Role::Accountable, Accepted);
    let holdings = Holdings {
        held: vec![first.clone(), held.clone()],
        ..Holdings::default()
    };
    let plan = [
        ResponsibilityPlanStep::End(held.clone(), AfterResponsibilityEnd::Successor),
        ResponsibilityPlanStep::Accept(held, tasks(&[2])),
        ResponsibilityPlanStep::Decline(first, TAKEN),
    ];
    assert_eq!(holdings.plan_steps(Some(department(NEW))), plan);
}

#[test]
fn proposals_are_addressed_anew_or_closed() {
    let first = responsibility(1, OLD, Role::Consulted, Proposed);
    let second = responsibility(2, OLD, Role::Informed, Proposed);
    let met = responsibility(3, NEW, Role::Informed, Proposed);
    let made = responsibility(4, OTHER, Role::Responsible, Proposed);
    let made_to_successor = responsibility(5, NEW, Role::Responsible, Proposed);
    let holdings = Holdings {
        held: vec![first.clone(), second.clone()],
        met: vec![met],
        made: vec![made.clone(), made_to_successor],
        ..Holdings::default()
    };
    let plan = [
        ResponsibilityPlanStep::ChangeAddressee(first),
        ResponsibilityPlanStep::Decline(second, TAKEN),
        ResponsibilityPlanStep::ChangeProposer(made),
    ];
    assert_eq!(holdings.plan_steps(Some(department(NEW))), plan);
}

#[test]
fn only_what_counts_needs_a_successor_and_the_rest_is_let_go() {
    let held = responsibility(1, OLD, Role::Responsible, Accepted);
    let asked = responsibility(2, OLD, Role::Accountable, Proposed);
    let within = |blueprint: blueprint::Model| Holdings {
        held: vec![held.clone(), asked.clone()],
        blueprints: [(blueprint.id, blueprint)].into(),
        ..Holdings::default()
    };
    assert!(
        within(blueprint(
            BlueprintState::Current,
            BlueprintStatus::Published
        ))
        .needs_successor()
    );
    assert!(!within(blueprint(BlueprintState::Current, BlueprintStatus::Draft)).needs_successor());
    assert!(
        !within(blueprint(
            BlueprintState::Future,
            BlueprintStatus::Published
        ))
        .needs_successor()
    );
    assert!(!Holdings::default().needs_successor());
    assert_eq!(
        within(blueprint(BlueprintState::Current, BlueprintStatus::Draft)).plan_steps(None),
        [
            ResponsibilityPlanStep::End(held.clone(), AfterResponsibilityEnd::Nothing),
            ResponsibilityPlanStep::Decline(asked.clone(), DEPARTMENT_ARCHIVED)
        ]
    );
}
