//! One question, one answer: the current figure of random KPIs on random days is worked out here in another way, and
//! every face tells it to every viewer: the KPI, the link, lists by state, scorecards, findings, pictures and series.

mod made;
mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use self::made::makes_random;
use self::oracle::{Dice, Expected, ExpectedPart, MEASURED_DAYS, Random, close};
use crate::{
    ids::Ids,
    kpi::UPDATE,
    world::{Actor, World},
};

const MAKE: &str = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) { kpi { id } userErrors { message } } }";

const FIGURE: &str =
    "value n state periods periodStart periodEnd place isDecided target { value warning }
    running { value n pace periodStart }
    parts { value n state target { value } touchpoint { key } channel { key } segment { key } }";

/// A day on which something may be told: in the measured ones, or shortly before.
fn any_day(today: NaiveDate, dice: &mut Dice) -> NaiveDate {
    today - Days::new(dice.below(MEASURED_DAYS + 5) as u64)
}

/// How many KPIs are tried, and on how many days each.
const KPIS: usize = 36;
const DAYS: usize = 5;

const VIEWERS: [&str; 6] = [
    "analyst",
    "cx-manager",
    "auditor",
    "lead",
    "viewer",
    "stranger",
];

const STATES: [&str; 7] = [
    "MET",
    "AT_RISK",
    "MISSED",
    "NO_TARGET",
    "NO_DATA",
    "TOO_FEW",
    "BY_PART_ONLY",
];

/// The nodes of a series of a KPI in the days of a figure, as far as they had come on a day.
async fn series_of_figure(
    analyst: &Actor<'_>,
    kpi: &Random,
    day: NaiveDate,
    figure: &Value,
    asked: Value,
) -> Vec<Value> {
    let grain = match kpi.cadence {
        "DAILY" => "DAY",
        "WEEKLY" => "WEEK",
        "MONTHLY" => "MONTH",
        "QUARTERLY" => "QUARTER",
        _ => "YEAR",
    };
    let to = (day + Days::new(1))
        .to_string()
        .min(figure["periodEnd"].as_str().expect("a day").to_owned());
    let mut input = json!({ "kpis": [kpi.key], "grain": grain,
        "timeRange": { "from": figure["periodStart"], "to": to } });
    input
        .as_object_mut()
        .expect("an object")
        .extend(asked.as_object().expect("an object").clone());
    let document = "query($input: KpiSeriesInput!) { kpiSeries(input: $input) {
        nodes { channelKey segmentKey value state target } } }";
    let mut answer = analyst.ask(document, json!({ "input": input })).await;
    let nodes = answer["kpiSeries"]["nodes"].take();
    nodes.as_array().expect("points").clone()
}

/// The point of a series that a figure of one period has to be.
async fn is_a_point_of_its_series(
    analyst: &Actor<'_>,
    kpi: &Random,
    place: &str,
    day: NaiveDate,
    figure: &Value,
) {
    if figure["periods"] != 1 {
        return;
    }
    let mut asked = json!({ "dimensions": ["KPI"] });
    if !place.is_empty() {
        asked = json!({ "dimensions": ["KPI", "TOUCHPOINT"],
            "filter": { "touchpointKeys": [place], "blueprintKeys": ["open"] } });
    }
    let points = series_of_figure(analyst, kpi, day, figure, asked).await;
    let what = format!("{} {place} {day}: {points:?}", kpi.key);
    let [point] = points.as_slice() else {
        panic!("{what}: {figure}");
    };
    assert_eq!(point["value"], figure["value"], "{what}");
    assert_eq!(point["target"], figure["target"]["value"], "{what}");
    assert_eq!(point["state"], figure["state"], "{what}");
}

/// What a figure as a whole was put together from is what a series by channel, by segment or by both gives; how many
/// parts that were.
async fn has_its_parts_in_series(
    analyst: &Actor<'_>,
    kpi: &Random,
    day: NaiveDate,
    expected: &Expected,
    figure: &Value,
) -> usize {
    let is_of_part = |part: &ExpectedPart| part.of.0.is_empty();
    if figure["periods"] != 1 || expected.parts.is_empty() || !expected.parts.iter().all(is_of_part)
    {
        return 0;
    }
    let dimensions = match expected.parts[0].of {
        (_, _, "") => json!(["KPI", "CHANNEL"]),
        (_, "", _) => json!(["KPI", "SEGMENT"]),
        _ => json!(["KPI", "CHANNEL", "SEGMENT"]),
    };
    let asked = json!({ "dimensions": dimensions });
    let points = series_of_figure(analyst, kpi, day, figure, asked).await;
    let parts = figure["parts"].as_array().expect("parts");
    assert_eq!(points.len(), parts.len(), "{} {day}: {points:?}", kpi.key);
    for part in parts {
        let point = json!({ "channelKey": part["channel"]["key"], "segmentKey": part["segment"]["key"],
            "value": part["value"], "state": part["state"], "target": part["target"]["value"] });
        let what = format!("{} {day}: {point} is none of {points:?}", kpi.key);
        assert!(points.contains(&point), "{what}");
    }
    parts.len()
}

/// The last four periods, in the same words as the figure.
fn goes_as_expected(kpi: &Random, points: &Value, day: NaiveDate) {
    let points = points.as_array().expect("points");
    assert_eq!(points.len(), 4);
    assert_eq!(points[3]["periodStart"], kpi.start_of(day).to_string());
    for point in points {
        let start = point["periodStart"].as_str().expect("a day");
        let expected = kpi.expected_point(start.parse().expect("a day"), day);
        let told = (
            point["value"].as_f64(),
            point["target"].as_f64(),
            &point["state"],
        );
        let same = close(told.0, expected.0) && close(told.1, expected.1) && told.2 == expected.2;
        let what = format!("{} from {start} on {day}: {told:?}", kpi.key);
        assert!(same, "{what} instead of {expected:?}");
    }
}

#[tokio::test]
async fn every_face_tells_the_same_figure_to_every_viewer() {
    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let analyst = world.sign_in("analyst").await;
    let today = world.clock.day_of_moment(world.clock.now());
    let first = today - Days::new(MEASURED_DAYS as u64);
    let mut dice = Dice(20_261_130);
    let mut kpis = Vec::new();
    for at in 0..KPIS {
        kpis.push(makes_random(&cx, &ids, at, first, &mut dice).await);
    }
    let (mut seen, mut parts): (BTreeMap<&str, usize>, usize) = Default::default();
    for kpi in &kpis {
        for _ in 0..DAYS {
            let day = any_day(today, &mut dice);
            let viewer = world.sign_in(dice.one_of(&VIEWERS)).await;
            let expected = kpi.expected("", day);
            *seen.entry(expected.state).or_default() += 1;
            let document = format!(
                "query($key: String!, $day: Date) {{ kpi(by: {{ key: $key }}) {{
                    state(asOf: $day) current(asOf: $day) {{ {FIGURE} }} freshness(asOf: $day) {{ state }}
                    trend(asOf: $day, periods: 4) {{ points {{ periodStart value target state }} }} }} }}"
            );
            let answer = viewer
                .ask(&document, json!({ "key": kpi.key, "day": day.to_string() }))
                .await;
            let figure = &answer["kpi"]["current"];
            expected.is(figure, &format!("{} as a whole on {day}", kpi.key));
            assert_eq!(answer["kpi"]["state"], expected.state);
            let fresh = answer["kpi"]["freshness"]["state"] != "NONE";
            assert_eq!(fresh, expected.state != "NO_DATA");
            goes_as_expected(kpi, &answer["kpi"]["trend"]["points"], day);
            is_a_point_of_its_series(&analyst, kpi, "", day, figure).await;
            parts += has_its_parts_in_series(&analyst, kpi, day, &expected, figure).await;
            let listed = "query($day: Date, $states: [KpiState!]) {
                kpis(first: 200, filter: { states: $states, asOf: $day }) { nodes { key } } }";
            let state = dice.one_of(&STATES);
            let variables = json!({ "day": day.to_string(), "states": [state] });
            let answer = viewer.ask(listed, variables).await;
            let named = answer["kpis"]["nodes"]
                .as_array()
                .expect("nodes")
                .contains(&json!({ "key": kpi.key }));
            assert_eq!(named, state == expected.state, "{} {day} {state}", kpi.key);
        }
    }
    for state in STATES {
        assert!(
            seen.get(state).is_some_and(|times| *times > 0),
            "{state} never came: {seen:?}"
        );
    }
    assert!(parts > 20, "{parts} in series");
    at_touchpoints(&world, &kpis, &mut dice).await;
    in_journeys(&world, &kpis, &mut dice).await;
    // Another cadence: the sums are made anew.
    for kpi in kpis.iter_mut().take(6) {
        kpi.cadence = if kpi.cadence == "MONTHLY" {
            "YEARLY"
        } else {
            "MONTHLY"
        };
        let changed = json!({ "id": kpi.id, "expectedVersion": 1, "cadence": kpi.cadence });
        cx.does(UPDATE, changed).await;
        let day = any_day(today, &mut dice);
        let document = format!(
            "query($key: String!, $day: Date) {{ kpi(by: {{ key: $key }}) {{ current(asOf: $day) {{ {FIGURE} }} }} }}"
        );
        let answer = analyst
            .ask(&document, json!({ "key": kpi.key, "day": day.to_string() }))
            .await;
        let expected = kpi.expected("", day);
        expected.is(
            &answer["kpi"]["current"],
            &format!("{} in other periods on {day}", kpi.key),
        );
    }
}

/// Links are of today, and have their series.
async fn at_touchpoints(world: &World, kpis: &[Random], dice: &mut Dice) {
    let today = world.clock.day_of_moment(world.clock.now());
    let analyst = world.sign_in("analyst").await;
    let document = format!(
        "{{ blueprint(by: {{ key: \"open\" }}) {{ kpis {{ ...L }} phases {{ touchpoints {{ key kpis {{ ...L }} }} }} }} }}
        fragment L on KpiLink {{ state kpi {{ key }} current {{ {FIGURE} }} }}"
    );
    let viewer = world.sign_in(dice.one_of(&VIEWERS)).await;
    let answer = viewer.ask(&document, json!({})).await;
    let mut places = vec![(String::new(), answer["blueprint"]["kpis"].clone())];
    for phase in answer["blueprint"]["phases"].as_array().expect("phases") {
        for touchpoint in phase["touchpoints"].as_array().expect("touchpoints") {
            let key = touchpoint["key"].as_str().expect("a key").to_owned();
            places.push((key, touchpoint["kpis"].clone()));
        }
    }
    let mut compared = 0;
    for (place, links) in places {
        for link in links.as_array().expect("links") {
            let Some(kpi) = kpis
                .iter()
                .find(|kpi| link["kpi"]["key"] == kpi.key.as_str())
            else {
                continue;
            };
            let figure = &link["current"];
            let what = format!("{} at {place:?} today", kpi.key);
            kpi.expected(&place, today).is(figure, &what);
            assert_eq!(link["state"], figure["state"], "{what}");
            is_a_point_of_its_series(&analyst, kpi, &place, today, figure).await;
            compared += 1;
        }
    }
    assert_eq!(compared, 3 * kpis.len());
    in_flat_rows(&analyst, kpis, today).await;
}

/// The dataset of current figures has each KPI as a whole and at its touchpoints, in every form.
async fn in_flat_rows(analyst: &Actor<'_>, kpis: &[Random], today: NaiveDate) {
    let rows = analyst.lines("/bi/v1/kpi_current.ndjson").await;
    let set = analyst
        .feeds("/bi/odata/v4/kpi_current?$top=1000")
        .await
        .text()
        .to_owned();
    let set: Value = serde_json::from_str(&set).expect("JSON");
    for kpi in kpis {
        for place in ["", "T2", "T3"] {
            let of_place = |rows: &[Value]| -> Vec<Value> {
                let rows = rows.iter().filter(|row| row["kpi_key"] == kpi.key.as_str());
                let at =
                    rows.filter(|row| row["touchpoint_key"].as_str().unwrap_or_default() == place);
                at.cloned().collect()
            };
            let told = of_place(&rows);
            let [row] = told.as_slice() else {
                panic!("{} at {place:?}: {told:?}", kpi.key);
            };
            let running = (!row["running_start"].is_null())
                .then(|| json!({ "value": row["running_value"], "n": row["running_n"] }));
            let figure = json!({ "value": row["value"], "n": row["n"], "state": row["state"],
                "periods": row["periods"], "periodStart": row["period_start"], "target": { "value": row["target"] },
                "isDecided": row["is_decided"], "running": running });
            let what = format!("{} at {place:?} in kpi_current", kpi.key);
            kpi.expected(place, today).is(&figure, &what);
            let other = of_place(set["value"].as_array().expect("rows"));
            assert_eq!(other.len(), 1, "{what}");
            for field in [
                "row_id",
                "value",
                "n",
                "state",
                "target",
                "period_start",
                "measured_on",
                "place",
            ] {
                assert_eq!(other[0][field], row[field], "{field} of {what}");
            }
        }
    }
}

/// What departments, findings and pictures tell of the touchpoints.
async fn in_journeys(world: &World, kpis: &[Random], dice: &mut Dice) {
    let mut shown = 0;
    let today = world.clock.day_of_moment(world.clock.now());
    for _ in 0..12 {
        let day = any_day(today, dice);
        let viewer = world.sign_in(dice.one_of(&VIEWERS)).await;
        for (department, place) in [("sales", "T2"), ("service", "T3")] {
            let state = dice.one_of(&STATES);
            let document = "query($key: String!, $day: Date, $states: [KpiState!]) { department(by: { key: $key }) {
                kpis(first: 200, states: $states, asOf: $day) { nodes { key } }
                scorecard(asOf: $day) { missed atRisk noData tooFew byPartOnly noTarget met } } }";
            let variables = json!({ "key": department, "day": day.to_string(), "states": [state] });
            let answer = viewer.ask(document, variables).await["department"].take();
            let nodes = answer["kpis"]["nodes"].as_array().expect("nodes").iter();
            let named: BTreeSet<&str> = nodes.filter_map(|node| node["key"].as_str()).collect();
            let mut counted: BTreeMap<&str, i64> = BTreeMap::new();
            for kpi in kpis {
                let expected = kpi.expected(place, day).state;
                *counted.entry(expected).or_default() += 1;
                let what = format!("{} of {department} on {day}", kpi.key);
                assert_eq!(
                    named.contains(kpi.key.as_str()),
                    state == expected,
                    "{what}: {expected}"
                );
            }
            let fields = [
                "met",
                "atRisk",
                "missed",
                "noTarget",
                "noData",
                "tooFew",
                "byPartOnly",
            ];
            for (field, state) in fields.into_iter().zip(STATES) {
                // Beside the KPIs of the world itself, of which there are two.
                let (told, least) = (
                    &answer["scorecard"][field],
                    counted.get(state).copied().unwrap_or(0),
                );
                let told = told.as_i64().expect("a number");
                assert!(
                    (least..=least + 2).contains(&told),
                    "{state} of {department} on {day}: {told}, {least}"
                );
            }
        }
        finds_the_same(&viewer, kpis, day, &mut shown).await;
    }
    assert!(shown > 50, "{shown} in pictures");
}

async fn finds_the_same(viewer: &Actor<'_>, kpis: &[Random], day: NaiveDate, shown: &mut usize) {
    let document = "query($day: Date) { blueprint(by: { key: \"open\" }) {
        findings(asOf: $day, filter: { codes: [KPI_WITHOUT_TARGET] }) { findings { kpiId } } } }";
    let answer = viewer
        .ask(document, json!({ "day": day.to_string() }))
        .await;
    let found = answer["blueprint"]["findings"]["findings"]
        .as_array()
        .expect("findings");
    let picture = viewer
        .feeds(&format!("/blueprints/open.svg?asOf={day}"))
        .await
        .text()
        .to_owned();
    for kpi in kpis {
        let all = ["T2", "T3", ""].map(|place| kpi.expected(place, day));
        let without = !kpi.is_aimed(day);
        let named = found
            .iter()
            .any(|finding| finding["kpiId"] == kpi.id.as_str());
        assert_eq!(named, without, "{} on {day}", kpi.key);
        // A place shows some of its KPIs, those that need attention first.
        let told = all.map(|expected| told_in_picture(kpi, &expected));
        let name = format!("Number {}", &kpi.key[1..]);
        for (at, _) in picture.match_indices(&name) {
            let rest = &picture[at..];
            let is_told = rest[name.len()..].starts_with([':', ',', '(']);
            assert!(
                !is_told || told.iter().any(|told| rest.starts_with(told.as_str())),
                "{} on {day}: {:?} is none of {told:?}",
                kpi.key,
                rest.chars().take(80).collect::<String>()
            );
            *shown += usize::from(is_told);
        }
    }
}

fn told_in_picture(kpi: &Random, expected: &Expected) -> String {
    let unit = if kpi.aggregation == "RATIO" {
        "%"
    } else {
        "DKK"
    };
    let amount = |value: f64| format!("{value:.2} {unit}").replace('-', "−");
    let mut told = format!("Number {}", &kpi.key[1..]);
    if let Some(value) = expected.value {
        told.push_str(&format!(": {}, n {}", amount(value), expected.n));
        return told;
    }
    if let Some(target) = expected.target {
        told.push_str(&format!(", target {}", amount(target)));
    }
    told.push_str(match expected.state {
        "NO_DATA" => " (no data)",
        _ => " (known by part only)",
    });
    told
}
