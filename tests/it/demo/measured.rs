//! What was measured in the demo, and who misses what: the tables are worked out by hand from its file, of what is
//! linked, accepted and measured there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::text;
use crate::{bi::YEAR, facts::weight, world::World};

async fn facts(world: &World) -> Vec<Value> {
    let bea = world.sign_in("bea-analyst").await;
    bea.lines(&format!("/bi/v1/kpi_facts.ndjson?{YEAR}")).await
}

/// How many different things rows say in these columns.
fn distinct(rows: &[Value], columns: &[&str]) -> usize {
    let said = |row: &Value| columns.iter().map(|name| text(&row[name])).collect();
    rows.iter().map(said).collect::<BTreeSet<Vec<_>>>().len()
}

/// Each KPI of the file was measured three times, and 43 links lead to touchpoints.
#[tokio::test]
async fn of_22_kpis_come_66_measurements_at_129_places_in_360_rows() {
    let world = World::demo().await;
    let rows = facts(&world).await;
    let (measured, place) = ("measurement_id", "touchpoint_id");
    assert_eq!(distinct(&rows, &["kpi_key"]), 22);
    assert_eq!(distinct(&rows, &[measured]), 22 * 3);
    assert_eq!(distinct(&rows, &[measured, place]), 43 * 3);
    let each = [measured, place, "department_id", "role"];
    assert_eq!((distinct(&rows, &each), rows.len()), (360, 360));
    let weights = |row: &Value| json!({ "rowWeight": row["row_weight"] });
    let weights: Vec<Value> = rows.iter().map(weights).collect();
    assert_eq!(weight(&weights), 66.0);
}

/// For every other department there is nothing to tell: it delivers nowhere where a KPI is missed.
const MISSED: [(&str, &str); 20] = [
    ("b-aftersales", "KB1 at B10, KB2 at B14, KE1 at E05"),
    ("b-finance", "KB5 at B05"),
    ("b-it", "KB6 at B07"),
    ("b-logistics", "KB1 at B10"),
    ("b-mgmt", "KB2 at B14, KE1 at E05"),
    ("b-sales", "KB1 at B11 B12, KB2 at B11 B14"),
    ("f-agents", "KF2 at F02 F03"),
    ("f-partner", "KF2 at F02"),
    ("f-search", "KF2 at F02"),
    ("r-fleet", "KR2 at R08"),
    ("r-marketing", "KR3 at R01"),
    ("r-station", "KR2 at R03, KR3 at R03"),
    ("u-campus", "KU1 at U13, KU9 at U06 U19"),
    ("u-comms", "KU7 at U16 U17"),
    ("u-events", "KU1 at U10, KU9 at U06 U19 U20"),
    ("u-fund", "KU7 at U17, KU8 at U04"),
    (
        "u-marketing",
        "KU1 at U12, KU2 at U22, KU4 at U08, KU9 at U25",
    ),
    ("u-membership", "KU2 at U05 U22, KU7 at U17"),
    ("u-mgmt", "KU2 at U22"),
    ("u-service", "KU1 at U12"),
];

/// By department, in its words above: the KPIs, and where.
fn told(missed: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>) -> Vec<(String, String)> {
    let told = |kpis: BTreeMap<String, BTreeSet<String>>| {
        let told = kpis.into_iter().map(|(kpi, places)| {
            let places: Vec<String> = places.into_iter().collect();
            format!("{kpi} at {}", places.join(" "))
        });
        told.collect::<Vec<_>>().join(", ")
    };
    let all = missed.into_iter();
    all.map(|(department, kpis)| (department, told(kpis)))
        .collect()
}

#[tokio::test]
async fn twenty_departments_miss_what_they_deliver() {
    let world = World::demo().await;
    let mut missed: BTreeMap<_, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
    for row in facts(&world).await {
        let delivered = ["ACCOUNTABLE", "RESPONSIBLE"].contains(&text(&row["role"]).as_str());
        if row["measured_on"] == "2025-03-31" && row["state"] == "MISSED" && delivered {
            let kpis = missed.entry(text(&row["department_key"])).or_default();
            let places = kpis.entry(text(&row["kpi_key"])).or_default();
            places.insert(text(&row["touchpoint_key"]));
        }
    }
    let expected = MISSED.map(|(department, kpis)| (department.to_owned(), kpis.to_owned()));
    assert_eq!(told(missed), expected);
}

#[tokio::test]
async fn a_department_is_told_the_same_of_itself() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let document = "{ departments(first: 50) { nodes { key
        kpis(first: 10, states: [MISSED], asOf: \"2025-03-31\") { nodes { key } } } } }";
    let answer = ann.ask(document, json!({})).await;
    let all = answer["departments"]["nodes"]
        .as_array()
        .expect("departments");
    assert_eq!(all.len(), 36);
    let expected = BTreeMap::from(MISSED);
    for department in all {
        let key = text(&department["key"]);
        let kpis = department["kpis"]["nodes"].as_array().expect("KPIs").iter();
        let kpis: Vec<String> = kpis.map(|kpi| text(&kpi["key"])).collect();
        let expected = expected.get(key.as_str()).copied().unwrap_or_default();
        let expected = expected.split(", ").filter_map(|kpi| kpi.split(' ').next());
        let expected: Vec<&str> = expected.filter(|kpi| !kpi.is_empty()).collect();
        assert_eq!(kpis, expected, "{key}");
    }
}

/// Key, target, and what January, February and March came to.
#[tokio::test]
async fn ten_kpis_are_better_the_lower_they_are() {
    let world = World::demo().await;
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let mut rows = facts(&world).await;
    rows.retain(|row| row["direction"] == "LOWER");
    rows.dedup_by_key(|row| row["measurement_id"].clone());
    for row in &rows {
        let number = |name: &str| row[name].as_f64().expect("a number");
        let kpi = format!("{} {}:", text(&row["kpi_key"]), number("target"));
        let one = format!(" {} {}", number("value"), text(&row["state"]));
        told.entry(kpi).or_default().push_str(&one);
    }
    let told: Vec<String> = told.into_iter().map(|(kpi, all)| kpi + &all).collect();
    assert_eq!(
        told,
        [
            "KB3 4: 5.5 MISSED 4.8 MISSED 3.9 MET",
            "KB4 0.3: 0.28 MET 0.27 MET 0.26 MET",
            "KB5 1: 1.6 MISSED 1.4 MISSED 1.5 MISSED",
            "KF1 120: 118 MET 111 MET 109 MET",
            "KF2 35: 58 MISSED 61 MISSED 60 MISSED",
            "KF3 3: 2 MET 2 MET 2 MET",
            "KR2 10: 12 MISSED 14 MISSED 13 MISSED",
            "KU6 5: 4 MET 4 MET 3 MET",
            "KU7 2: 2.6 MISSED 2.8 MISSED 3.1 MISSED",
            "KU8 14: 12 MET 13 MET 16 MISSED",
        ]
    );
}
