//! Sums that are kept in memory are never out of date: two servers on one database, written to in turns, and a third
//! that has kept nothing, always tell the same figures, whoever asks.

use serde_json::{Value, json};

use super::{LINK, RECORD, TARGET, UPDATE};
use crate::{ids::Ids, world::World};

/// Figures as a whole on two days, and at places today.
const FIGURES: &str = "query {
    kpis(first: 50) { nodes { key
        may: current(asOf: \"2025-05-31\") { ...Figure } march: current(asOf: \"2025-03-30\") { ...Figure } } }
    blueprint(by: { key: \"open\" }) { phases { touchpoints { key
        kpis { kpi { key } state latest { value } current { ...Figure } } } } }
}
fragment Figure on KpiFigure {
    value n state place periodStart periods target { value } running { value } measuredOn
    parts { value channel { key } touchpoint { key } }
}";

/// What all three servers tell, which is the same.
async fn told(servers: &[World; 2], after: &Value) -> Vec<Value> {
    let fresh = servers[0].beside().await;
    let mut told = Vec::new();
    for login in ["cx-manager", "neighbour", "viewer"] {
        let mut answers = Vec::new();
        // Twice: what was just read, and what is kept of it.
        for server in [&servers[0], &servers[1], &fresh, &servers[0]] {
            let actor = server.sign_in(login).await;
            answers.push(actor.ask(FIGURES, json!({})).await);
        }
        let first = answers.remove(0);
        for answer in answers {
            assert!(
                answer == first,
                "{login} after {after}: {answer} and {first}"
            );
        }
        told.push(first);
    }
    told
}

#[tokio::test]
async fn two_servers_and_one_that_has_just_begun_tell_the_same_figures() {
    let one = World::small().await;
    let ids = Ids::of(&one).await;
    let servers = [one.beside().await, one];
    let record = |kpi: &str, day: &str, value: f64, at: Option<&str>, channel: Option<&str>| {
        let [at, channel] = [at, channel].map(|key| key.map(|key| ids[key].clone()));
        let value = json!({ "kpiId": ids[kpi], "measuredOn": day, "value": value, "touchpointId": at, "channelId": channel });
        (RECORD, json!({ "measurements": [value] }))
    };
    let cadence = |version: i32, cadence: &str| {
        let input = json!({ "id": ids["PRICE"], "expectedVersion": version, "cadence": cadence });
        (UPDATE, input)
    };
    let steps = vec![
        (
            LINK,
            json!({ "kpiId": ids["PRICE"], "touchpointId": ids["T1"] }),
        ),
        (
            LINK,
            json!({ "kpiId": ids["SECRET"], "touchpointId": ids["T4"] }),
        ),
        record("PRICE", "2025-05-02", 4.0, None, None),
        record("PRICE", "2025-05-02", 5.0, None, None),
        record("PRICE", "2025-03-15", 7.0, None, None),
        record("PRICE", "2025-05-04", 3.0, Some("T1"), Some("WEB")),
        record("PRICE", "2025-05-04", 8.0, Some("T1"), Some("PHONE")),
        record("SECRET", "2025-05-31", 21.0, Some("T4"), None),
        cadence(1, "QUARTERLY"),
        record("PRICE", "2025-05-03", 9.0, None, None),
        cadence(2, "MONTHLY"),
        (
            TARGET,
            json!({ "kpiId": ids["PRICE"], "validFrom": "2025-05-01", "value": 6 }),
        ),
        record("PRICE", "2025-06-01", 2.0, Some("T2"), None),
    ];
    let mut before = told(&servers, &Value::Null).await;
    for (at, (mutation, input)) in steps.into_iter().enumerate() {
        let writer = servers[at % 2].sign_in("cx-manager").await;
        writer.does(mutation, input.clone()).await;
        let after = told(&servers, &input).await;
        assert!(after != before, "{input} changes some figure");
        before = after;
    }
    let refused = [
        json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-06-02", "value": 1.0 }),
        json!({ "kpiId": ids["PRICE"], "measuredOn": "2035-06-02", "value": 1.0 }),
    ];
    let cx = servers[0].sign_in("cx-manager").await;
    let answer = cx.ask(RECORD, json!({ "input": { "measurements": refused } }));
    let answer = answer.await["kpiMeasurementsRecord"].take();
    assert_ne!(answer["userErrors"], json!([]));
    assert_eq!(told(&servers, &answer).await, before);
    let metrics = servers[0].metrics().await;
    let kept = metrics
        .lines()
        .find_map(|line| line.strip_prefix("cx_blueprint_figure_memory_bytes "));
    let kept: u64 = kept.expect("a number").parse().expect("a number");
    assert!(0 < kept && kept < 32 << 20, "{kept}");
}

#[tokio::test]
async fn an_import_reads_anew_what_it_changed_alone() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    let statements = async || {
        let before = world.store.statement_count();
        cx.ask(FIGURES, json!({})).await;
        world.store.statement_count() - before
    };
    let (first, kept) = (statements().await, statements().await);
    assert!(kept < first, "{kept} of {first}");
    let one = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-05-02", "value": 4.0 });
    cx.does(RECORD, json!({ "measurements": [one] })).await;
    assert_eq!((statements().await, statements().await), (first, kept));
}
