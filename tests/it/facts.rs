//! Flat rows: which rows a measurement gives, what they weigh, and who pulls which.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use entity::{
    blueprint, responsibility,
    words::{ResponsibilityStatus, Role},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, Set,
    sea_query::{Expr, ExprTrait},
};
use serde_json::{Value, json};

use crate::{
    bi::in_camels,
    ids::Ids,
    world::{Actor, World},
};

const FACTS: &str = "query($first: Int, $after: String, $filter: KpiFactFilter) {
    kpiFacts(first: $first, after: $after, filter: $filter) {
        nodes {
            rowId measurementId kpiId kpiKey kpiName unit currency direction measuredOn value numerator denominator
            sampleSize channelId segmentId target warning state blueprintId blueprintKey phaseId phaseName stage
            touchpointId touchpointKey touchpointName departmentId departmentKey departmentName role isDelivering
            rowWeight channelKey segmentKey
        }
        pageInfo { hasNextPage endCursor }
    }
}";

impl Actor<'_> {
    /// Pulls every row, in pages of this size.
    pub async fn pulls(&self, filter: Value, first: u32) -> Vec<Value> {
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

/// What the rows weigh together.
pub fn weight(rows: &[Value]) -> f64 {
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

pub const LINK: &str = "mutation($input: KpiLinkCreateInput!) { kpiLinkCreate(input: $input) { link { id } userErrors { message } } }";
pub const RECORD: &str = "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) { recorded corrected userErrors { message } } }";

/// The rows in words: KPI day value, place, department, role, state, 1/weight.
fn told(rows: &[Value]) -> Vec<String> {
    let word = |row: &Value, field: &str| row[field].as_str().unwrap_or("-").to_owned();
    let told = |row: &Value| {
        let parts = [
            "kpiKey",
            "measuredOn",
            "blueprintKey",
            "phaseName",
            "touchpointKey",
            "departmentKey",
            "role",
            "state",
        ];
        let parts = parts.map(|field| word(row, field)).join(" ");
        format!(
            "{parts} 1/{}",
            (1.0 / row["rowWeight"].as_f64().expect("a weight")).round()
        )
    };
    let mut told: Vec<String> = rows.iter().map(told).collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_measurement_gives_a_row_for_every_place_that_its_kpi_judges() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    for (kpi, place, at) in [
        ("PRICE", "touchpointId", "T1"),
        ("PRICE", "phaseId", "open/after"),
        ("PRICE", "blueprintId", "closed"),
        ("PRICE", "touchpointId", "D1"),
        ("PRICE", "touchpointId", "F1"),
    ] {
        cx.does(
            LINK,
            json!({ "kpiId": ids[kpi], place: ids[at], "validFrom": "2025-03-01" }),
        )
        .await;
    }
    let at = |place: &str, value: f64| json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-03-31", "value": value, "touchpointId": ids[place] });
    cx.does(
        RECORD,
        json!({ "measurements": [at("T2", 1.0), at("T3", 0.5), at("D1", 7.0), at("C1", 3.0)] }),
    )
    .await;
    let wide = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-02-28", "value": 2.75, "channelId": ids["PHONE"] });
    cx.does(RECORD, json!({ "measurements": [wide] })).await;
    let march = json!({ "from": "2025-03-31", "to": "2025-04-01", "kpiKeys": ["price"] });
    let mut expected = vec![
        // Measured as a whole: every place.
        "PRICE 2025-03-31 open Before T1 - - MISSED 1/6",
        "PRICE 2025-03-31 open Before T2 finance CONSULTED MISSED 1/6",
        "PRICE 2025-03-31 open Before T2 sales ACCOUNTABLE MISSED 1/6",
        "PRICE 2025-03-31 open Before T2 sales RESPONSIBLE MISSED 1/6",
        "PRICE 2025-03-31 open After - - - MISSED 1/6",
        "PRICE 2025-03-31 closed - - - - MISSED 1/6",
        // Measured at a touchpoint that it judges.
        "PRICE 2025-03-31 open Before T2 finance CONSULTED MET 1/3",
        "PRICE 2025-03-31 open Before T2 sales ACCOUNTABLE MET 1/3",
        "PRICE 2025-03-31 open Before T2 sales RESPONSIBLE MET 1/3",
        // Measured where it judges nothing, or nothing that counts.
        "PRICE 2025-03-31 open Goal T3 - - MET 1/1",
        "PRICE 2025-03-31 closed Only C1 - - MISSED 1/1",
        "PRICE 2025-03-31 - - - - - MISSED 1/1",
    ];
    expected.sort_unstable();
    assert_eq!(told(&cx.pulls(march.clone(), 2).await), expected);
    // An analyst reads no drafts: what was measured in one is not there.
    expected.retain(|row| *row != "PRICE 2025-03-31 - - - - - MISSED 1/1");
    let analyst = world.sign_in("analyst").await;
    assert_eq!(told(&analyst.pulls(march.clone(), 5).await), expected);
    assert_eq!(weight(&analyst.pulls(march.clone(), 5).await), 4.0);
    let february = json!({ "from": "2025-02-01", "to": "2025-03-01" });
    let whole = told(&analyst.pulls(february, 50).await);
    let states: Vec<&str> = whole
        .iter()
        .filter_map(|row| row.split(' ').nth(7))
        .collect();
    assert_eq!(
        states, ["AT_RISK"; 6],
        "the measurement of the channel is judged beside the whole one"
    );
    // A lead sees the rows of the departments they lead, and those weigh one measurement.
    let treasurer = told(
        &world
            .sign_in("treasurer")
            .await
            .pulls(march.clone(), 50)
            .await,
    );
    let theirs = ["MET", "MISSED"]
        .map(|state| format!("PRICE 2025-03-31 open Before T2 finance CONSULTED {state} 1/1"));
    assert_eq!(treasurer, theirs);
    let lead = told(&world.sign_in("lead").await.pulls(march, 50).await);
    assert_eq!(lead.len(), 4);
    assert!(lead.iter().all(|row| row.ends_with("1/2")), "{lead:?}");
}

#[tokio::test]
async fn a_confidential_kpi_gives_no_row_to_whom_its_values_are_hidden() {
    let world = World::small().await;
    let secret = json!({ "kpiKeys": ["SECRET"] });
    let rows = [
        "SECRET 2025-03-31 open Goal T3 courier RESPONSIBLE MISSED 1/2",
        "SECRET 2025-03-31 open Goal T3 service ACCOUNTABLE MISSED 1/2",
    ];
    for login in ["cx-manager", "auditor"] {
        assert_eq!(
            told(&world.sign_in(login).await.pulls(secret.clone(), 50).await),
            rows,
            "{login}"
        );
    }
    let own = "SECRET 2025-03-31 open Goal T3 service ACCOUNTABLE MISSED 1/1";
    assert_eq!(
        told(
            &world
                .sign_in("neighbour")
                .await
                .pulls(secret.clone(), 50)
                .await
        ),
        [own]
    );
    for login in ["analyst", "partner", "lead"] {
        assert_eq!(
            world.sign_in(login).await.pulls(secret.clone(), 50).await,
            Vec::<Value>::new(),
            "{login}"
        );
    }
}

#[tokio::test]
async fn a_superseded_measurement_gives_no_row() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let correction = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-03-31", "value": 0.5 });
    assert_eq!(
        cx.does(RECORD, json!({ "measurements": [correction] }))
            .await["corrected"],
        1
    );
    let rows = cx
        .pulls(json!({ "from": "2025-03-31", "kpiKeys": ["PRICE"] }), 50)
        .await;
    assert_eq!(counts(&rows, "value"), count(&[("0.5", 3)]));
}

#[tokio::test]
async fn a_day_is_judged_by_what_held_when_it_ended_where_we_are() {
    // The day of 2025-03-30 ends at 21:00 UTC in Athens: the clocks went forward that morning.
    for (zone, ends) in [
        (chrono_tz::Europe::Athens, "2025-03-30T21:00:00Z"),
        (chrono_tz::UTC, "2025-03-31T00:00:00Z"),
        (chrono_tz::America::Los_Angeles, "2025-03-31T07:00:00Z"),
    ] {
        let world = World::in_zone(zone).await;
        world
            .load(crate::world::ORGANISATION)
            .await
            .expect("the document loads");
        let ids = Ids::of(&world).await;
        let cx = world.sign_in("cx-manager").await;
        let day = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-03-30", "value": 1 });
        cx.does(RECORD, json!({ "measurements": [day] })).await;
        let ends: DateTime<Utc> = ends.parse().expect("a moment");
        let tick = Duration::microseconds(1);
        for (from, to, held) in [
            (None, None, true),
            (Some(ends - tick), None, true),
            (Some(ends), None, false),
            (None, Some(ends), true),
            (None, Some(ends - tick), false),
        ] {
            let status = if to.is_some() {
                ResponsibilityStatus::Ended
            } else {
                ResponsibilityStatus::Accepted
            };
            responsibility::Entity::update_many()
                .set(responsibility::ActiveModel {
                    valid_from: Set(from),
                    valid_to: Set(to),
                    status: Set(status),
                    ..Default::default()
                })
                .filter(responsibility::Column::Role.eq(Role::Consulted))
                .exec(&world.db())
                .await
                .expect("it changes");
            blueprint::Entity::update_many()
                .col_expr(
                    blueprint::Column::Revision,
                    Expr::col(blueprint::Column::Revision).add(1),
                )
                .exec(&world.db())
                .await
                .expect("so do the blueprints");
            let rows = cx
                .pulls(json!({ "from": "2025-03-30", "to": "2025-03-31" }), 50)
                .await;
            assert_eq!(
                rows.len(),
                if held { 3 } else { 2 },
                "{zone}: from {from:?} to {to:?}"
            );
            let feed = "/bi/v1/kpi_facts.ndjson?from=2025-03-30&to=2025-03-31";
            let lines = cx.lines(feed).await;
            assert_eq!(lines.iter().map(in_camels).collect::<Vec<_>>(), rows);
        }
    }
}

#[tokio::test]
async fn rows_are_counted_where_that_is_asked() {
    let world = World::small().await;
    let count =
        "query($filter: KpiFactFilter) { kpiFacts(first: 1, filter: $filter) { totalCount } }";
    for login in ["analyst", "lead", "auditor"] {
        let actor = world.sign_in(login).await;
        for filter in [
            json!({}),
            json!({ "from": "2025-02-01", "to": "2025-03-01" }),
            json!({ "from": "2025-02-01", "to": "2025-02-01" }),
            json!({ "kpiKeys": ["price"] }),
            json!({ "kpiKeys": ["price"], "roles": ["ACCOUNTABLE"] }),
            json!({ "departmentKeys": ["sales"], "states": ["MET", "AT_RISK"] }),
            json!({ "blueprintKeys": [] }),
        ] {
            let rows = actor.pulls(filter.clone(), 7).await.len();
            let told = actor.ask(count, json!({ "filter": filter })).await;
            assert_eq!(told["kpiFacts"]["totalCount"], rows, "{login}: {filter}");
        }
    }
}

#[tokio::test]
async fn a_range_that_is_turned_round_is_refused_wherever_one_is_taken() {
    let world = World::small().await;
    let auditor = world.sign_in("auditor").await;
    let range = "from: \"2025-04-01\", to: \"2025-01-01\"";
    let moments = "from: \"2025-04-01T00:00:00Z\", to: \"2025-01-01T00:00:00Z\"";
    for document in [
        format!("{{ kpiFacts(filter: {{ {range} }}) {{ nodes {{ rowId }} }} }}"),
        format!("{{ feedback(filter: {{ {range} }}) {{ nodes {{ id }} }} }}"),
        format!("{{ feedbackSummary(filter: {{ {range} }}) {{ __typename }} }}"),
        format!(
            "{{ kpi(by: {{ key: \"PRICE\" }}) {{ measurements({range}) {{ nodes {{ id }} }} }} }}"
        ),
        format!(
            "{{ blueprint(by: {{ key: \"open\" }}) {{ phases {{ touchpoints {{ feedback({range}) {{ __typename }} }} }} }} }}"
        ),
        format!("{{ auditEvents(filter: {{ {moments} }}) {{ nodes {{ id }} }} }}"),
    ] {
        let answer = auditor.send(&document, json!({})).await;
        let error = &answer["errors"][0];
        assert_eq!(
            error["message"], "`from` lies after `to`.",
            "{document}: {answer}"
        );
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{document}");
    }
}
