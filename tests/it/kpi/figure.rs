//! The current figure: one value of a KPI at a place on a day, whoever asks and wherever it is shown.

use serde_json::{Value, json};

use super::{CREATE, TARGET, UPDATE};
use crate::{
    ids::Ids,
    world::{Actor, World},
};

const FIGURE: &str = "
    value n state periodStart periodEnd periods periodsSince place isDecided target { value }
    running { value n periodStart pace }
    parts { value n state channel { key } segment { key } touchpoint { key } target { value } }";

impl Actor<'_> {
    /// Makes a KPI with these settings, targets from days on, and measurements; gives its id.
    async fn makes_measured(&self, settings: Value, targets: Value, measured: Value) -> String {
        let ids = Ids::of(self.world).await;
        let mut input = json!({ "name": settings["key"], "type": "OTHER", "unit": "COUNT", "direction": "HIGHER",
            "aggregation": "AVERAGE", "cadence": "MONTHLY", "ownerDepartmentId": ids["sales"] });
        merge(&mut input, &settings);
        let kpi = self.does(CREATE, input).await["kpi"]["id"].clone();
        for target in targets.as_array().expect("targets") {
            let mut input = json!({ "kpiId": kpi });
            merge(&mut input, target);
            self.does(TARGET, input).await;
        }
        let measured = measured.as_array().expect("measurements").iter();
        let measured = measured.map(|one| {
            let mut input = json!({ "kpiId": kpi });
            merge(&mut input, one);
            input
        });
        let recorded = self.records(Value::Array(measured.collect())).await;
        assert_eq!(recorded["userErrors"], json!([]), "{recorded}");
        kpi.as_str().expect("an id").to_owned()
    }

    /// The figure of a KPI as a whole on a day.
    async fn figure(&self, key: &str, day: &str) -> Value {
        let document = format!(
            "query($key: String!, $day: Date) {{ kpi(by: {{ key: $key }}) {{
                state(asOf: $day) target(asOf: $day) {{ value }} freshness(asOf: $day) {{ state }}
                current(asOf: $day) {{ {FIGURE} }} }} }}"
        );
        let answer = self.ask(&document, json!({ "key": key, "day": day })).await;
        let kpi = &answer["kpi"];
        let figure = kpi["current"].clone();
        assert_eq!(kpi["state"], figure["state"], "{answer}");
        assert_eq!(
            kpi["target"]["value"], figure["target"]["value"],
            "{answer}"
        );
        let is_none = kpi["freshness"]["state"] == "NONE";
        assert_eq!(is_none, figure["state"] == "NO_DATA", "{answer}");
        figure
    }
}

fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().expect("an object") {
        into[key] = value.clone();
    }
}

/// Asserts fields of a figure.
#[track_caller]
fn has(figure: &Value, expected: Value) {
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&figure[key], value, "{key} of {figure}");
    }
}

fn share(day: &str, numerator: f64, denominator: f64) -> Value {
    json!({ "measuredOn": day, "value": 100.0 * numerator / denominator, "numerator": numerator,
        "denominator": denominator })
}

fn nps() -> Value {
    json!({ "key": "NPS", "type": "NPS", "unit": "SCORE", "aggregation": "RATIO", "minimumSample": 10 })
}

#[tokio::test]
async fn a_running_month_counts_when_enough_people_have_answered() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let measured = json!([
        share("2025-11-03", 9.0, 9.0),
        share("2025-11-04", -1.0, 1.0)
    ]);
    let target = json!([{ "validFrom": "2025-01-01", "value": 40.0 }]);
    cx.makes_measured(nps(), target, measured).await;
    let figure = cx.figure("NPS", "2025-11-04").await;
    has(
        &figure,
        json!({ "value": 80.0, "n": 10.0, "state": "MET", "running": null, "isDecided": false, "periods": 1,
            "place": "WHOLE", "periodStart": "2025-11-01", "periodEnd": "2025-12-01", "periodsSince": 0, "parts": [] }),
    );
    // The day before there were nine.
    let figure = cx.figure("NPS", "2025-11-03").await;
    has(
        &figure,
        json!({ "value": 100.0, "n": 9.0, "state": "TOO_FEW", "periods": 1,
            "running": { "value": 100.0, "n": 9.0, "periodStart": "2025-11-01", "pace": null } }),
    );
}

#[tokio::test]
async fn months_of_few_answers_are_put_together_where_that_makes_enough() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let few = json!([
        share("2025-10-07", -1.0, 1.0),
        share("2025-11-10", 2.0, 4.0)
    ]);
    cx.makes_measured(nps(), json!([]), few).await;
    let figure = cx.figure("NPS", "2025-11-20").await;
    has(
        &figure,
        json!({ "value": 50.0, "n": 4.0, "state": "TOO_FEW", "periods": 1, "periodStart": "2025-11-01" }),
    );
    let mut other = nps();
    other["key"] = json!("OTHER");
    // Of four months the newest three: (3 + 2 + 0) of (4 + 4 + 2).
    let several = json!([
        share("2025-07-07", 4.0, 4.0),
        share("2025-08-07", 3.0, 4.0),
        share("2025-10-07", 2.0, 4.0),
        share("2025-11-10", 0.0, 2.0),
    ]);
    let target = json!([{ "validFrom": "2025-01-01", "value": 50.0 }]);
    cx.makes_measured(other, target, several).await;
    let figure = cx.figure("OTHER", "2025-11-20").await;
    has(
        &figure,
        json!({ "value": 50.0, "n": 10.0, "state": "MET", "periods": 3, "periodStart": "2025-08-01",
            "periodEnd": "2025-12-01",
            "running": { "value": 0.0, "n": 2.0, "periodStart": "2025-11-01", "pace": null } }),
    );
}

#[tokio::test]
async fn a_month_that_has_just_begun_is_told_beside_the_figure() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let measured = json!([
        share("2025-10-20", 88.2, 210.0),
        share("2025-11-02", -2.0, 5.0)
    ]);
    let target = json!([{ "validFrom": "2025-01-01", "value": 40.0 }]);
    cx.makes_measured(nps(), target, measured).await;
    has(
        &cx.figure("NPS", "2025-11-02").await,
        json!({ "value": 42.0, "n": 210.0, "state": "MET", "periodStart": "2025-10-01",
            "running": { "value": -40.0, "n": 5.0, "periodStart": "2025-11-01", "pace": null } }),
    );
    // Enough by the minimum, and half of the month before.
    let more = json!([{ "key": "QUEUE", "unit": "MINUTES", "direction": "LOWER" }]);
    let days =
        (1..=30).map(|day| json!({ "measuredOn": format!("2025-11-{day:02}"), "value": 8.0 }));
    let mut days: Vec<Value> = days.collect();
    days.push(json!({ "measuredOn": "2025-12-01", "value": 45.0 }));
    cx.makes_measured(more[0].clone(), json!([]), Value::Array(days))
        .await;
    has(
        &cx.figure("QUEUE", "2025-12-01").await,
        json!({ "value": 8.0, "n": 30.0, "state": "NO_TARGET",
            "running": { "value": 45.0, "n": 1.0, "periodStart": "2025-12-01", "pace": null } }),
    );
    // The last day of a period has ended it.
    has(
        &cx.figure("QUEUE", "2025-11-30").await,
        json!({ "value": 8.0, "n": 30.0, "running": null, "periodsSince": 0 }),
    );
}

#[tokio::test]
async fn a_sum_is_told_of_whole_periods_unless_it_is_decided() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let complaints = json!({ "key": "COMPLAINTS", "direction": "LOWER", "aggregation": "SUM" });
    let target = json!([{ "validFrom": "2025-01-01", "value": 400.0 }]);
    let measured = json!([
        { "measuredOn": "2025-04-30", "value": 390.0 },
        { "measuredOn": "2025-05-05", "value": 300.0 },
        { "measuredOn": "2025-05-12", "value": 220.0 },
    ]);
    cx.makes_measured(complaints, target, measured).await;
    has(
        &cx.figure("COMPLAINTS", "2025-05-12").await,
        json!({ "value": 520.0, "state": "MISSED", "isDecided": true, "running": null, "periodStart": "2025-05-01" }),
    );
    // 300 of 400 after 11 of 31 days.
    has(
        &cx.figure("COMPLAINTS", "2025-05-11").await,
        json!({ "value": 390.0, "state": "MET", "isDecided": false, "periodStart": "2025-04-01",
            "running": { "value": 300.0, "n": 1.0, "periodStart": "2025-05-01", "pace": "BEHIND" } }),
    );
    let members = json!({ "key": "MEMBERS", "aggregation": "SUM", "cadence": "YEARLY" });
    let target = json!([{ "validFrom": "2024-01-01", "value": 12_000.0 }]);
    let measured = json!([
        { "measuredOn": "2024-12-31", "value": 12_500.0 },
        { "measuredOn": "2025-06-30", "value": 5_000.0 },
    ]);
    cx.makes_measured(members, target, measured).await;
    has(
        &cx.figure("MEMBERS", "2025-06-30").await,
        json!({ "value": 12_500.0, "state": "MET", "periodStart": "2024-01-01",
            "running": { "value": 5_000.0, "n": 1.0, "periodStart": "2025-01-01", "pace": "BEHIND" } }),
    );
    // A value below zero can bring a sum back: nothing is decided.
    let returns =
        json!({ "key": "NET", "unit": "CURRENCY", "currency": "DKK", "aggregation": "SUM" });
    let measured = json!([
        { "measuredOn": "2025-05-01", "value": -1.0 },
        { "measuredOn": "2025-05-02", "value": 500.0 },
    ]);
    cx.makes_measured(
        returns,
        json!([{ "validFrom": "2025-01-01", "value": 100.0 }]),
        measured,
    )
    .await;
    has(
        &cx.figure("NET", "2025-05-12").await,
        json!({ "value": 499.0, "state": "TOO_FEW", "isDecided": false,
            "running": { "value": 499.0, "n": 2.0, "periodStart": "2025-05-01", "pace": "AHEAD" } }),
    );
}

#[tokio::test]
async fn last_values_of_parts_add_up_where_the_kpi_says_so() {
    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let (phone, web) = (&ids["PHONE"], &ids["WEB"]);
    let settings = json!({ "key": "FOLLOWERS", "aggregation": "LAST" });
    let targets = json!([
        { "validFrom": "2025-01-01", "value": 20_000.0 },
        { "validFrom": "2025-01-01", "channelId": phone, "value": 900.0 },
    ]);
    let measured = json!([
        { "measuredOn": "2025-03-01", "value": 19_000.0, "channelId": web },
        { "measuredOn": "2025-03-10", "value": 20_000.0, "channelId": web },
        { "measuredOn": "2025-03-20", "value": 900.0, "channelId": phone },
    ]);
    let id = cx.makes_measured(settings, targets, measured).await;
    let figure = cx.figure("FOLLOWERS", "2025-03-31").await;
    has(
        &figure,
        json!({ "value": null, "state": "BY_PART_ONLY", "n": 3.0 }),
    );
    let told = |figure: &Value| {
        let parts = figure["parts"].as_array().expect("parts").iter();
        let mut parts: Vec<Value> = parts
            .map(|part| {
                json!([
                    part["channel"]["key"],
                    part["value"],
                    part["state"],
                    part["target"]["value"]
                ])
            })
            .collect();
        parts.sort_by_key(Value::to_string);
        parts
    };
    assert_eq!(
        told(&figure),
        [
            json!(["PHONE", 900.0, "MET", 900.0]),
            json!(["WEB", 20_000.0, "MET", 20_000.0]),
        ]
    );
    let changed = json!({ "id": id, "expectedVersion": 1, "acrossParts": "SUM" });
    cx.does(UPDATE, changed).await;
    let figure = cx.figure("FOLLOWERS", "2025-03-31").await;
    has(
        &figure,
        json!({ "value": 20_900.0, "state": "MET", "n": 3.0 }),
    );
    // What the whole should reach says nothing of a part that is added to others.
    assert_eq!(
        told(&figure),
        [
            json!(["PHONE", 900.0, "MET", 900.0]),
            json!(["WEB", 20_000.0, "NO_TARGET", null]),
        ]
    );
    let refused = json!({ "id": id, "expectedVersion": 2, "aggregation": "SUM" });
    assert_eq!(cx.refused(UPDATE, refused).await, ["INVALID"]);
}

#[tokio::test]
async fn a_place_has_its_own_values_period_by_period() {
    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let there = &ids["T2"];
    let measured = json!([
        { "measuredOn": "2019-05-31", "value": 40.0, "touchpointId": there },
        { "measuredOn": "2025-03-31", "value": 70.0 },
    ]);
    let settings = json!({ "key": "OWN", "unit": "PERCENT" });
    let id = cx.makes_measured(settings, json!([]), measured).await;
    let link = json!({ "kpiId": id, "touchpointId": there });
    cx.does(super::LINK, link).await;
    let document = format!(
        "query($id: ID!) {{ node(id: $id) {{ ... on Touchpoint {{ kpis {{
            kpi {{ key }} state latest {{ value }} current {{ {FIGURE} }} }} }} }} }}"
    );
    let answer = cx.ask(&document, json!({ "id": there })).await;
    let links = answer["node"]["kpis"].as_array().expect("links");
    let link = links.iter().find(|link| link["kpi"]["key"] == "OWN");
    let link = link.expect("the link");
    // The latest measurement of the place stays what it was.
    assert_eq!(link["latest"]["value"], json!(40.0));
    has(
        &link["current"],
        json!({ "value": 70.0, "place": "WHOLE", "n": 1.0, "state": "NO_TARGET" }),
    );
    // Measured at touchpoints only: as a whole it is what they come to, of those that everybody may read.
    let measured = json!([
        { "measuredOn": "2025-03-30", "value": 10.0, "sampleSize": 3, "touchpointId": there },
        { "measuredOn": "2025-03-31", "value": 20.0, "sampleSize": 1, "touchpointId": ids["T3"] },
        { "measuredOn": "2025-03-31", "value": 99.0, "sampleSize": 9, "touchpointId": ids["D1"] },
    ]);
    cx.makes_measured(json!({ "key": "PLACES" }), json!([]), measured)
        .await;
    let figure = cx.figure("PLACES", "2025-03-31").await;
    has(
        &figure,
        json!({ "value": 12.5, "n": 4.0, "place": "TOUCHPOINTS" }),
    );
    assert_eq!(figure["parts"].as_array().expect("parts").len(), 2);
}

/// The sums of periods follow whatever becomes of measurements.
#[tokio::test]
async fn corrections_and_another_cadence_change_the_figure_at_once() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let measured = json!([
        { "measuredOn": "2025-01-31", "value": 4.0 },
        { "measuredOn": "2025-02-28", "value": 5.0 },
        { "measuredOn": "2025-03-31", "value": 9.0 },
    ]);
    let id = cx
        .makes_measured(json!({ "key": "SHIFT" }), json!([]), measured)
        .await;
    has(
        &cx.figure("SHIFT", "2025-03-31").await,
        json!({ "value": 9.0 }),
    );
    let again = json!([{ "kpiId": id, "measuredOn": "2025-03-31", "value": 6.0 }]);
    cx.records(again).await;
    has(
        &cx.figure("SHIFT", "2025-03-31").await,
        json!({ "value": 6.0, "n": 1.0 }),
    );
    let quarterly = json!({ "id": id, "expectedVersion": 1, "cadence": "QUARTERLY" });
    cx.does(UPDATE, quarterly).await;
    let figure = cx.figure("SHIFT", "2025-03-31").await;
    has(
        &figure,
        json!({ "value": 5.0, "n": 3.0, "periodStart": "2025-01-01", "periodEnd": "2025-04-01" }),
    );
    // On an earlier day only what was measured by then: of 4 and 5.
    has(
        &cx.figure("SHIFT", "2025-02-28").await,
        json!({ "value": 4.5, "n": 2.0 }),
    );
    let without = cx.figure("SHIFT", "2024-12-31").await;
    has(
        &without,
        json!({ "value": null, "n": 0.0, "state": "NO_DATA", "periods": 0, "periodStart": null, "place": null }),
    );
}
