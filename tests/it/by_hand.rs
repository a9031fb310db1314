//! A library whose answers were worked out with a pencil, so that no sum of ours signs itself. Its document is
//! `by_hand.json`; what it comes to stands below, and why.
//!
//! Readers ASK at the desk, a book is FETCHed from the depot, and they RETURN it; nobody holds a role at RETURN.
//! - At ASK the desk is RESPONSIBLE since ever; it was ACCOUNTABLE until 10 February, and the depot is from then on.
//! - At FETCH the depot is ACCOUNTABLE since ever; the desk was CONSULTED until noon of 31 March, which is before that
//!   day ended.
//! - WAIT is 10 minutes, 15 at the worst; from March on 5, 8 at the worst. It judges ASK, and FETCH before 28 February.
//! - FOUND is a ratio of 90 %, 80 % at the worst, at FETCH. LATE is 2 days at RETURN, and has no target from March on.
//! - VISITS judges nothing and has no target. COST is confidential, of the depot, and judges FETCH.
//! - WAIT also judges a FUTURE copy, and a draft where the desk is ACCOUNTABLE and it was measured: none of it counts.

mod figure;

use serde_json::Value;

use crate::{
    bi::YEAR,
    series::{ask, told},
    world::{Actor, World},
};

const LIBRARY: &str = include_str!("by_hand.json");

const COLUMNS: &str =
    "measured_on,kpi_key,value,target,warning,state,touchpoint_key,department_key,role,row_weight";

/// Twelve measurements in twenty-two rows. Of the thirteenth, in the draft, and of COST an analyst reads nothing.
const ALL: &str = "\
2025-01-31,FOUND,70.0,90.0,80.0,MISSED,fetch,depot,ACCOUNTABLE,0.5
2025-01-31,FOUND,70.0,90.0,80.0,MISSED,fetch,desk,CONSULTED,0.5
2025-01-31,VISITS,300.0,,,NO_TARGET,,,,1.0
2025-01-31,WAIT,10.0,10.0,15.0,MET,ask,desk,ACCOUNTABLE,0.25
2025-01-31,WAIT,10.0,10.0,15.0,MET,ask,desk,RESPONSIBLE,0.25
2025-01-31,WAIT,10.0,10.0,15.0,MET,fetch,depot,ACCOUNTABLE,0.25
2025-01-31,WAIT,10.0,10.0,15.0,MET,fetch,desk,CONSULTED,0.25
2025-02-28,FOUND,80.0,90.0,80.0,AT_RISK,fetch,depot,ACCOUNTABLE,0.5
2025-02-28,FOUND,80.0,90.0,80.0,AT_RISK,fetch,desk,CONSULTED,0.5
2025-02-28,LATE,3.0,2.0,,MISSED,return,,,1.0
2025-02-28,WAIT,15.0,10.0,15.0,AT_RISK,ask,depot,ACCOUNTABLE,0.5
2025-02-28,WAIT,15.0,10.0,15.0,AT_RISK,ask,desk,RESPONSIBLE,0.5
2025-02-28,WAIT,20.0,10.0,15.0,MISSED,ask,depot,ACCOUNTABLE,0.5
2025-02-28,WAIT,20.0,10.0,15.0,MISSED,ask,desk,RESPONSIBLE,0.5
2025-03-10,WAIT,6.0,5.0,8.0,AT_RISK,ask,depot,ACCOUNTABLE,0.5
2025-03-10,WAIT,6.0,5.0,8.0,AT_RISK,ask,desk,RESPONSIBLE,0.5
2025-03-31,FOUND,90.0,90.0,80.0,MET,fetch,depot,ACCOUNTABLE,1.0
2025-03-31,LATE,3.0,,,NO_TARGET,return,,,1.0
2025-03-31,WAIT,2.0,5.0,8.0,MET,ask,depot,ACCOUNTABLE,0.5
2025-03-31,WAIT,2.0,5.0,8.0,MET,ask,desk,RESPONSIBLE,0.5
2025-03-31,WAIT,9.0,5.0,8.0,MISSED,ask,depot,ACCOUNTABLE,0.5
2025-03-31,WAIT,9.0,5.0,8.0,MISSED,ask,desk,RESPONSIBLE,0.5
";

/// Those of the desk alone, which weigh as many as the measurements that they are of: eight.
const DESK: &str = "\
2025-01-31,FOUND,70.0,90.0,80.0,MISSED,fetch,desk,CONSULTED,1.0
2025-01-31,WAIT,10.0,10.0,15.0,MET,ask,desk,ACCOUNTABLE,0.3333333333333333
2025-01-31,WAIT,10.0,10.0,15.0,MET,ask,desk,RESPONSIBLE,0.3333333333333333
2025-01-31,WAIT,10.0,10.0,15.0,MET,fetch,desk,CONSULTED,0.3333333333333333
2025-02-28,FOUND,80.0,90.0,80.0,AT_RISK,fetch,desk,CONSULTED,1.0
2025-02-28,WAIT,15.0,10.0,15.0,AT_RISK,ask,desk,RESPONSIBLE,1.0
2025-02-28,WAIT,20.0,10.0,15.0,MISSED,ask,desk,RESPONSIBLE,1.0
2025-03-10,WAIT,6.0,5.0,8.0,AT_RISK,ask,desk,RESPONSIBLE,1.0
2025-03-31,WAIT,2.0,5.0,8.0,MET,ask,desk,RESPONSIBLE,1.0
2025-03-31,WAIT,9.0,5.0,8.0,MISSED,ask,desk,RESPONSIBLE,1.0
";

/// Those of the depot, whose own the confidential KPI is.
const DEPOT: &str = "\
2025-01-31,FOUND,70.0,90.0,80.0,MISSED,fetch,depot,ACCOUNTABLE,1.0
2025-01-31,WAIT,10.0,10.0,15.0,MET,fetch,depot,ACCOUNTABLE,1.0
2025-02-28,FOUND,80.0,90.0,80.0,AT_RISK,fetch,depot,ACCOUNTABLE,1.0
2025-02-28,WAIT,15.0,10.0,15.0,AT_RISK,ask,depot,ACCOUNTABLE,1.0
2025-02-28,WAIT,20.0,10.0,15.0,MISSED,ask,depot,ACCOUNTABLE,1.0
2025-03-10,WAIT,6.0,5.0,8.0,AT_RISK,ask,depot,ACCOUNTABLE,1.0
2025-03-31,COST,2.5,2.0,,MISSED,fetch,depot,ACCOUNTABLE,1.0
2025-03-31,FOUND,90.0,90.0,80.0,MET,fetch,depot,ACCOUNTABLE,1.0
2025-03-31,WAIT,2.0,5.0,8.0,MET,ask,depot,ACCOUNTABLE,1.0
2025-03-31,WAIT,9.0,5.0,8.0,MISSED,ask,depot,ACCOUNTABLE,1.0
";

async fn library() -> World {
    let world = World::new().await;
    world.load(LIBRARY).await.expect("the document loads");
    world
}

#[tokio::test]
async fn every_row_of_the_library_is_the_one_that_a_pencil_gives() {
    let world = library().await;
    for (login, rows, weighs) in [
        ("analyst", ALL, 12.0),
        ("desk-lead", DESK, 8.0),
        ("depot-lead", DEPOT, 10.0),
    ] {
        let path = format!("/bi/v1/kpi_facts.csv?{YEAR}&columns={COLUMNS}");
        let answer = world.sign_in(login).await.feeds(&path).await;
        let mut lines = answer.text().lines();
        assert_eq!(lines.next(), Some(COLUMNS), "{login}: {}", answer.text());
        let mut lines: Vec<&str> = lines.collect();
        lines.sort_unstable();
        let expected: Vec<&str> = rows.lines().collect();
        assert_eq!(lines, expected, "{login}");
        let weight = |line: &str| line.rsplit(',').next()?.parse::<f64>().ok();
        let weight: f64 = lines.iter().filter_map(|line| weight(line)).sum();
        assert!((weight - weighs).abs() < 1e-9, "{login}: {weight}");
    }
}

/// WAIT as a whole was measured four times, each of which the FUTURE copy and the draft would give a row more; the
/// draft another one for what was measured in it.
#[tokio::test]
async fn what_does_not_count_is_there_for_whoever_asks_for_it_and_may_read_it() {
    let world = library().await;
    for (login, counted, all) in [
        ("analyst", 22, 22 + 4),
        ("desk-lead", 10, 10 + 4 + 4 + 1),
        ("depot-lead", 10, 10),
    ] {
        let actor = world.sign_in(login).await;
        let rows = async |more: &str| {
            let path = format!("/bi/v1/kpi_facts.ndjson?{YEAR}{more}");
            actor.lines(&path).await.len()
        };
        let found = (rows("").await, rows("&uncounted=true").await);
        assert_eq!(found, (counted, all), "{login}");
    }
}

/// A KPI by period and more: each point in words, in order.
async fn points(actor: &Actor<'_>, kpi: &str, by: &[&str], grain: &str) -> Vec<String> {
    let points: Vec<Value> = actor.series(ask(&[kpi], by, grain), 50).await;
    let mut told = told(&points);
    told.sort();
    told
}

/// Each point is: period, department, touchpoint, channel, value, how many values, target, state.
#[tokio::test]
async fn every_point_of_the_library_is_the_one_that_a_pencil_gives() {
    let world = library().await;
    let analyst = world.sign_in("analyst").await;
    let by_department = async |kpi, grain| points(&analyst, kpi, &["DEPARTMENT"], grain).await;
    // February: the value of all channels, not that of the phone. March: those at ASK, (3 × 6 + 1 × 2) / 4, and not
    // the 9 of the whole.
    assert_eq!(
        by_department("WAIT", "MONTH").await,
        [
            "2025-01-01 depot - - 10 1 10 MET",
            "2025-01-01 desk - - 10 1 10 MET",
            "2025-02-01 depot - - 15 1 10 AT_RISK",
            "2025-02-01 desk - - 15 1 10 AT_RISK",
            "2025-03-01 depot - - 5 2 5 MET",
            "2025-03-01 desk - - 5 2 5 MET",
        ]
    );
    // ASK has values of its own in this quarter, FETCH the 10 of January: (3 × 6 + 1 × 2 + 1 × 10) / 5.
    assert_eq!(
        by_department("WAIT", "QUARTER").await,
        [
            "2025-01-01 depot - - 6 3 5 AT_RISK",
            "2025-01-01 desk - - 6 3 5 AT_RISK",
        ]
    );
    assert_eq!(
        points(&analyst, "WAIT", &["DEPARTMENT", "CHANNEL"], "MONTH").await,
        [
            "2025-02-01 depot - PHONE 20 1 10 MISSED",
            "2025-02-01 desk - PHONE 20 1 10 MISSED",
        ]
    );
    assert_eq!(
        by_department("FOUND", "MONTH").await,
        [
            "2025-01-01 depot - - 70 1 90 MISSED",
            "2025-01-01 desk - - 70 1 90 MISSED",
            "2025-02-01 depot - - 80 1 90 AT_RISK",
            "2025-02-01 desk - - 80 1 90 AT_RISK",
            "2025-03-01 depot - - 90 1 90 MET",
        ]
    );
    // (7 + 8 + 72) / (10 + 10 + 80), and not the 80 of an average of shares; (7 + 8) / (10 + 10).
    assert_eq!(
        by_department("FOUND", "QUARTER").await,
        [
            "2025-01-01 depot - - 87 3 90 AT_RISK",
            "2025-01-01 desk - - 75 2 90 MISSED",
        ]
    );
    assert_eq!(
        by_department("LATE", "MONTH").await,
        [
            "2025-02-01 - - - 3 1 2 MISSED",
            "2025-03-01 - - - 3 1 - NO_TARGET",
        ]
    );
    let visits = ["2025-01-01 - - - 300 1 - NO_TARGET"];
    assert_eq!(by_department("VISITS", "MONTH").await, visits);
    assert_eq!(by_department("COST", "MONTH").await, [""; 0]);
    let desk = world.sign_in("desk-lead").await;
    let depot = world.sign_in("depot-lead").await;
    let theirs = async |lead, kpi| points(lead, kpi, &["DEPARTMENT"], "QUARTER").await;
    assert_eq!(
        theirs(&desk, "FOUND").await,
        ["2025-01-01 desk - - 75 2 90 MISSED"]
    );
    assert_eq!(theirs(&desk, "COST").await, [""; 0]);
    assert_eq!(
        theirs(&depot, "COST").await,
        ["2025-01-01 depot - - 2.5 1 2 MISSED"]
    );
}
