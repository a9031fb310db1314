//! What the rules say of canvases made in memory: the order of rows changes nothing, and neither do names.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    department, evaluation,
    id::FindingId,
    insight,
    json::Texts,
    promise,
    words::{
        Basis, DepartmentKind, End, InsightKind, Messages, PromiseState, Role, Stage,
        TransitionKind,
    },
};
use proptest::prelude::*;

use super::*;
use crate::canvas::sample::{self, Side};
use uuid::Uuid;

const STAGES: [Stage; 2] = [Stage::Before, Stage::Goal];

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 3, 31).expect("a day")
}

fn id<I: From<Uuid>>(number: u128) -> I {
    Uuid::from_u128(number).into()
}

fn at() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

/// A journey of four steps with something known, promised and tried at each, whose rows come in this order.
fn snapshot(order: &[usize], renamed: bool) -> WholeBlueprint {
    let edges: Vec<_> = vec![
        (Side::End(End::Start), Side::At(0), TransitionKind::Advance),
        (Side::At(0), Side::At(1), TransitionKind::Advance),
        (Side::At(1), Side::At(2), TransitionKind::Advance),
    ];
    let mut canvas = sample::canvas(&STAGES, &[0, 0, 1, 1], &edges);
    let step = |number: usize| canvas.touchpoints[number].id;
    let blueprint_id = canvas.blueprint.id;
    let responsibilities = order.iter().map(|number| {
        let role = [
            Role::Accountable,
            Role::Responsible,
            Role::Consulted,
            Role::Accountable,
        ][*number];
        sample::accepted_responsibility(*number, step(*number), id(200 + *number as u128), role)
    });
    let responsibilities: Vec<_> = responsibilities.collect();
    let departments = (0..4).map(|number| department::Model {
        id: id(200 + number),
        key: format!("d{number}"),
        name: format!("Department {number}"),
        kind: DepartmentKind::Partner,
        parent_id: None,
        successor_id: None,
        created_at: at(),
        archived_at: None,
        version: 1,
    });
    let departments: HashMap<_, _> = departments.map(|row| (row.id, row)).collect();
    let insights = order.iter().map(|number| insight::Model {
        id: id(300 + *number as u128),
        blueprint_id,
        key: format!("i{number}"),
        phase_id: None,
        touchpoint_id: Some(step(*number)),
        persona_id: None,
        kind: InsightKind::InformationNeed,
        text: if renamed { "Else?" } else { "What?" }.to_owned(),
        quote: false,
        basis: Basis::Assumed,
        whys: Texts::default(),
        answer: None,
        answered_by_id: None,
        created_at: at(),
        version: 1,
    });
    let promises = order.iter().map(|number| promise::Model {
        id: id(400 + *number as u128),
        blueprint_id,
        key: format!("p{number}"),
        touchpoint_id: step(*number),
        text: if renamed { "Better" } else { "Good" }.to_owned(),
        state: PromiseState::ALL[*number],
        created_at: at(),
        version: 1,
    });
    let evaluations = order.iter().map(|number| evaluation::Model {
        id: id(500 + *number as u128),
        blueprint_id,
        touchpoint_id: step(number / 2),
        held_on: day(),
        by_account_id: None,
        by_name: Some("I".to_owned()),
        messages: Some([Messages::Coherent, Messages::Conflicting][number % 2]),
        conflicts_with_id: (number % 2 == 1).then(|| step(3)),
        conflict: (number % 2 == 1).then(|| "the price".to_owned()),
        note: None,
        created_at: at(),
        version: 1,
    });
    let (insights, promises, evaluations) = (
        insights.collect(),
        promises.collect(),
        evaluations.collect(),
    );
    let promise_deliveries =
        (0..4).map(|number| (id(400 + number as u128), vec![step(3 - number)]));
    let promise_deliveries = promise_deliveries.collect();
    if renamed {
        for row in &mut canvas.touchpoints {
            row.name.push_str(" anew");
        }
    }
    canvas.responsibilities = responsibilities;
    let canvas = sample::with_departments(canvas, departments);
    WholeBlueprint {
        canvas: canvas.sort_and_index(),
        insights,
        promises,
        evaluations,
        promise_deliveries,
        ..WholeBlueprint::from_canvas(sample::canvas(&[], &[], &[]))
    }
}

fn judged(snapshot: &WholeBlueprint) -> Vec<Violation> {
    let asked = RuleOptions {
        day: day(),
        thresholds: &Thresholds::default(),
        confidential: true,
    };
    find_violations(snapshot, &Surroundings::default(), &asked)
}

fn fingerprints(findings: &[Violation]) -> Vec<FindingId> {
    findings.iter().map(|finding| finding.fingerprint).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_order_of_rows_changes_nothing(order in Just(vec![0, 1, 2, 3]).prop_shuffle()) {
        prop_assert_eq!(judged(&snapshot(&order, false)), judged(&snapshot(&[0, 1, 2, 3], false)));
    }
}

#[test]
fn fingerprints_survive_renaming_and_no_two_are_alike() {
    let (before, after) = (
        judged(&snapshot(&[0, 1, 2, 3], false)),
        judged(&snapshot(&[0, 1, 2, 3], true)),
    );
    assert_eq!(fingerprints(&before), fingerprints(&after));
    assert_ne!(before, after, "the sentences tell the new names");
    let codes: BTreeSet<FindingCode> = before.iter().map(|finding| finding.code).collect();
    assert!(codes.len() >= 10, "much is wrong: {codes:?}");
    let alone: BTreeSet<FindingId> = fingerprints(&before).into_iter().collect();
    assert_eq!(alone.len(), before.len());
}

#[test]
fn the_gravest_come_first() {
    let severities: Vec<Severity> = judged(&snapshot(&[0, 1, 2, 3], false))
        .iter()
        .map(|finding| finding.code.severity())
        .collect();
    assert!(severities.is_sorted());
    assert_eq!(severities.first(), Some(&Severity::Error));
}

#[test]
fn a_threshold_moves_what_is_found_and_an_unknown_one_is_refused() {
    let more = Thresholds::with_changed(["TOO_MANY_CONSULTED=0".parse().expect("a threshold")]);
    let asked = RuleOptions {
        day: day(),
        thresholds: &more,
        confidential: true,
    };
    let snapshot = snapshot(&[0, 1, 2, 3], false);
    let found = find_violations(&snapshot, &Surroundings::default(), &asked);
    let consulted = |findings: &[Violation]| {
        findings
            .iter()
            .any(|one| one.code == FindingCode::TooManyConsulted)
    };
    assert!(consulted(&found) && !consulted(&judged(&snapshot)));
    for wrong in [
        "TOO_MANY=1",
        "UNREACHABLE=1",
        "TOO_COMPLEX",
        "TOO_COMPLEX=many",
        "TOO_COMPLEX=-1",
        "TOO_COMPLEX=NaN",
    ] {
        assert!(wrong.parse::<Threshold>().is_err(), "{wrong}");
    }
}

#[test]
fn what_surrounds_a_journey_is_added_to_what_it_holds_itself() {
    let mut snapshot = snapshot(&[0, 1, 2, 3], false);
    snapshot.canvas.persona.max_contacts_per_month = Some(3);
    snapshot.canvas.touchpoints[0].contacts_per_month = Some(1.5);
    let codes = |contacts: f64, held: usize| {
        let around = Surroundings {
            contacts_elsewhere: HashMap::from([(snapshot.canvas.persona.id, contacts)]),
            held_elsewhere: HashMap::from([(id(200), held)]),
            ..Surroundings::default()
        };
        let asked = RuleOptions {
            day: day(),
            thresholds: &Thresholds::default(),
            confidential: true,
        };
        let found = find_violations(&snapshot, &around, &asked).into_iter();
        let beyond = found.filter(|finding| finding.code.looks_beyond_blueprint());
        beyond.map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert!(codes(1.5, 59).is_empty(), "3 of 3 and 60 of 60");
    assert_eq!(
        codes(1.6, 60),
        [
            FindingCode::DepartmentOverloaded,
            FindingCode::ContactPressure
        ]
    );
}

#[test]
fn a_department_above_one_with_a_role_has_one() {
    let row = |number: u128, parent: Option<u128>| department::Model {
        id: id(number),
        key: format!("d{number}"),
        name: format!("Department {number}"),
        kind: DepartmentKind::Internal,
        parent_id: parent.map(id),
        successor_id: None,
        created_at: at(),
        archived_at: None,
        version: 1,
    };
    let departments = [
        row(1, None),
        row(2, Some(1)),
        row(3, Some(2)),
        row(4, Some(2)),
        row(5, None),
    ];
    let found = find_organisation_violations(&departments, &HashSet::from([id(3)]), 0);
    let without: Vec<_> = found
        .iter()
        .filter_map(|finding| finding.subject.department)
        .collect();
    assert_eq!(without, [id(4), id(5)]);
}
