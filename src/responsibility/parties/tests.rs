//! Every case of the two consents, and the examples by which people explain them to one another.

use entity::id::Id;
use uuid::Uuid;

use super::*;

const BOARD: u128 = 1;
const INDUSTRIAL: u128 = 2;
const HR: u128 = 3;
const SALES: u128 = 4;
const TRAVEL: u128 = 5;
const SEARCH: u128 = 6;
const UNION: u128 = 7;

/// Two roots, so that a department outside of a branch is outside of every one: `board` stands apart.
fn tree() -> Parents {
    [
        (BOARD, None),
        (INDUSTRIAL, None),
        (HR, Some(INDUSTRIAL)),
        (SALES, Some(INDUSTRIAL)),
        (TRAVEL, None),
        (SEARCH, Some(TRAVEL)),
        (UNION, None),
    ]
    .into_iter()
    .map(|(id, parent)| (department(id), parent.map(department)))
    .collect()
}

fn department(n: u128) -> DepartmentId {
    Uuid::from_u128(n).into()
}

fn account(n: u128) -> AccountId {
    Uuid::from_u128(n).into()
}

fn lead(n: u128, of: &[u128]) -> ActingPerson {
    ActingPerson {
        account: Some(account(n)),
        cx_manager: false,
        leads: of.iter().copied().map(department).collect(),
    }
}

fn cx_manager(n: u128, of: &[u128]) -> ActingPerson {
    ActingPerson {
        cx_manager: true,
        ..lead(n, of)
    }
}

/// A proposal by somebody in the name of a department, on a blueprint of `owner`.
fn proposal(by: &ActingPerson, name: Option<u128>, addressed: u128, owner: u128) -> Proposal {
    Proposal {
        addressed: department(addressed),
        role: Role::Accountable,
        proposer: by.proposer_for(name.map(department), department(addressed), &tree()),
        holder: None,
        owner: department(owner),
        handed_over: false,
    }
}

fn over(proposal: Proposal, holder: u128) -> Proposal {
    Proposal {
        holder: Some(department(holder)),
        ..proposal
    }
}

fn answer(proposal: &Proposal, by: &ActingPerson) -> Result<ConsentEffect, CannotAnswerReason> {
    proposal
        .determine_consent_effect(by, &tree())
        .map(|(yes, _)| yes)
}

#[test]
fn two_leads_of_one_department_are_one_seat_whatever_child_they_speak_for() {
    let own = proposal(&lead(1, &[INDUSTRIAL]), Some(HR), INDUSTRIAL, TRAVEL);
    assert_eq!(
        answer(&own, &lead(2, &[INDUSTRIAL])),
        Err(CannotAnswerReason::OneParty)
    );
    assert_eq!(
        answer(&own, &lead(1, &[INDUSTRIAL])),
        Err(CannotAnswerReason::OneParty)
    );
    assert_eq!(
        answer(&own, &lead(3, &[HR])),
        Err(CannotAnswerReason::NotAsked)
    );
    assert_eq!(
        answer(&own, &lead(4, &[TRAVEL])),
        Ok(ConsentEffect::Accepts)
    );
    assert_eq!(
        answer(&own, &cx_manager(5, &[])),
        Ok(ConsentEffect::Accepts)
    );
}

#[test]
fn a_head_assigns_downwards_in_the_own_house_and_the_departments_own_lead_answers() {
    let own = proposal(&lead(1, &[TRAVEL]), Some(SEARCH), SEARCH, TRAVEL);
    assert_eq!(
        answer(&own, &lead(2, &[SEARCH])),
        Ok(ConsentEffect::Accepts)
    );
    assert_eq!(
        answer(&own, &lead(3, &[TRAVEL])),
        Err(CannotAnswerReason::OneParty)
    );
    assert_eq!(
        own.nearest_answering_departments(&tree()),
        [department(SEARCH)].into()
    );
}

#[test]
fn a_head_does_not_assign_downwards_in_another_house() {
    let own = proposal(&lead(1, &[TRAVEL]), Some(TRAVEL), SEARCH, UNION);
    assert_eq!(
        answer(&own, &lead(2, &[SEARCH])),
        Err(CannotAnswerReason::OneParty)
    );
    assert_eq!(answer(&own, &lead(3, &[UNION])), Ok(ConsentEffect::Accepts));
    assert_eq!(
        answer(&own, &cx_manager(4, &[])),
        Ok(ConsentEffect::Accepts)
    );
    let held = over(own, INDUSTRIAL);
    assert_eq!(
        answer(&held, &lead(3, &[UNION])),
        Err(CannotAnswerReason::NotAsked)
    );
    assert_eq!(
        answer(&held, &lead(5, &[INDUSTRIAL])),
        Ok(ConsentEffect::Accepts)
    );
}

#[test]
fn the_owner_for_itself_where_nobody_is_accountable_needs_a_cx_manager() {
    let own = proposal(&lead(1, &[TRAVEL]), Some(TRAVEL), TRAVEL, TRAVEL);
    assert!(own.nearest_answering_departments(&tree()).is_empty());
    assert_eq!(
        answer(&own, &lead(2, &[TRAVEL])),
        Err(CannotAnswerReason::OneParty)
    );
    assert_eq!(
        answer(&own, &lead(3, &[SEARCH])),
        Err(CannotAnswerReason::NotAsked)
    );
    assert_eq!(
        answer(&own, &cx_manager(4, &[])),
        Ok(ConsentEffect::Accepts)
    );
    let below = proposal(&lead(1, &[SEARCH]), Some(SEARCH), SEARCH, SEARCH);
    assert_eq!(
        answer(&below, &lead(2, &[TRAVEL])),
        Err(CannotAnswerReason::OneParty)
    );
    assert_eq!(
        answer(&below, &cx_manager(4, &[])),
        Ok(ConsentEffect::Accepts)
    );
}

#[test]
fn a_child_that_proposes_itself_in_the_house_of_its_head_is_answered_by_the_head() {
    let own = proposal(&lead(1, &[SEARCH]), Some(SEARCH), SEARCH, TRAVEL);
    assert_eq!(
        answer(&own, &lead(2, &[TRAVEL])),
        Ok(ConsentEffect::Accepts)
    );
}

#[test]
fn a_cx_manager_is_another_party_unless_a_seat_of_theirs_lies_at_or_above() {
    let offered = proposal(&cx_manager(1, &[]), None, HR, TRAVEL);
    assert_eq!(
        answer(&offered, &lead(2, &[HR])),
        Ok(ConsentEffect::Accepts)
    );
    assert_eq!(
        answer(&offered, &lead(3, &[INDUSTRIAL])),
        Ok(ConsentEffect::Accepts)
    );
    assert_eq!(
        answer(&offered, &cx_manager(4, &[])),
        Ok(ConsentEffect::Accepts)
    );
    assert_eq!(
        answer(&offered, &cx_manager(1, &[])),
        Err(CannotAnswerReason::OneParty)
    );
    for seat in [HR, INDUSTRIAL] {
        let own = proposal(&cx_manager(1, &[seat]), None, HR, TRAVEL);
        assert!(own.has_consented_by_proposing(&tree()));
        assert_eq!(
            answer(&own, &cx_manager(1, &[seat])),
            Err(CannotAnswerReason::OneParty)
        );
        assert_eq!(
            answer(&own, &lead(2, &[HR])),
            Err(CannotAnswerReason::OneParty)
        );
        assert_eq!(
            answer(&own, &cx_manager(3, &[HR])),
            Err(CannotAnswerReason::OneParty)
        );
        assert_eq!(
            answer(&own, &lead(4, &[TRAVEL])),
            Ok(ConsentEffect::Accepts)
        );
    }
    let elsewhere = proposal(&cx_manager(1, &[UNION]), None, HR, TRAVEL);
    assert!(!elsewhere.has_consented_by_proposing(&tree()));
}

#[test]
fn a_cx_manager_who_leads_the_department_answers_others_as_its_lead() {
    let offered = proposal(&lead(1, &[TRAVEL]), Some(TRAVEL), HR, TRAVEL);
    assert_eq!(
        answer(&offered, &cx_manager(2, &[HR])),
        Ok(ConsentEffect::Accepts)
    );
    let own = proposal(&lead(1, &[HR]), Some(HR), HR, TRAVEL);
    assert_eq!(
        answer(&own, &cx_manager(2, &[HR])),
        Err(CannotAnswerReason::OneParty)
    );
}

#[test]
fn from_below_outside_the_own_house_nobody_could_answer() {
    let from_below = proposal(&lead(1, &[HR]), Some(HR), INDUSTRIAL, TRAVEL);
    assert!(!from_below.can_ever_be_answered(&tree()));
    assert_eq!(
        answer(&from_below, &lead(2, &[INDUSTRIAL])),
        Err(CannotAnswerReason::OneParty)
    );
    let at_home = proposal(&lead(1, &[HR]), Some(HR), INDUSTRIAL, SALES);
    assert!(at_home.can_ever_be_answered(&tree()));
    assert_eq!(
        answer(&at_home, &lead(2, &[INDUSTRIAL])),
        Ok(ConsentEffect::Accepts)
    );
}

#[test]
fn over_a_holder_the_holder_answers_first_and_then_the_department_addressed() {
    let third = over(
        proposal(&lead(1, &[TRAVEL]), Some(TRAVEL), UNION, TRAVEL),
        HR,
    );
    assert!(third.waits_for_accountable());
    assert_eq!(
        third.nearest_answering_departments(&tree()),
        [department(HR)].into()
    );
    assert_eq!(
        answer(&third, &lead(2, &[UNION])),
        Err(CannotAnswerReason::HolderFirst)
    );
    assert_eq!(
        answer(&third, &lead(3, &[HR])),
        Ok(ConsentEffect::HandsOver)
    );
    assert_eq!(
        answer(&third, &cx_manager(4, &[])),
        Ok(ConsentEffect::Accepts)
    );
    let handed = Proposal {
        handed_over: true,
        ..third
    };
    assert_eq!(
        handed.nearest_answering_departments(&tree()),
        [department(UNION)].into()
    );
    assert_eq!(
        answer(&handed, &lead(2, &[UNION])),
        Ok(ConsentEffect::Accepts)
    );
    assert_eq!(
        answer(&handed, &lead(3, &[HR])),
        Err(CannotAnswerReason::NotAsked)
    );
}

#[test]
fn where_the_department_proposed_itself_the_holders_yes_is_the_second_consent() {
    let own = over(proposal(&lead(1, &[UNION]), Some(UNION), UNION, TRAVEL), HR);
    assert_eq!(answer(&own, &lead(2, &[HR])), Ok(ConsentEffect::Accepts));
    // Of one branch with the proposer the holder only hands over: a CX manager is the other party.
    let inside = over(
        proposal(&lead(1, &[INDUSTRIAL]), Some(SALES), SALES, TRAVEL),
        HR,
    );
    assert_eq!(
        answer(&inside, &lead(2, &[HR])),
        Ok(ConsentEffect::HandsOver)
    );
    let handed = Proposal {
        handed_over: true,
        ..inside
    };
    assert_eq!(
        answer(&handed, &lead(2, &[HR])),
        Err(CannotAnswerReason::OneParty)
    );
    assert_eq!(
        answer(&handed, &cx_manager(3, &[])),
        Ok(ConsentEffect::Accepts)
    );
}

#[test]
fn the_holder_and_a_cx_manager_propose_without_asking_the_holder() {
    let by_holder = over(proposal(&lead(1, &[HR]), Some(HR), UNION, TRAVEL), HR);
    assert_eq!(
        answer(&by_holder, &lead(2, &[UNION])),
        Ok(ConsentEffect::Accepts)
    );
    let by_cx_manager = over(proposal(&cx_manager(1, &[]), None, UNION, TRAVEL), HR);
    assert_eq!(
        answer(&by_cx_manager, &lead(2, &[UNION])),
        Ok(ConsentEffect::Accepts)
    );
    let consulted = Proposal {
        role: Role::Consulted,
        ..over(
            proposal(&lead(1, &[TRAVEL]), Some(TRAVEL), UNION, TRAVEL),
            HR,
        )
    };
    assert_eq!(
        answer(&consulted, &lead(2, &[UNION])),
        Ok(ConsentEffect::Accepts)
    );
}

#[test]
fn nobody_acts_from_a_seat_above_the_nearest() {
    let both = lead(1, &[INDUSTRIAL, HR]);
    let seat = find_nearest_led_department(&both.leads, department(HR), &tree());
    assert_eq!(seat, Some(department(HR)));
    assert_eq!(
        find_nearest_led_department(&both.leads, department(TRAVEL), &tree()),
        None
    );
}

#[test]
fn a_department_without_a_lead_waits_and_one_is_found_above_where_that_is_another_party() {
    let offered = proposal(&lead(1, &[TRAVEL]), Some(TRAVEL), HR, TRAVEL);
    let leads = |pairs: &[(u128, u128)]| -> LeadsByDepartment {
        let mut leads = LeadsByDepartment::new();
        for (of, who) in pairs {
            leads
                .entry(department(*of))
                .or_default()
                .insert(account(*who));
        }
        leads
    };
    assert!(!offered.has_answering_lead(&leads(&[(TRAVEL, 1), (TRAVEL, 2)]), &tree()));
    assert!(offered.has_answering_lead(&leads(&[(HR, 2)]), &tree()));
    assert!(offered.has_answering_lead(&leads(&[(INDUSTRIAL, 2)]), &tree()));
    assert!(
        !offered.has_answering_lead(&leads(&[(HR, 1)]), &tree()),
        "who proposed does not count"
    );
    assert_eq!(department(HR).uuid(), Uuid::from_u128(HR));
}

#[test]
fn whoever_may_answer_has_a_seat_that_is_awaited_or_above_one() {
    let everybody: Vec<ActingPerson> = (2..=7).map(|n| lead(100 + n, &[n])).collect();
    for by in 2..=7 {
        for addressed in 2..=7 {
            for owner in 2..=7 {
                for holder in [None, Some(SALES), Some(SEARCH), Some(UNION)] {
                    let made = proposal(&lead(1, &[by]), Some(by), addressed, owner);
                    let made = Proposal {
                        holder: holder
                            .map(department)
                            .filter(|held| *held != made.addressed),
                        ..made
                    };
                    let awaits = made.nearest_answering_departments(&tree());
                    for person in &everybody {
                        let Ok((_, Some(seat))) = made.determine_consent_effect(person, &tree())
                        else {
                            continue;
                        };
                        let named = awaits.iter().any(|at| is_within(&tree(), *at, seat));
                        assert!(named, "{made:?} {person:?}");
                    }
                    for seat in &awaits {
                        let there = everybody.iter().find(|person| person.leads.contains(seat));
                        let there = there.expect("somebody leads every department");
                        assert!(
                            made.determine_consent_effect(there, &tree()).is_ok(),
                            "{made:?} {there:?}"
                        );
                    }
                }
            }
        }
    }
}
