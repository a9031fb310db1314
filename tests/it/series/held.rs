//! Random questions of random callers: every point is what the rows of `kpi_facts` come to, put together here in
//! another way; and the feed gives the points of GraphQL.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use crate::{
    bi::CALLERS,
    facts::{LINK, RECORD},
    ids::Ids,
    world::{Actor, World},
};

const MAKE: &str = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) { kpi { id } userErrors { message } } }";

/// KPIs of every aggregation, measured as a whole, at touchpoints, by channel and segment, in drafts too; linked to
/// every kind of place, some for a while only.
pub async fn prepare(world: &World) {
    let ids = Ids::of(world).await;
    let cx = world.sign_in("cx-manager").await;
    for (key, aggregation, unit) in [
        ("AVG", "AVERAGE", "DAYS"),
        ("SUM", "SUM", "COUNT"),
        ("RATIO", "RATIO", "PERCENT"),
        ("LAST", "LAST", "DAYS"),
    ] {
        let made = json!({
            "key": key, "name": key, "type": "OTHER", "unit": unit, "direction": "HIGHER", "aggregation": aggregation,
            "cadence": "DAILY", "ownerDepartmentId": ids["sales"], "scope": "TRANSACTIONAL",
        });
        let id = cx.does(MAKE, made).await["kpi"]["id"].clone();
        for (place, at, from, to) in [
            ("touchpointId", "T1", Some("2025-02-10"), Some("2025-04-20")),
            ("touchpointId", "T2", None, Some("2025-03-15")),
            ("touchpointId", "T3", Some("2025-01-20"), Some("2025-05-05")),
            ("touchpointId", "D1", None, None),
            ("touchpointId", "C1", Some("2025-04-01"), Some("2025-05-05")),
            (
                "phaseId",
                "open/after",
                Some("2025-03-01"),
                Some("2025-05-05"),
            ),
            ("blueprintId", "closed", None, Some("2025-02-02")),
        ] {
            let link = json!({ "kpiId": id, place: ids[at], "validFrom": from, "validTo": to });
            cx.does(LINK, link).await;
        }
        let mut measurements = Vec::new();
        let mut dice = 7u64;
        let mut next = |below: u64| {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % below
        };
        let mut seen = BTreeSet::new();
        for _ in 0..160 {
            let day = NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day") + Days::new(next(150));
            let touchpoint = ["", "", "", "T1", "T2", "T3", "C1", "D1", "T4"]
                [usize::try_from(next(9)).expect("small")];
            let channel = ["", "", "PHONE", "WEB"][usize::try_from(next(4)).expect("small")];
            let segment = match aggregation {
                "LAST" => "",
                _ => ["", "", "young"][usize::try_from(next(3)).expect("small")],
            };
            if !seen.insert((day, touchpoint, channel, segment)) {
                continue;
            }
            let id_of = |key: &str| (!key.is_empty()).then(|| ids[key].clone());
            let denominator = next(9) + 1;
            let numerator = next(denominator + 1);
            let parts = aggregation == "RATIO" && next(9) > 0;
            measurements.push(json!({
                "kpiId": id, "measuredOn": day.to_string(), "touchpointId": id_of(touchpoint),
                "channelId": id_of(channel), "segmentId": id_of(segment),
                "value": 100.0 * numerator as f64 / denominator as f64,
                "numerator": parts.then_some(numerator), "denominator": parts.then_some(denominator),
                "sampleSize": (next(3) > 0).then_some(denominator),
            }));
        }
        cx.does(RECORD, json!({ "measurements": measurements }))
            .await;
    }
}

const DIMENSIONS: &[&str] = &[
    "KPI",
    "DEPARTMENT",
    "BLUEPRINT",
    "PHASE",
    "STAGE",
    "TOUCHPOINT",
    "PERSONA",
    "CHANNEL",
    "SEGMENT",
];
const ROWS: [(&str, &str); 7] = [
    ("KPI", "kpiId"),
    ("DEPARTMENT", "departmentId"),
    ("BLUEPRINT", "blueprintId"),
    ("PHASE", "phaseId"),
    ("STAGE", "stage"),
    ("TOUCHPOINT", "touchpointId"),
    ("PERSONA", "personaId"),
];

fn question() -> impl Strategy<Value = Value> {
    fn some(words: &'static [&'static str]) -> impl Strategy<Value = Option<Vec<&'static str>>> {
        let words = subsequence(words, 1..=words.len());
        proptest::option::weighted(0.25, words)
    }
    (
        select(vec!["AVG", "SUM", "RATIO", "LAST"]),
        subsequence(DIMENSIONS, 0..=3),
        select(vec!["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]),
        select(vec![("2025-01-01", "2026-01-01"), ("2025-02-07", "2025-04-20"), ("2025-01-20", "2025-01-21")]),
        (
            some(&["sales", "FINANCE", "service", "courier"]),
            some(&["open", "closed"]),
            some(&["ACCOUNTABLE", "RESPONSIBLE", "CONSULTED"]),
            some(&["PHONE", "web"]),
            some(&["young"]),
        ),
    )
        .prop_map(|(kpi, dimensions, grain, (from, to), (departments, blueprints, roles, channels, segments))| {
            json!({
                "kpis": [kpi], "dimensions": dimensions, "grain": grain, "timeRange": { "from": from, "to": to },
                "filter": {
                    "departmentKeys": departments, "blueprintKeys": blueprints, "roles": roles,
                    "channelKeys": channels, "segmentKeys": segments,
                },
            })
        })
}

fn begin(grain: &str, day: NaiveDate) -> NaiveDate {
    match grain {
        "DAY" => day,
        "WEEK" => day - Days::new(u64::from(day.weekday().num_days_from_monday())),
        "MONTH" => day.with_day(1).expect("a first"),
        "QUARTER" => {
            NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1).expect("a first")
        }
        _ => NaiveDate::from_ymd_opt(day.year(), 1, 1).expect("a first"),
    }
}

/// What a value is, and the place that one of its rows gives it.
#[derive(Clone, Debug)]
struct Fact {
    measurement: Value,
    row: Value,
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn keys(filter: &Value, name: &str) -> Option<BTreeSet<String>> {
    let keys = filter[name].as_array()?;
    Some(
        keys.iter()
            .map(|key| key.as_str().expect("a key").to_ascii_lowercase())
            .collect(),
    )
}

/// The points that the rows come to: group → (value, how many values).
fn expected(
    question: &Value,
    (facts, values): (&[Fact], &BTreeMap<String, Value>),
    ids: &Ids,
    whole_organisation: bool,
) -> BTreeMap<String, (Option<f64>, usize)> {
    let dimensions: Vec<&str> = question["dimensions"]
        .as_array()
        .expect("them")
        .iter()
        .filter_map(text)
        .collect();
    let filter = &question["filter"];
    let asks = |dimension: &str| dimensions.contains(&dimension);
    let among = |id: &Value, name: &str| match keys(filter, name) {
        Some(keys) => text(id).is_some_and(|id| keys.contains(&ids.key(id).to_ascii_lowercase())),
        None => true,
    };
    let by_channel = asks("CHANNEL") || !filter["channelKeys"].is_null();
    let by_segment = asks("SEGMENT") || !filter["segmentKeys"].is_null();
    let counts = |point: &Value| {
        (!by_channel || !point["channel_id"].is_null())
            && (!by_segment || !point["segment_id"].is_null())
            && among(&point["channel_id"], "channelKeys")
            && among(&point["segment_id"], "segmentKeys")
    };
    let placed = !whole_organisation
        || [
            "DEPARTMENT",
            "BLUEPRINT",
            "PHASE",
            "STAGE",
            "TOUCHPOINT",
            "PERSONA",
        ]
        .iter()
        .any(|one| asks(one))
        || ["departmentKeys", "blueprintKeys", "roles"]
            .iter()
            .any(|one| !filter[*one].is_null());
    let grain = question["grain"].as_str().expect("a grain");
    let period = |point: &Value| {
        begin(
            grain,
            point["measured_on"]
                .as_str()
                .expect("a day")
                .parse()
                .expect("a day"),
        )
    };
    let parts = |point: &Value| {
        usize::from(!point["channel_id"].is_null())
            + 2 * usize::from(!point["segment_id"].is_null())
    };
    let site = |point: &Value| text(&point["touchpoint_id"]).unwrap_or_default().to_owned();
    // Of what is measured at a place (or as a whole, ""), the fewest parts that there are in each period.
    let mut fewest: BTreeMap<(NaiveDate, String), usize> = BTreeMap::new();
    for point in values.values().filter(|point| counts(point)) {
        let least = fewest
            .entry((period(point), site(point)))
            .or_insert(usize::MAX);
        *least = parts(point).min(*least);
    }
    let mut groups: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| counts(&fact.measurement)) {
        let point = &fact.measurement;
        let row = &fact.row;
        let (site, period) = (site(point), period(point));
        let measured_there = |site: &str| fewest.contains_key(&(period, site.to_owned()));
        // A KPI as a whole is put together from the touchpoints that everybody may read.
        let open = site.is_empty() || ids.key(&site).starts_with('T');
        let shadowed = match placed {
            true => site.is_empty() && text(&row["touchpointId"]).is_some_and(measured_there),
            false => !open || !site.is_empty() && measured_there(""),
        };
        let role = keys(filter, "roles").is_none_or(|roles| {
            text(&row["role"]).is_some_and(|role| roles.contains(&role.to_ascii_lowercase()))
        });
        if shadowed
            || parts(point) != fewest[&(period, site)]
            || !role
            || !among(&row["departmentId"], "departmentKeys")
            || !among(&row["blueprintId"], "blueprintKeys")
        {
            continue;
        }
        let mut group = vec![period.to_string()];
        for (dimension, field) in ROWS {
            if asks(dimension) {
                group.push(format!("{dimension} {}", text(&row[field]).unwrap_or("-")));
            }
        }
        for (dimension, field) in [("CHANNEL", "channel_id"), ("SEGMENT", "segment_id")] {
            if asks(dimension) {
                group.push(format!(
                    "{dimension} {}",
                    text(&fact.measurement[field]).unwrap_or("-")
                ));
            }
        }
        let id = fact.measurement["measurement_id"].to_string();
        groups
            .entry(group.join(" | "))
            .or_default()
            .insert(id, fact.measurement.clone());
    }
    let kpi = question["kpis"][0].as_str().expect("a KPI");
    groups
        .into_iter()
        .map(|(group, values)| {
            let values: Vec<Value> = values.into_values().collect();
            let is_whole = kpi != "LAST" || is_one_whole(question, &values);
            let value = put_together(kpi, &values).filter(|_| is_whole);
            (group, (value, values.len()))
        })
        .collect()
}

/// Whether values are of one place, and of no channel or segment that the question does not name.
fn is_one_whole(question: &Value, values: &[Value]) -> bool {
    let parts = [
        ("channel_id", "CHANNEL", "channelKeys"),
        ("segment_id", "SEGMENT", "segmentKeys"),
    ];
    let place = |value: &Value| {
        ["touchpoint_id", "channel_id", "segment_id"].map(|field| value[field].to_string())
    };
    let dimensions = question["dimensions"].as_array().expect("dimensions");
    let told_apart = |(field, dimension, keys): (&str, &str, &str)| {
        let named = question["filter"][keys].as_array();
        values.iter().all(|value| value[field].is_null())
            || dimensions.contains(&json!(dimension))
            || named.is_some_and(|keys| keys.len() == 1)
    };
    values.iter().all(|value| place(value) == place(&values[0]))
        && parts.into_iter().all(told_apart)
}

fn put_together(kpi: &str, values: &[Value]) -> Option<f64> {
    let number = |value: &Value, field: &str| value[field].as_f64();
    let each = |field: &str| -> Vec<f64> {
        values
            .iter()
            .filter_map(|value| number(value, field))
            .collect()
    };
    let measured = each("value");
    if let [only] = measured[..] {
        return Some(only);
    }
    match kpi {
        "SUM" => Some(measured.iter().sum()),
        "AVG" => {
            let size = |value: &Value| number(value, "sample_size").unwrap_or(1.0);
            let weighted: f64 = values
                .iter()
                .map(|value| size(value) * number(value, "value").expect("a value"))
                .sum();
            Some(weighted / values.iter().map(size).sum::<f64>())
        }
        "RATIO" => {
            let (numerators, denominators) = (each("numerator"), each("denominator"));
            (numerators.len() == values.len())
                .then(|| 100.0 * numerators.iter().sum::<f64>() / denominators.iter().sum::<f64>())
        }
        _ => {
            let last = values
                .iter()
                .filter_map(|value| text(&value["measured_on"]))
                .max()?;
            let mut latest = values
                .iter()
                .filter(|value| text(&value["measured_on"]) == Some(last));
            let value = number(latest.next()?, "value");
            latest.next().is_none().then_some(value)?
        }
    }
}

fn found(question: &Value, points: &[Value]) -> BTreeMap<String, (Option<f64>, usize)> {
    let asks = |dimension: &str| {
        question["dimensions"]
            .as_array()
            .expect("them")
            .contains(&json!(dimension))
    };
    points
        .iter()
        .map(|point| {
            let mut group = vec![point["periodStart"].as_str().expect("a day").to_owned()];
            for (dimension, field) in ROWS
                .into_iter()
                .chain([("CHANNEL", "channelId"), ("SEGMENT", "segmentId")])
            {
                if asks(dimension) {
                    group.push(format!(
                        "{dimension} {}",
                        text(&point[field]).unwrap_or("-")
                    ));
                }
            }
            let count = point["measurements"].as_u64().expect("a count");
            (
                group.join(" | "),
                (
                    point["value"].as_f64(),
                    usize::try_from(count).expect("small"),
                ),
            )
        })
        .collect()
}

#[tokio::test]
async fn every_point_is_what_its_rows_come_to() {
    let world = World::small().await;
    prepare(&world).await;
    let ids = Ids::of(&world).await;
    let journeys = world
        .sign_in("cx-manager")
        .await
        .ask("{ blueprints { nodes { id persona { id } } } }", json!({}))
        .await;
    let personas: BTreeMap<String, Value> = journeys["blueprints"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|one| {
            (
                one["id"].as_str().expect("an id").to_owned(),
                one["persona"]["id"].clone(),
            )
        })
        .collect();
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let asked = (question(), select(CALLERS), 1u32..200);
    let (mut points, mut shadowed, mut without_place, mut undefined, mut refused) = (0, 0, 0, 0, 0);
    for _ in 0..160 {
        let (question, login, first) = asked.new_tree(&mut runner).expect("a question").current();
        let actor = world.sign_in(login).await;
        let range = &question["timeRange"];
        let days = json!({ "from": range["from"], "to": range["to"], "kpiKeys": question["kpis"] });
        let rows = actor.pulls(days, 200).await;
        let values = format!(
            "/bi/v1/kpi_measurements.ndjson?from={}&to={}&kpi={}",
            range["from"].as_str().expect("a day"),
            range["to"].as_str().expect("a day"),
            question["kpis"][0].as_str().expect("a key")
        );
        let values: BTreeMap<String, Value> = actor
            .lines(&values)
            .await
            .into_iter()
            .map(|value| {
                (
                    value["measurement_id"].as_str().expect("an id").to_owned(),
                    value,
                )
            })
            .collect();
        let facts: Vec<Fact> = rows
            .into_iter()
            .map(|mut row| {
                if let Some(blueprint) = text(&row["blueprintId"]) {
                    row["personaId"] = personas[blueprint].clone();
                }
                Fact {
                    measurement: values[text(&row["measurementId"]).expect("an id")].clone(),
                    row,
                }
            })
            .collect();
        let everything = ["analyst", "auditor", "cx-manager"].contains(&login);
        // What a place has of its own is known from all values, whoever's rows one pulls.
        let wanted = expected(&question, (&facts, &values), &ids, everything);
        let answer = actor
            .send(super::SERIES, json!({ "input": question }))
            .await;
        if let Some(sentence) = answer["errors"][0]["message"].as_str() {
            assert!(
                sentence.starts_with("Not measured by"),
                "{login} asks {question}: {sentence}"
            );
            refused += 1;
            continue;
        }
        let told = actor.series(question.clone(), first).await;
        let found = found(&question, &told);
        assert_eq!(found.len(), told.len(), "no group comes twice");
        let close = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
            (one, other) => one == other,
        };
        let same = found.len() == wanted.len()
            && found.iter().all(|(group, (value, count))| {
                wanted
                    .get(group)
                    .is_some_and(|(other, many)| count == many && close(*value, *other))
            });
        if !same {
            let differ: Vec<String> = found
                .keys()
                .chain(wanted.keys())
                .filter(|group| found.get(*group) != wanted.get(*group))
                .map(|group| {
                    format!(
                        "{group}: {:?} instead of {:?}",
                        found.get(group),
                        wanted.get(group)
                    )
                })
                .collect();
            panic!("{login} asks {question}: {differ:#?}");
        }
        feeds_the_same(&actor, &question, &told).await;
        in_every_order(&actor, &question, &told, first).await;
        points += told.len();
        undefined += told.iter().filter(|point| point["value"].is_null()).count();
        shadowed += facts
            .iter()
            .filter(|fact| fact.measurement["touchpoint_id"].is_string())
            .count();
        without_place += found
            .keys()
            .filter(|group| group.contains("BLUEPRINT -") || group.contains("PERSONA -"))
            .count();
    }
    let met = [points, shadowed, without_place, undefined, refused];
    assert!(
        met.iter().all(|met| *met > 0),
        "{met:?}: something never came up"
    );
}

/// The same points come in every other order, each once.
async fn in_every_order(actor: &Actor<'_>, question: &Value, told: &[Value], first: u32) {
    let value = |point: &Value| point["value"].as_f64();
    let day = |point: &Value| text(&point["periodStart"]).map(str::to_owned);
    for order in ["PERIOD", "VALUE_ASCENDING", "VALUE_DESCENDING"] {
        let mut asked = question.clone();
        asked["orderBy"] = json!(order);
        let points = actor.series(asked, first).await;
        let sorted = match order {
            "PERIOD" => points.is_sorted_by_key(day),
            "VALUE_ASCENDING" => points.is_sorted_by(|one, next| value(one) <= value(next)),
            _ => points.is_sorted_by(|one, next| value(one) >= value(next)),
        };
        assert!(sorted, "{order} of {question}: {points:?}");
        let by_id = |points: &[Value]| -> BTreeMap<String, Value> {
            let id = |point: &Value| text(&point["rowId"]).expect("an id").to_owned();
            points.iter().map(|one| (id(one), one.clone())).collect()
        };
        assert_eq!(points.len(), told.len(), "{order} of {question}");
        assert_eq!(by_id(&points), by_id(told), "{order} of {question}");
    }
}

/// The feed of the same question has the same points in the same order.
async fn feeds_the_same(actor: &Actor<'_>, question: &Value, told: &[Value]) {
    let list = |value: &Value| -> Option<String> {
        let words = value.as_array()?;
        Some(words.iter().filter_map(text).collect::<Vec<_>>().join(","))
    };
    let filter = &question["filter"];
    let mut sent = vec![
        format!(
            "from={}",
            text(&question["timeRange"]["from"]).expect("a day")
        ),
        format!("to={}", text(&question["timeRange"]["to"]).expect("a day")),
        format!(
            "grain={}",
            text(&question["grain"]).expect("a grain").to_lowercase()
        ),
    ];
    let lists = [
        ("kpi", list(&question["kpis"])),
        (
            "by",
            list(&question["dimensions"])
                .filter(|list| !list.is_empty())
                .map(|list| list.to_lowercase()),
        ),
        ("department", list(&filter["departmentKeys"])),
        ("blueprint", list(&filter["blueprintKeys"])),
        ("role", list(&filter["roles"])),
        ("channel", list(&filter["channelKeys"])),
        ("segment", list(&filter["segmentKeys"])),
    ];
    sent.extend(
        lists
            .into_iter()
            .filter_map(|(name, list)| Some(format!("{name}={}", list?))),
    );
    let lines = actor
        .lines(&format!("/bi/v1/kpi_series.ndjson?{}", sent.join("&")))
        .await;
    let lines: Vec<Value> = lines.iter().map(crate::bi::in_camels).collect();
    assert_eq!(lines, told, "{} asks {question}", actor.login);
}
