//! Flat rows: which rows a measurement gives, what they weigh, and who pulls which.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::world::{Actor, World};

const FACTS: &str = "query($first: Int, $after: String, $filter: KpiFactFilter) {
    kpiFacts(first: $first, after: $after, filter: $filter) {
        nodes {
            rowId measurementId kpiId kpiKey kpiName unit currency direction measuredOn value numerator denominator
            sampleSize channelId segmentId target warning state blueprintId blueprintKey phaseId phaseName stage
            touchpointId touchpointKey touchpointName departmentId departmentKey departmentName role isDelivering
            rowWeight
        }
        pageInfo { hasNextPage endCursor }
    }
}";

impl Actor<'_> {
    /// Pulls every row, in pages of this size.
    async fn pulls(&self, filter: Value, first: u32) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut after = Value::Null;
        loop {
            let variables = json!({ "first": first, "after": after, "filter": filter });
            let page = self.ask(FACTS, variables).await["kpiFacts"].take();
            rows.extend(page["nodes"].as_array().expect("nodes").iter().cloned());
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                return rows;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

fn weight(rows: &[Value]) -> f64 {
    let weights = rows
        .iter()
        .map(|row| row["rowWeight"].as_f64().expect("a weight"));
    // Sums of thirds and fifths: rounded to what the eye can tell apart.
    (weights.sum::<f64>() * 1e9).round() / 1e9
}

fn counts(rows: &[Value], field: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts
            .entry(row[field].to_string().replace('"', ""))
            .or_default() += 1;
    }
    counts
}

fn count(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs
        .iter()
        .map(|(word, count)| ((*word).to_owned(), *count))
        .collect()
}

#[tokio::test]
async fn the_demo_gives_360_rows_that_weigh_66_measurements() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let rows = ann.pulls(Value::Null, 200).await;
    assert_eq!((rows.len(), weight(&rows)), (360, 66.0));
    let ids: BTreeSet<String> = rows.iter().map(|row| row["rowId"].to_string()).collect();
    assert_eq!(ids.len(), 360, "every row has an id of its own");
    assert_eq!(
        counts(&rows, "state"),
        count(&[("MET", 115), ("MISSED", 245)])
    );
    let roles = [
        ("ACCOUNTABLE", 114),
        ("RESPONSIBLE", 159),
        ("CONSULTED", 60),
        ("INFORMED", 27),
    ];
    assert_eq!(counts(&rows, "role"), count(&roles));
    assert_eq!(
        counts(&rows, "isDelivering"),
        count(&[("true", 273), ("false", 87)])
    );
    for (direction, met, missed) in [("HIGHER", 40, 182), ("LOWER", 75, 63)] {
        let these: Vec<Value> = rows
            .iter()
            .filter(|row| row["direction"] == direction)
            .cloned()
            .collect();
        assert_eq!(
            counts(&these, "state"),
            count(&[("MET", met), ("MISSED", missed)]),
            "{direction}"
        );
    }
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_rows_in_the_same_order() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let whole = ann.pulls(Value::Null, 200).await;
    for first in [1, 7, 48, 199] {
        assert_eq!(
            ann.pulls(Value::Null, first).await,
            whole,
            "in pages of {first}"
        );
    }
    let filter = json!({ "roles": ["ACCOUNTABLE"], "states": ["MET"] });
    let some = ann.pulls(filter.clone(), 200).await;
    assert_eq!(ann.pulls(filter, 3).await, some);
    let right = |row: &&Value| row["role"] == "ACCOUNTABLE" && row["state"] == "MET";
    assert_eq!(
        whole.iter().filter(right).cloned().collect::<Vec<_>>(),
        some
    );
}

#[tokio::test]
async fn a_filter_takes_rows_away_and_changes_no_weight() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let whole = ann.pulls(Value::Null, 200).await;
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    type Right = Box<dyn Fn(&Value) -> bool>;
    let filters: Vec<(Value, Right)> = vec![
        (
            json!({ "from": "2025-02-28", "to": "2025-03-31" }),
            Box::new(|row| row["measuredOn"] == "2025-02-28"),
        ),
        (
            json!({ "kpiKeys": ["ku1", "KB2"] }),
            Box::new(move |row| ["KU1", "KB2"].contains(&text(row, "kpiKey").as_str())),
        ),
        (
            json!({ "departmentKeys": ["B-AFTERSALES"] }),
            Box::new(|row| row["departmentKey"] == "b-aftersales"),
        ),
        (
            json!({ "blueprintKeys": ["bp-rental"] }),
            Box::new(|row| row["blueprintKey"] == "bp-rental"),
        ),
        (
            json!({ "roles": ["INFORMED"] }),
            Box::new(|row| row["role"] == "INFORMED"),
        ),
        (
            json!({ "states": ["MISSED"] }),
            Box::new(|row| row["state"] == "MISSED"),
        ),
        (
            json!({ "states": ["NO_DATA", "AT_RISK"] }),
            Box::new(|_| false),
        ),
        (json!({ "kpiKeys": [] }), Box::new(|_| false)),
    ];
    for (filter, right) in filters {
        let expected: Vec<Value> = whole.iter().filter(|row| right(row)).cloned().collect();
        assert_eq!(ann.pulls(filter.clone(), 50).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_lead_pulls_the_rows_of_the_departments_that_they_lead() {
    let world = World::demo().await;
    let analysts = ["ann-cx"];
    for (login, rows, weighs) in [
        ("bo-lead-fund", 15, 12.0),
        ("cia-lead-marketing", 33, 15.0),
        ("jon-lead-aftersales", 24, 15.0),
        ("kim-lead-finance", 15, 12.0),
        ("hal-cx", 51, 9.0),
        ("lea-cx", 93, 21.0),
    ] {
        let pulled = world.sign_in(login).await.pulls(Value::Null, 20).await;
        assert_eq!((pulled.len(), weight(&pulled)), (rows, weighs), "{login}");
    }
    for login in analysts {
        assert_eq!(
            world
                .sign_in(login)
                .await
                .pulls(Value::Null, 200)
                .await
                .len(),
            360
        );
    }
}

#[tokio::test]
async fn whoever_leads_nothing_and_analyses_nothing_is_refused() {
    let world = World::small().await;
    for login in ["stranger", "viewer", "contributor", "admin"] {
        let answer = world.sign_in(login).await.send(FACTS, json!({})).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "FORBIDDEN",
            "{login}: {answer}"
        );
        assert_eq!(
            answer["errors"][0]["extensions"]["requiredPermission"],
            "PULL_FLAT_ROWS"
        );
        assert_eq!(answer["data"]["kpiFacts"], Value::Null);
    }
}
