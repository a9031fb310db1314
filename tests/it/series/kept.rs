//! What is kept in memory is never out of date: two servers on one database, written to in turns, and a third that has
//! kept nothing, always give the same points.

use serde_json::{Value, json};

use super::{ask, held::prepare};
use crate::{
    facts::{LINK, RECORD},
    ids::Ids,
    world::World,
};

#[tokio::test]
async fn two_servers_and_one_that_has_just_begun_give_the_same_points() {
    let one = World::small().await;
    prepare(&one).await;
    let other = one.beside().await;
    let ids = Ids::of(&one).await;
    let questions = [
        ask(&["AVG"], &["DEPARTMENT", "PHASE"], "MONTH"),
        ask(&["SUM"], &["TOUCHPOINT"], "WEEK"),
        ask(
            &["RATIO", "LAST", "PRICE", "SECRET"],
            &["KPI", "DEPARTMENT"],
            "MONTH",
        ),
        ask(&["LAST"], &[], "DAY"),
    ];
    let target = "mutation($input: KpiTargetSetInput!) { kpiTargetSet(input: $input) { userErrors { message } } }";
    let record = |kpi: &str, day: &str, value: f64, at: Option<&str>| {
        let at = at.map(|at| ids[at].clone());
        let value =
            json!({ "kpiId": ids[kpi], "measuredOn": day, "value": value, "touchpointId": at });
        (RECORD, json!({ "measurements": [value] }))
    };
    let writes: Vec<(&str, Value)> = vec![
        record("AVG", "2025-03-03", 41.0, None),
        record("AVG", "2025-03-03", 42.0, None),
        record("AVG", "2025-03-04", 43.0, Some("T2")),
        record("PRICE", "2025-03-31", 9.0, None),
        (
            LINK,
            json!({ "kpiId": ids["PRICE"], "touchpointId": ids["T3"] }),
        ),
        (
            target,
            json!({ "kpiId": ids["LAST"], "validFrom": "2025-02-01", "value": 12 }),
        ),
        record("SUM", "2025-06-30", 5.0, Some("T3")),
        record("LAST", "2025-06-30", 5.0, None),
    ];
    let mut before = Vec::new();
    let mut changed = 0;
    for (at, (mutation, input)) in writes.into_iter().enumerate() {
        let writer = if at % 2 == 0 { &one } else { &other };
        writer
            .sign_in("cx-manager")
            .await
            .does(mutation, input.clone())
            .await;
        let fresh = one.beside().await;
        let mut all = Vec::new();
        for question in &questions {
            let mut answers = Vec::new();
            for server in [&one, &other, &fresh] {
                let cx = server.sign_in("cx-manager").await;
                answers.push(cx.series(question.clone(), 150).await);
            }
            assert_eq!(answers[0], answers[1], "after {input}");
            assert_eq!(answers[0], answers[2], "after {input}");
            all.push(answers.swap_remove(0));
        }
        changed += usize::from(all != before);
        before = all;
    }
    assert_eq!(changed, 8, "every write changes some point");
}

#[tokio::test]
async fn asking_again_reads_no_values_and_a_new_one_alone() {
    let world = World::small().await;
    prepare(&world).await;
    let ids = Ids::of(&world).await;
    let analyst = world.sign_in("analyst").await;
    let question = ask(&["AVG"], &["DEPARTMENT"], "MONTH");
    let first = analyst.series(question.clone(), 200).await;
    let statements = |before: u64| world.store.statement_count() - before;
    let before = world.store.statement_count();
    assert_eq!(analyst.series(question.clone(), 200).await, first);
    let again = statements(before);
    let value = json!({ "kpiId": ids["AVG"], "measuredOn": "2025-06-01", "value": 1 });
    let cx = world.sign_in("cx-manager").await;
    cx.does(RECORD, json!({ "measurements": [value] })).await;
    let before = world.store.statement_count();
    assert_ne!(analyst.series(question, 200).await, first);
    assert_eq!(
        statements(before),
        again + 1,
        "what has come since is read by one statement"
    );
}
