//! Series: what values come to by period and group, held to the rows of `kpi_facts` and to answers worked out by hand;
//! and that what is kept in memory is never out of date, whichever server was written to.

pub mod held;
mod kept;

use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    facts::{LINK, RECORD},
    ids::Ids,
    world::{Actor, World},
};

pub const SERIES: &str = "query($input: KpiSeriesInput!, $first: Int, $after: String) {
    kpiSeries(input: $input, first: $first, after: $after) {
    nodes {
        rowId periodStart periodEnd isComplete kpiId kpiKey kpiName unit currency direction aggregation departmentId
        departmentKey departmentName blueprintId blueprintKey phaseId phaseName stage touchpointId touchpointKey
        touchpointName channelId channelKey personaId personaKey segmentId segmentKey value numerator denominator
        sampleSize measurements target warning state
    }
    pageInfo { hasNextPage endCursor }
} }";

impl Actor<'_> {
    /// Every point of a series, in pages of this size.
    pub async fn series(&self, input: Value, first: u32) -> Vec<Value> {
        let mut points = Vec::new();
        let mut after = Value::Null;
        loop {
            let answer = self
                .ask(
                    SERIES,
                    json!({ "input": input, "first": first, "after": after }),
                )
                .await;
            let mut page = answer["kpiSeries"].clone();
            points.extend(page["nodes"].as_array().expect("nodes").iter().cloned());
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                return points;
            }
            after = page["pageInfo"]["endCursor"].take();
        }
    }

    /// The sentence with which a series is refused.
    async fn is_refused(&self, input: Value) -> String {
        let answer = self.send(SERIES, json!({ "input": input })).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{answer}"
        );
        answer["errors"][0]["message"]
            .as_str()
            .expect("a sentence")
            .to_owned()
    }
}

/// A question about the first half of 2025.
pub fn ask(kpis: &[&str], dimensions: &[&str], grain: &str) -> Value {
    json!({
        "kpis": kpis, "dimensions": dimensions, "grain": grain,
        "timeRange": { "from": "2025-01-01", "to": "2025-07-01" },
    })
}

/// Points in words: period, what they stand for, value, how many values, target, state.
pub fn told(points: &[Value]) -> Vec<String> {
    let word = |point: &Value, field: &str| match &point[field] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        _ => "-".to_owned(),
    };
    points
        .iter()
        .map(|point| {
            let parts = [
                "periodStart",
                "departmentKey",
                "touchpointKey",
                "channelKey",
                "value",
                "measurements",
                "target",
                "state",
            ];
            parts.map(|field| word(point, field)).join(" ")
        })
        .collect()
}

#[tokio::test]
async fn the_demo_comes_to_what_was_measured() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let by_kpi = bea.series(ask_all(&["KPI"], "QUARTER"), 50).await;
    assert_eq!(by_kpi.len(), 22);
    let measured: i64 = by_kpi
        .iter()
        .map(|point| point["measurements"].as_i64().expect("a count"))
        .sum();
    assert_eq!(measured, 66);
    let by_department = bea
        .series(ask_all(&["KPI", "DEPARTMENT"], "QUARTER"), 50)
        .await;
    let facts = bea.pulls(Value::Null, 200).await;
    let pairs: std::collections::BTreeSet<(String, String)> = facts
        .iter()
        .map(|row| (row["kpiKey"].to_string(), row["departmentKey"].to_string()))
        .collect();
    assert_eq!(by_department.len(), pairs.len());
}

/// The same question about every KPI.
fn ask_all(dimensions: &[&str], grain: &str) -> Value {
    let mut input = ask(&[], dimensions, grain);
    input["kpis"] = Value::Null;
    input
}

#[tokio::test]
async fn values_of_a_touchpoint_come_before_those_of_the_whole_and_channels_are_told_apart() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    for at in ["T1", "T3"] {
        cx.does(
            LINK,
            json!({ "kpiId": ids["PRICE"], "touchpointId": ids[at] }),
        )
        .await;
    }
    let own = |day: &str, value: f64| json!({ "kpiId": ids["PRICE"], "measuredOn": day, "value": value, "touchpointId": ids["T3"] });
    let by_channel = |channel: &str, value: f64, size: i32| json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-02-10", "value": value, "channelId": ids[channel], "sampleSize": size });
    let measurements = [
        own("2025-03-10", 4.0),
        own("2025-03-20", 6.0),
        by_channel("PHONE", 1.0, 3),
        by_channel("WEB", 5.0, 1),
    ];
    cx.does(RECORD, json!({ "measurements": measurements }))
        .await;
    // January 2, February 2.5, March 1.5 as a whole.
    let whole = told(&cx.series(ask(&["PRICE"], &[], "MONTH"), 2).await);
    assert_eq!(
        whole,
        [
            "2025-01-01 - - - 2 1 2 MET",
            "2025-02-01 - - - 2.5 1 2 AT_RISK",
            "2025-03-01 - - - 1.5 1 1 MISSED",
        ]
    );
    let quarter = told(&cx.series(ask(&["price"], &[], "QUARTER"), 2).await);
    assert_eq!(quarter, ["2025-01-01 - - - 2 3 1 MISSED"]);
    let at = told(
        &cx.series(ask(&["PRICE"], &["TOUCHPOINT"], "MONTH"), 3)
            .await,
    );
    let march: Vec<&String> = at
        .iter()
        .filter(|point| point.starts_with("2025-03"))
        .collect();
    assert_eq!(
        march,
        [
            "2025-03-01 - T1 - 1.5 1 1 MISSED",
            "2025-03-01 - T2 - 1.5 1 1 MISSED",
            "2025-03-01 - T3 - 5 2 1 MISSED",
        ]
    );
    // Sales holds T2 twice, service T3, finance T2, the courier T3, and nobody T1.
    let held = told(
        &cx.series(ask(&["PRICE"], &["DEPARTMENT"], "QUARTER"), 3)
            .await,
    );
    assert_eq!(held.len(), 5, "{held:?}");
    assert!(
        held.contains(&"2025-01-01 sales - - 2 3 1 MISSED".to_owned()),
        "{held:?}"
    );
    assert!(
        held.contains(&"2025-01-01 service - - 5 2 1 MISSED".to_owned()),
        "{held:?}"
    );
    let channels = told(&cx.series(ask(&["PRICE"], &["CHANNEL"], "MONTH"), 3).await);
    assert_eq!(
        channels,
        [
            "2025-02-01 - - PHONE 1 1 2 MET",
            "2025-02-01 - - WEB 5 1 2 MISSED",
        ]
    );
    let mut phone = ask(&["PRICE"], &[], "MONTH");
    phone["filter"] = json!({ "channelKeys": ["phone", "web"] });
    assert_eq!(
        told(&cx.series(phone, 3).await),
        ["2025-02-01 - - - 2 2 2 MET"]
    );
}

#[tokio::test]
async fn what_is_not_defined_is_refused_with_a_sentence() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let kpis = bea
        .ask(
            "{ kpis(first: 50) { nodes { key unit aggregation cadence } } }",
            json!({}),
        )
        .await;
    let kpis = kpis["kpis"]["nodes"].as_array().expect("nodes").clone();
    let of = |field: &str, word: &str| -> Vec<&str> {
        let these = kpis.iter().filter(|kpi| kpi[field] == word);
        these
            .map(|kpi| kpi["key"].as_str().expect("a key"))
            .collect()
    };
    let last = of("aggregation", "LAST");
    let percent = of("unit", "PERCENT");
    let days = of("unit", "DAYS");
    for (input, sentence) in [
        (
            ask(&[percent[0], days[0]], &[], "QUARTER"),
            "Units never mix",
        ),
        (
            ask(&[percent[0]], &[], "DAY"),
            "is finer than the cadence of",
        ),
        (
            ask(&[percent[0]], &["CHANNEL"], "QUARTER"),
            "Not measured by channel",
        ),
        (
            ask(&[percent[0]], &["SEGMENT"], "QUARTER"),
            "Not measured by segment",
        ),
        (
            ask(&[percent[0]], &["KPI", "KPI"], "QUARTER"),
            "each dimension of a series only once",
        ),
        (ask_all(&[], "QUARTER"), "Units never mix"),
    ] {
        let told = bea.is_refused(input.clone()).await;
        assert!(told.contains(sentence), "{input}: {told}");
    }
    let alike = last.iter().find_map(|one| {
        let unit = |key: &str| {
            let kpi = kpis.iter().find(|kpi| kpi["key"] == key).expect("it");
            (kpi["unit"].clone(), kpi["cadence"].clone())
        };
        let other = last
            .iter()
            .find(|other| *other != one && unit(other) == unit(one))?;
        Some((*one, *other))
    });
    if let Some((one, other)) = alike {
        let told = bea.is_refused(ask(&[one, other], &[], "YEAR")).await;
        assert!(
            told.contains("LAST is not defined for several KPIs")
                || told.contains("never mix")
                || told.contains("in common"),
            "{told}"
        );
    }
    let mut backwards = ask(&[percent[0]], &[], "QUARTER");
    backwards["timeRange"] = json!({ "from": "2025-07-01", "to": "2025-01-01" });
    assert!(bea.is_refused(backwards).await.contains("lies after"));
    let mut long = ask(&[percent[0]], &[], "QUARTER");
    long["timeRange"] = json!({ "from": "1990-01-01", "to": "2025-01-01" });
    assert!(bea.is_refused(long).await.contains("at most 3660 days"));
}

#[tokio::test]
async fn who_may_not_pull_is_told_so() {
    let world = World::small().await;
    for login in ["stranger", "viewer", "contributor", "admin"] {
        let actor = world.sign_in(login).await;
        let input = json!({ "input": ask(&["PRICE"], &[], "MONTH") });
        let answer = actor.send(SERIES, input).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "FORBIDDEN",
            "{login}"
        );
    }
}

#[tokio::test]
async fn points_come_in_the_order_that_is_asked_for() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let values = |points: Vec<Value>| -> Vec<f64> {
        points
            .iter()
            .map(|point| point["value"].as_f64().expect("a value"))
            .collect()
    };
    let mut input = ask_all(&["KPI"], "QUARTER");
    for (order, up) in [("VALUE_ASCENDING", true), ("VALUE_DESCENDING", false)] {
        input["orderBy"] = json!(order);
        let values = values(bea.series(input.clone(), 7).await);
        assert_eq!(values.len(), 22);
        let sorted = values.is_sorted_by(|one, next| if up { one <= next } else { one >= next });
        assert!(sorted, "{order}: {values:?}");
    }
    input["orderBy"] = json!("PERIOD");
    let days: Vec<Value> = bea
        .series(input, 7)
        .await
        .into_iter()
        .map(|mut point| point["periodStart"].take())
        .collect();
    assert_eq!(days.len(), 22);
    assert!(days.is_sorted_by_key(|day| day.to_string()));
}

#[tokio::test]
async fn by_default_a_feed_of_series_has_every_value_until_its_end_and_none_after_it() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let read = async |asked: &str| {
        let address = format!("/bi/v1/kpi_series_month.csv?by=kpi&{asked}");
        analyst.feeds(&address).await.text().to_owned()
    };
    let whole = read("from=2025-01-01&to=2030-01-01").await;
    assert!(whole.lines().count() > 3, "{whole}");
    assert_eq!(read("to=2030-01-01").await, whole);
    // The end cuts the last period, whether or not the beginning is said.
    for to in ["2025-03-15", "2025-02-01", "2025-01-31"] {
        let cut = read(&format!("from=2025-01-01&to={to}")).await;
        assert_eq!(read(&format!("to={to}")).await, cut, "{to}");
    }
    // Nothing lies in an empty range, on every face.
    for none in [
        "to=2020-01-01",
        "from=2027-01-01",
        "from=2025-02-01&to=2025-02-01",
    ] {
        assert_eq!(read(none).await.lines().count(), 1, "{none}");
    }
    let empty = "{ kpiSeries(input: { dimensions: [KPI], grain: MONTH, timeRange: { from: \"2025-02-01\", to: \"2025-02-01\" } }) { nodes { value } } }";
    let told = analyst.ask(empty, json!({})).await;
    assert_eq!(told["kpiSeries"]["nodes"], json!([]));
    let reversed = empty.replace("to: \"2025-02-01\"", "to: \"2025-01-01\"");
    let told = analyst.send(&reversed, json!({})).await;
    assert_eq!(told["errors"][0]["message"], "`from` lies after `to`.");
}

#[tokio::test]
async fn head_of_a_series_is_refused_as_the_series_is() {
    let world = World::small().await;
    let bearer = format!("Bearer {}", world.sign_in("analyst").await.token);
    for (asked, right) in [
        ("kpi_series.csv?grain=month&by=kpi", true),
        ("kpi_series.csv?grain=day&kpi=PRICE", false),
        ("kpi_series_month.csv?from=2005-03-01&to=2026-01-01", false),
        ("kpi_facts.csv?from=2005-03-01&to=2026-01-01", false),
        ("kpi_facts.csv?from=2025-03-01", true),
    ] {
        for method in [Method::HEAD, Method::GET] {
            let headers = [("authorization", &*bearer)];
            let answer =
                crate::bi::send(&world, method.clone(), &format!("/bi/v1/{asked}"), &headers).await;
            assert_eq!(
                answer.status.is_success(),
                right,
                "{method} {asked}: {}",
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn a_filter_on_kpis_changes_no_sum_over_them() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    // Another of the same unit: a row over both names neither.
    let kpi = json!({ "key": "OTHER", "name": "Other days", "type": "OTHER", "unit": "DAYS", "direction": "LOWER",
        "aggregation": "AVERAGE", "cadence": "MONTHLY", "ownerDepartmentId": ids["sales"], "scope": "TRANSACTIONAL" });
    let make = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) { kpi { id } userErrors { message } } }";
    let other = cx.does(make, kpi).await["kpi"]["id"].take();
    let value = json!({ "kpiId": other, "measuredOn": "2025-03-31", "value": 50 });
    cx.does(RECORD, json!({ "measurements": [value] })).await;
    let set = "kpi_series?grain=year";
    let whole = analyst.odata_json(set).await;
    assert_eq!(whole["value"][0]["kpi_key"], Value::Null, "{whole}");
    let of_price = analyst
        .odata_json(&format!("{set}&$filter=kpi_key%20eq%20'PRICE'"))
        .await;
    assert_eq!(
        of_price["value"],
        json!([]),
        "rows over several KPIs name none of them"
    );
    let by_kpi = analyst
        .odata(&format!("{set}&by=kpi&$filter=kpi_key%20eq%20'PRICE'"), &[])
        .await;
    assert!(by_kpi.text().contains("PRICE"), "{}", by_kpi.text());
}

#[tokio::test]
async fn a_trend_is_told_without_the_noise_of_binary_fractions() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let values = [
        ("2025-01-31", 0.2),
        ("2025-02-28", 0.3),
        ("2025-03-31", 0.1),
    ];
    let values = values
        .map(|(day, value)| json!({ "kpiId": ids["PRICE"], "measuredOn": day, "value": value }));
    cx.does(crate::facts::RECORD, json!({ "measurements": values }))
        .await;
    let asked =
        "{ kpi(by: { key: \"PRICE\" }) { trend(asOf: \"2025-04-15\", periods: 4) { change } } }";
    let told = cx.ask(asked, json!({})).await;
    // As doubles are taken from one another: -0.19999999999999998.
    assert_eq!(told["kpi"]["trend"]["change"].to_string(), "-0.2");
}

#[tokio::test]
async fn a_kpi_tells_how_it_has_gone_and_whether_it_is_fresh() {
    let world = World::small().await;
    let query = "query($day: Date!) { kpi(by: { key: \"PRICE\" }) {
        trend(asOf: $day, periods: 4) { grain direction change points { periodStart isComplete value target state } }
        freshness(asOf: $day) { state measuredOn }
    } }";
    let analyst = world.sign_in("analyst").await;
    let april = analyst.ask(query, json!({ "day": "2025-04-15" })).await;
    let point = |start: &str, complete: bool, value: Value, target: Value, state: &str| json!({ "periodStart": start, "isComplete": complete, "value": value, "target": target, "state": state });
    let expected = json!({
        "grain": "MONTH",
        // Fewer days are better.
        "direction": "IMPROVING",
        "change": -1.0,
        "points": [
            point("2025-01-01", true, json!(2.0), json!(2.0), "MET"),
            point("2025-02-01", true, json!(2.5), json!(2.0), "AT_RISK"),
            point("2025-03-01", true, json!(1.5), json!(1.0), "MISSED"),
            point("2025-04-01", false, Value::Null, json!(1.0), "NO_DATA"),
        ],
    });
    assert_eq!(april["kpi"]["trend"], expected);
    let fresh = json!({ "state": "FRESH", "measuredOn": "2025-03-31" });
    assert_eq!(april["kpi"]["freshness"], fresh);
    let july = analyst.ask(query, json!({ "day": "2025-07-15" })).await;
    assert_eq!(july["kpi"]["freshness"]["state"], "STALE");
    assert_eq!(july["kpi"]["trend"]["direction"], Value::Null);
    let before = analyst.ask(query, json!({ "day": "2024-12-31" })).await;
    assert_eq!(
        before["kpi"]["freshness"],
        json!({ "state": "NONE", "measuredOn": null })
    );
    let hidden = "{ kpi(by: { key: \"SECRET\" }) { trend { grain } freshness { state } } }";
    for (login, told) in [("analyst", false), ("auditor", true)] {
        let answer = world.sign_in(login).await.ask(hidden, json!({})).await;
        assert_eq!(
            answer["kpi"]["trend"].is_object(),
            told,
            "{login}: {answer}"
        );
        assert_eq!(
            answer["kpi"]["freshness"].is_object(),
            told,
            "{login}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_department_has_a_scorecard_of_what_it_delivers() {
    let world = World::small().await;
    let query = "query($key: String!) { department(by: { key: $key }) {
        scorecard(asOf: \"2025-03-31\") { asOf touchpoints touchpointsWithoutKpi kpis missed atRisk noData noTarget met }
    } }";
    let card = |touchpoints: i32, without: i32, kpis: i32, missed: i32| json!({ "asOf": "2025-03-31", "touchpoints": touchpoints, "touchpointsWithoutKpi": without, "kpis": kpis, "missed": missed, "atRisk": 0, "noData": 0, "noTarget": 0, "met": 0 });
    for (login, department, expected) in [
        ("auditor", "sales", card(1, 0, 1, 1)),
        ("auditor", "service", card(2, 1, 1, 1)),
        // A confidential KPI is as if it were not linked, a closed blueprint as if it were not there.
        ("analyst", "service", card(2, 2, 0, 0)),
        ("stranger", "service", card(1, 1, 0, 0)),
        ("auditor", "finance", card(0, 0, 0, 0)),
    ] {
        let answer = world
            .sign_in(login)
            .await
            .ask(query, json!({ "key": department }))
            .await;
        assert_eq!(
            answer["department"]["scorecard"], expected,
            "{login} {department}"
        );
    }
}

#[tokio::test]
async fn metrics_tell_how_much_is_kept_and_never_more_than_the_bound() {
    let world = World::small().await;
    let number = |metrics: &str, name: &str| -> u64 {
        let line = metrics
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        let value = line.and_then(|line| line.split(' ').nth(1));
        value
            .unwrap_or_else(|| panic!("{name} is in {metrics}"))
            .parse()
            .expect("a number")
    };
    let before = world.metrics().await;
    assert_eq!(number(&before, "cx_blueprint_cube_values"), 0);
    let cx = world.sign_in("cx-manager").await;
    cx.series(ask_all(&["KPI"], "MONTH"), 50).await;
    let after = world.metrics().await;
    assert_eq!(number(&after, "cx_blueprint_cube_values"), 4);
    let (kept, bound) = (
        number(&after, "cx_blueprint_cube_memory_bytes"),
        number(&after, "cx_blueprint_cube_memory_bound_bytes"),
    );
    assert!(0 < kept && kept < bound, "{kept} of {bound}");
    let counted = "cx_blueprint_http_requests_total{route=\"/graphql\",status=\"200\"} 1";
    assert!(after.contains(counted), "{after}");
}
