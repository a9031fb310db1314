//! What a responsibility becomes, transition by transition.

use chrono::DateTime;
use entity::id::Id;
use uuid::Uuid;

use super::*;

fn act(days: i64) -> ActContext {
    ActContext {
        account: Some(Uuid::from_u128(9).into()),
        now: DateTime::UNIX_EPOCH + TimeDelta::days(days),
    }
}

fn department(n: u128) -> DepartmentId {
    Uuid::from_u128(n).into()
}

fn proposed(role: Role) -> Model {
    let offer = Offer {
        id: Uuid::from_u128(1).into(),
        blueprint: Uuid::from_u128(2).into(),
        touchpoint: Uuid::from_u128(3).into(),
        department: department(4),
        role,
        tasks: vec!["answer within a day".to_owned()],
        person: None,
        note: None,
    };
    let proposer = Proposer {
        account: None,
        on_behalf_of: Some(department(5)),
        seat: Some(department(6)),
    };
    propose(offer, proposer, Some(Uuid::from_u128(7).into()), act(0))
}

#[test]
fn a_proposal_knows_its_seat_and_only_of_accountable_whom_it_replaces() {
    let accountable = proposed(Role::Accountable);
    assert_eq!(accountable.proposed_from_department_id, Some(department(6)));
    assert!(accountable.replaces_id.is_some());
    assert!(proposed(Role::Informed).replaces_id.is_none());
}

#[test]
fn what_is_answered_is_not_answered_again() {
    let row = proposed(Role::Responsible);
    let accepted = accept(&row, act(1)).expect("it is open");
    assert_eq!(accepted.valid_from, Some(act(1).now));
    assert_eq!(accepted.decided_by_account_id, act(1).account);
    let declined = decline(&row, None, act(1)).expect("it is open");
    for done in [&accepted, &declined] {
        let again = LifecycleError::NotOpen(done.id, done.status);
        assert_eq!(accept(done, act(2)), Err(again));
        assert_eq!(agree_to_hand_over(done, act(2)), Err(again));
        assert_eq!(withdraw(done, act(2)), Err(again));
    }
    let ended = end(&accepted, None, act(2)).expect("it is in force");
    assert!(end(&ended, None, act(3)).is_err());
    assert!(end(&row, None, act(3)).is_err());
}

#[test]
fn only_what_was_given_unasked_is_confirmed_and_once() {
    let row = proposed(Role::Responsible);
    let asked = accept(&row, act(1)).expect("it is open");
    assert_eq!(
        confirm(&asked, act(2)),
        Err(LifecycleError::Asked(asked.id))
    );
    let given = accept_unasked(&row, act(1)).expect("it is open");
    let confirmed = confirm(&given, act(2)).expect("it was not asked");
    assert!(!confirmed.unasked && confirmed.valid_from == given.valid_from);
    assert!(confirm(&confirmed, act(3)).is_err());
}

#[test]
fn what_was_suspended_resumes_within_thirty_days_and_is_proposed_after() {
    let held = accept(&proposed(Role::Accountable), act(1)).expect("it is open");
    let suspended = end(&held, Some(SUSPENDED.to_owned()), act(2)).expect("it is in force");
    let back = |on: i64, to: u128| {
        let who = (
            Uuid::from_u128(8).into(),
            department(to),
            Proposer::default(),
        );
        resume_or_propose(&suspended, who, act(on))
    };
    let soon = back(32, 4);
    assert_eq!(soon.status, ResponsibilityStatus::Accepted);
    assert_eq!(soon.valid_from, Some(act(32).now));
    assert_eq!(soon.resumes_id, Some(suspended.id));
    assert_eq!(soon.tasks, held.tasks);
    assert_eq!(back(33, 4).status, ResponsibilityStatus::Proposed);
    let successor = back(3, 5);
    assert_eq!(successor.status, ResponsibilityStatus::Proposed);
    assert_eq!(successor.department_id, department(5));
    assert_eq!(successor.id.uuid(), Uuid::from_u128(8));
}

#[test]
fn whatever_is_open_gives_way_and_is_left_out() {
    let offered = proposed(Role::Accountable);
    let taken = end_or_decline(&offered, act(1)).expect("it is open");
    assert_eq!(taken.reason.as_deref(), Some(TAKEN));
    let held = accept(&offered, act(1)).expect("it is open");
    let ended = end_or_decline(&held, act(2)).expect("it is in force");
    assert_eq!(ended.status, ResponsibilityStatus::Ended);
    let withdrawn = end_or_withdraw(&offered, act(1)).expect("it is open");
    assert_eq!(withdrawn.reason.as_deref(), Some(WITHDRAWN));
}

#[test]
fn a_successor_says_what_the_gone_said() {
    let row = readdress_to_successor(
        &proposed(Role::Informed),
        |gone| gone == department(6),
        department(4),
    );
    assert_eq!(row.proposed_from_department_id, Some(department(4)));
    assert_eq!(row.proposed_by_department_id, Some(department(5)));
    assert_eq!(row.department_id, department(4));
}

#[test]
fn a_lead_does_not_end_accountable_on_a_published_blueprint() {
    assert!(!lead_may_end(Role::Accountable, true));
    assert!(lead_may_end(Role::Accountable, false));
    assert!(lead_may_end(Role::Responsible, true));
}
