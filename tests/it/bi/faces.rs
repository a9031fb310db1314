//! Random questions of random callers: GraphQL, CSV, lines of JSON and OData give the same rows.

use std::collections::{BTreeMap, BTreeSet};

use cx_blueprint::bi::datasets::facts::KPI_FACTS;
use proptest::{
    prelude::*,
    sample::{select, subsequence},
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};

use crate::{
    facts::{LINK, RECORD},
    handshake::END,
    ids::Ids,
    odata::encoded,
    world::{Actor, World},
};

pub const CALLERS: &[&str] = &[
    "lead",
    "neighbour",
    "treasurer",
    "chair",
    "partner",
    "analyst",
    "auditor",
    "cx-manager",
];

/// A filter as GraphQL takes it; the feed's parameters follow from it.
fn filter() -> impl Strategy<Value = Value> {
    fn some(words: &'static [&'static str]) -> impl Strategy<Value = Option<Vec<&'static str>>> {
        let words = subsequence(words, 1..=words.len());
        proptest::option::weighted(0.4, words)
    }
    let days = (
        select(vec!["2025-01-01", "2025-02-01", "2025-03-31"]),
        select(vec!["2025-02-28", "2025-03-31", "2025-04-01", "2026-01-01"]),
    );
    let keys = (
        some(&["PRICE", "secret", "nothing"]),
        some(&["sales", "FINANCE", "service", "courier"]),
        some(&["open", "closed", "draft"]),
    );
    let words = (
        some(&["ACCOUNTABLE", "RESPONSIBLE", "CONSULTED", "INFORMED"]),
        some(&["MET", "AT_RISK", "MISSED", "NO_TARGET"]),
    );
    (days, keys, words).prop_map(
        |((from, to), (kpis, departments, blueprints), (roles, states))| {
            // A range that is turned round is refused.
            json!({
                "from": from, "to": to.max(from), "kpiKeys": kpis, "departmentKeys": departments,
                "blueprintKeys": blueprints, "roles": roles, "states": states,
            })
        },
    )
}

fn parameters(filter: &Value) -> String {
    let names = [
        ("from", "from"),
        ("to", "to"),
        ("kpiKeys", "kpi"),
        ("departmentKeys", "department"),
        ("blueprintKeys", "blueprint"),
        ("roles", "role"),
        ("states", "state"),
    ];
    let sent = names
        .into_iter()
        .filter_map(|(field, name)| match &filter[field] {
            Value::String(text) => Some(format!("{name}={text}")),
            Value::Array(words) => {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                Some(format!("{name}={}", words.join(",")))
            }
            _ => None,
        });
    sent.collect::<Vec<_>>().join("&")
}

/// The same question as a `$filter`. Keys are texts in OData, spelled as they are.
fn conditions(filter: &Value) -> String {
    let days = [("from", "ge"), ("to", "lt")].map(|(field, sign)| {
        let day = filter[field].as_str().expect("a day");
        format!("measured_on {sign} {day}")
    });
    let columns = [
        ("kpiKeys", "kpi_key"),
        ("departmentKeys", "department_key"),
        ("blueprintKeys", "blueprint_key"),
        ("roles", "role"),
        ("states", "state"),
    ];
    let listed = columns
        .into_iter()
        .enumerate()
        .filter_map(|(at, (field, column))| {
            let words = filter[field].as_array()?.iter().filter_map(Value::as_str);
            let spelled = |word: &str| match column.strip_suffix("_key") {
                Some("kpi") => word.to_uppercase(),
                Some(_) => word.to_lowercase(),
                None => word.to_owned(),
            };
            let words: Vec<String> = words.map(|word| format!("'{}'", spelled(word))).collect();
            // Tools write the same in many ways.
            Some(match at % 2 {
                0 => format!("{column} in ({})", words.join(",")),
                _ => format!("({column} eq {})", words.join(&format!(" or {column} eq "))),
            })
        });
    days.into_iter()
        .chain(listed)
        .collect::<Vec<_>>()
        .join(" and ")
}

/// Columns of the dataset, some of them or all.
fn columns() -> impl Strategy<Value = Vec<&'static str>> {
    let all: Vec<&str> = KPI_FACTS.columns.iter().map(|column| column.name).collect();
    let most = all.len();
    subsequence(all, 1..=most)
}

/// The rows with these columns alone.
fn cut(rows: &[Value], columns: &[&str]) -> Vec<Value> {
    let cut = rows.iter().map(|row| {
        let cells = columns
            .iter()
            .map(|name| ((*name).to_owned(), row[name].clone()));
        cells.collect::<Map<String, Value>>().into()
    });
    cut.collect()
}

/// A row as GraphQL names its fields.
pub fn in_camels(row: &Value) -> Value {
    let fields = row.as_object().expect("a row").iter();
    let fields: Map<String, Value> = fields
        .map(|(name, value)| {
            let mut parts = name.split('_');
            let first = parts.next().unwrap_or_default().to_owned();
            let name = parts.fold(first, |name, part| {
                name + &part[..1].to_uppercase() + &part[1..]
            });
            (name, value.clone())
        })
        .collect();
    fields.into()
}

/// A value as CSV has it.
fn in_csv(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => other.to_string(),
    }
}

/// An organisation in which measurements lie with and without links and roles, some of them in drafts.
pub async fn prepare(world: &World) {
    let ids = Ids::of(world).await;
    let cx = world.sign_in("cx-manager").await;
    for (kpi, place, at) in [
        ("PRICE", "touchpointId", "T1"),
        ("PRICE", "phaseId", "open/after"),
        ("PRICE", "blueprintId", "closed"),
        ("PRICE", "touchpointId", "D1"),
        ("SECRET", "touchpointId", "T2"),
    ] {
        let link = json!({ "kpiId": ids[kpi], place: ids[at], "validFrom": "2025-03-01" });
        cx.does(LINK, link).await;
    }
    let at = |kpi: &str, place: &str, value: f64| json!({ "kpiId": ids[kpi], "measuredOn": "2025-03-31", "value": value, "touchpointId": ids[place] });
    let measurements = [
        at("PRICE", "T2", 1.0),
        at("PRICE", "T3", 0.5),
        at("PRICE", "D1", 7.0),
        at("PRICE", "C1", 3.0),
        at("SECRET", "T3", 21.25),
    ];
    cx.does(RECORD, json!({ "measurements": measurements }))
        .await;
    let wide = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-02-28", "value": 2.75, "channelId": ids["PHONE"], "sampleSize": 7 });
    cx.does(RECORD, json!({ "measurements": [wide] })).await;
}

async fn csv_rows(actor: &Actor<'_>, asked: &str) -> Vec<BTreeMap<String, String>> {
    let answer = actor.feeds(&format!("/bi/v1/kpi_facts.csv?{asked}")).await;
    let mut csv = csv::Reader::from_reader(&answer.bytes[..]);
    csv.deserialize().map(|row| row.expect("a row")).collect()
}

/// A link that judged for a while, and a role that was held until now.
async fn end(world: &World) {
    let ids = Ids::of(world).await;
    let cx = world.sign_in("cx-manager").await;
    let link = json!({
        "kpiId": ids["PRICE"], "touchpointId": ids["T3"], "validFrom": "2025-02-28", "validTo": "2025-03-31",
    });
    cx.does(LINK, link).await;
    let held = "query($id: ID) { responsibilities(filter: { departmentId: $id, statuses: [ACCEPTED] }) { nodes { id version } } }";
    let held =
        cx.ask(held, json!({ "id": ids["finance"] })).await["responsibilities"]["nodes"][0].take();
    let ended = json!({ "id": held["id"], "expectedVersion": held["version"] });
    cx.does(END, ended).await;
}

/// GraphQL and what OData orders come from SQL; the feed and pages of OData are put together in memory.
#[tokio::test]
async fn graphql_csv_lines_of_json_and_odata_give_the_same_rows() {
    let world = World::small().await;
    prepare(&world).await;
    end(&world).await;
    let mut actors = vec![world.with_token("chair", &["BI"], &["finance"]).await];
    for login in CALLERS {
        actors.push(world.sign_in(login).await);
    }
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let asked = (filter(), any::<bool>(), columns(), 0..actors.len(), 1u32..9);
    let (mut rows, mut without_place, mut without_role, mut confidential, mut paged, mut more) =
        (0, 0, 0, 0, 0, 0);
    for _ in 0..150 {
        let asked = asked.new_tree(&mut runner).expect("a question");
        let (filter, uncounted, columns, at, first) = asked.current();
        let actor = &actors[at];
        let login = &actor.login;
        let asked = format!("{}&uncounted={uncounted}", parameters(&filter));
        let feed = format!("/bi/v1/kpi_facts.ndjson?{asked}");
        let lines = actor.lines(&feed).await;
        if !uncounted {
            let graph = actor.pulls(filter.clone(), first).await;
            let camels: Vec<Value> = lines.iter().map(in_camels).collect();
            assert_eq!(graph, camels, "{login} asks {asked}");
        }
        let pages = actor.pages(&feed, first).await;
        assert_eq!(pages, lines, "{login} asks {asked} in pages of {first}");
        let some = format!("{feed}&columns={}", columns.join(","));
        assert_eq!(
            actor.lines(&some).await,
            cut(&lines, &columns),
            "{login} asks {some}"
        );
        let ids: BTreeSet<String> = lines.iter().map(|row| row["row_id"].to_string()).collect();
        assert_eq!(ids.len(), lines.len(), "every row has an id of its own");
        let expected: Vec<BTreeMap<String, String>> = lines
            .iter()
            .map(|row| {
                let fields = row.as_object().expect("a row").iter();
                fields
                    .map(|(name, value)| (name.clone(), in_csv(value)))
                    .collect()
            })
            .collect();
        assert_eq!(
            csv_rows(actor, &asked).await,
            expected,
            "{login} asks {asked}"
        );
        let filter = encoded(&conditions(&filter));
        let set = format!("kpi_facts?uncounted={uncounted}&$filter={filter}");
        let (odata, pages) = actor.odata_rows(&set, first).await;
        assert_eq!(odata, lines, "{login} asks {set}");
        let selected = format!("{set}&$orderby=measured_on");
        let (selected, _) = actor.odata_rows(&selected, 100).await;
        assert_eq!(selected, lines, "{login} asks {set} of SQL");
        paged += usize::from(pages > 1);
        more += lines
            .iter()
            .filter(|row| row["blueprint_key"] == "draft")
            .count();
        rows += lines.len();
        without_place += lines
            .iter()
            .filter(|row| row["blueprint_id"].is_null())
            .count();
        without_role += lines.iter().filter(|row| row["role"].is_null()).count();
        confidential += lines
            .iter()
            .filter(|row| row["kpi_key"] == "SECRET")
            .count();
    }
    let met = [rows, without_place, without_role, confidential, paged, more];
    assert!(
        met.iter().all(|met| *met > 0),
        "{met:?}: something never came up"
    );
}
