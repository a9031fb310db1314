//! Flat datasets over HTTP: what there is, who gets how much of it, and what the demo comes to.

mod bad;
mod faces;
pub use faces::{CALLERS, in_camels, prepare};
mod feed;
mod kept;
mod since;
mod tokens;

use std::fmt::Write;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use cx_blueprint::bi::{
    catalogue,
    model::dataset::{Dataset, SeriesPeriods},
};
use serde_json::{Value, json};

use crate::{
    facts::weight,
    golden,
    ids::Ids,
    odata::encoded,
    world::{Actor, World},
};

/// An answer: status, headers, bytes.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("text")
    }

    /// The code and the sentence of a refusal.
    pub fn told(&self) -> (String, String) {
        let error: Value = serde_json::from_slice(&self.bytes).expect("JSON");
        let word = |name: &str| error["error"][name].as_str().expect("a word").to_owned();
        (word("code"), word("message"))
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.map_or("", |value| value.expect("a plain header"))
    }
}

/// Sends a request without a body.
pub async fn send(world: &World, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = world.send(request).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = to_bytes(response.into_body(), 64 << 20)
        .await
        .expect("a body");
    Answer {
        status,
        headers,
        bytes: bytes.to_vec(),
    }
}

impl Actor<'_> {
    /// What they get of a feed.
    pub async fn feeds(&self, path: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let authorization = (header::AUTHORIZATION.as_str(), bearer.as_str());
        send(self.world, Method::GET, path, &[authorization]).await
    }

    /// The rows of a feed of lines of JSON.
    pub async fn lines(&self, path: &str) -> Vec<Value> {
        let answer = self.feeds(path).await;
        let told = format!("{} gets {path}: {}", self.login, answer.text());
        assert_eq!(answer.status, StatusCode::OK, "{told}");
        let lines = answer.text().lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// The rows of a feed of lines of JSON, page after page of this size.
    pub async fn pages(&self, path: &str, size: u32) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), format!("{path}&limit={size}"));
        loop {
            let answer = self.feeds(&next).await;
            let told = format!("{} gets {next}: {}", self.login, answer.text());
            assert_eq!(answer.status, StatusCode::OK, "{told}");
            let lines = answer.text().lines();
            rows.extend(lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON")));
            let link = answer.header("link").trim_start_matches('<');
            match link.split_once(">; rel=\"next\"") {
                Some((address, _)) => next = address.to_owned(),
                None => return rows,
            }
        }
    }
}

/// A range that all measurements of the tests lie in.
pub const YEAR: &str = "from=2025-01-01&to=2026-01-01";

#[tokio::test]
async fn whoever_may_pull_is_told_what_there_is() {
    let world = World::small().await;
    let answer = world.sign_in("analyst").await.feeds("/bi/v1").await;
    let list: Value = serde_json::from_slice(&answer.bytes).expect("JSON");
    let datasets = list["datasets"].as_array().expect("datasets");
    assert_eq!(datasets.len(), catalogue::ALL.len());
    for (told, dataset) in datasets.iter().zip(catalogue::ALL) {
        assert_eq!(told["name"], dataset.name);
        let columns = told["columns"].as_array().expect("columns");
        for column in columns {
            let sentence = column["description"].as_str().expect("a description");
            assert!(sentence.ends_with('.'), "{sentence}");
        }
        for filter in dataset.filters {
            assert!(
                dataset.filter_column(filter.name).is_some(),
                "{} filters by {}, which is no column",
                dataset.name,
                filter.name
            );
        }
    }
    let facts = &datasets[0];
    assert_eq!(facts["rangeOfDays"], true);
    assert_eq!(
        facts["columns"][1],
        json!({
            "name": "measurement_id",
            "type": "id",
            "prefix": "msr",
            "nullable": false,
            "description": "Id of the measurement. It occurs in one row per combination of place, department and role.",
        })
    );
    for (login, status) in [("stranger", 403), ("admin", 403), ("lead", 200)] {
        let answer = world.sign_in(login).await.feeds("/bi/v1").await;
        assert_eq!(answer.status.as_u16(), status, "{login}");
    }
}

/// Rows of every dataset for everybody, as a table; without what does not count, and with it. Every face gives the same
/// ones, or refuses, so that there is one number for all of them.
#[tokio::test]
async fn everybody_gets_their_rows_of_every_dataset() {
    let world = World::small().await;
    answer(&world).await;
    describe(&world).await;
    let narrowed = world.with_token("chair", &["BI"], &["finance"]).await;
    let actors = [
        "stranger",
        "viewer",
        "contributor",
        "lead",
        "neighbour",
        "treasurer",
        "chair",
        "partner",
        "analyst",
        "auditor",
        "cx-manager",
        "admin",
    ];
    let mut people = Vec::new();
    for actor in actors {
        people.push((actor, world.sign_in(actor).await));
    }
    // A token of the chair that is limited to finance.
    people.push(("its token", narrowed));
    let mut table = format!("{:<28}", "CSV = NDJSON = OData");
    for (name, _) in &people {
        write!(table, " {name:>11}").expect("it is written");
    }
    for dataset in catalogue::ALL {
        for uncounted in [false, true] {
            if uncounted && !dataset.published_only {
                continue;
            }
            let more = if uncounted { " + uncounted" } else { "" };
            write!(table, "\n{:<28}", format!("{}{more}", dataset.name)).expect("it is written");
            for (_, actor) in &people {
                let counted = rows_of(actor, dataset, uncounted).await;
                write!(table, " {counted:>11}").expect("it is written");
            }
        }
    }
    golden::compare("tests/it/bi.txt", &(table + "\n"));
}

/// Customers answer at an open touchpoint, at one of a closed blueprint, where nobody is accountable and on the
/// organisation as a whole; an employee answers, too.
pub async fn answer(world: &World) {
    let ids = Ids::of(world).await;
    let at = |id: &str, scale: &str, score: i32, touchpoint: Option<&str>| json!({ "externalId": id, "scale": scale, "score": score, "touchpointId": touchpoint.map(|key| ids[key].clone()), "answeredOn": "2025-03-31" });
    let feedback = [
        at("a", "NPS", 9, Some("T2")),
        at("b", "NPS", 3, Some("C1")),
        at("c", "CSAT", 3, Some("T1")),
        at("d", "NPS", 7, None),
        at("e", "ENPS", 7, None),
    ];
    let cx = world.sign_in("cx-manager").await;
    cx.does(ANSWER, json!({ "feedback": feedback })).await;
}

/// Of an open journey and of a closed one something is said and promised, and it is told whom a step and a phase are for.
pub async fn describe(world: &World) {
    let ids = Ids::of(world).await;
    let cx = world.sign_in("cx-manager").await;
    let segment = cx
        .ask("{ segments(first: 1) { nodes { id } } }", json!({}))
        .await;
    let segment = &segment["segments"]["nodes"][0]["id"];
    for step in ["T1", "C1"] {
        let there =
            "query($id: ID!) { touchpoint(by: { id: $id }) { id version phase { id version } } }";
        let there = cx.ask(there, json!({ "id": ids[step] })).await["touchpoint"].take();
        let said =
            json!({ "kind": "THINKS", "text": "Why here?", "phaseId": there["phase"]["id"] });
        let insight = "mutation($input: InsightCreateInput!) { insightCreate(input: $input) { userErrors { message } } }";
        cx.does(insight, said).await;
        let promise = "mutation($input: PromiseCreateInput!) { promiseCreate(input: $input) { userErrors { message } } }";
        cx.does(
            promise,
            json!({ "touchpointId": ids[step], "text": "Within a day", "deliveredAtIds": [ids[step]] }),
        )
        .await;
        let step = json!({ "id": there["id"], "expectedVersion": there["version"], "audienceSegmentIds": [segment] });
        let update = "mutation($input: TouchpointUpdateInput!) { touchpointUpdate(input: $input) { userErrors { message } } }";
        cx.does(update, step).await;
        let phase = json!({ "id": there["phase"]["id"], "expectedVersion": there["phase"]["version"], "segmentIds": [segment] });
        let update = "mutation($input: PhaseUpdateInput!) { phaseUpdate(input: $input) { userErrors { message } } }";
        cx.does(update, phase).await;
    }
}

const ANSWER: &str = "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) { recorded userErrors { field message } } }";

/// How many rows somebody gets, whichever way they come; or that they are refused.
async fn rows_of(actor: &Actor<'_>, dataset: &Dataset, uncounted: bool) -> String {
    let mut asked = Vec::new();
    if dataset.needs_days {
        asked.push(YEAR.to_owned());
    }
    if let Some(periods) = dataset.series_periods() {
        asked.push("by=kpi,department".to_owned());
        asked.extend((periods == SeriesPeriods::Asked).then(|| "grain=month".to_owned()));
    }
    if uncounted {
        asked.push("uncounted=true".to_owned());
    }
    let asked = asked.join("&");
    let address = |form: &str| format!("/bi/v1/{}.{form}?{asked}", dataset.name);
    let set = odata_address(dataset, uncounted);
    let answer = actor.feeds(&address("csv")).await;
    if answer.status == StatusCode::FORBIDDEN {
        for refused in [answer, actor.odata(&set, &[]).await] {
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            assert_eq!(refused.told().0, "FORBIDDEN");
        }
        return "-".to_owned();
    }
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let mut csv = csv::Reader::from_reader(&answer.bytes[..]);
    let names: Vec<String> = csv
        .headers()
        .expect("a heading")
        .iter()
        .map(str::to_owned)
        .collect();
    let columns: Vec<&str> = dataset.columns.iter().map(|column| column.name).collect();
    assert_eq!(names, columns);
    let csv: Vec<csv::StringRecord> = csv.records().map(|row| row.expect("a row")).collect();
    let lines = actor.lines(&address("ndjson")).await;
    assert_eq!(csv.len(), lines.len());
    let (rows, _) = actor.odata_rows(&set, 100).await;
    assert_eq!(rows, lines);
    for line in &lines {
        for column in dataset.columns {
            assert!(
                column.nullable || !line[column.name].is_null(),
                "{}.{} is empty in {line}",
                dataset.name,
                column.name
            );
        }
    }
    lines.len().to_string()
}

/// The options by which a dataset of series groups by KPI and department, in periods of this grain where it has none of
/// its own.
pub fn series_options(dataset: &Dataset, grain: &str) -> String {
    match dataset.series_periods() {
        Some(SeriesPeriods::Asked) => format!("&by=kpi,department&grain={grain}"),
        Some(SeriesPeriods::Of(_)) => "&by=kpi,department".to_owned(),
        None => String::new(),
    }
}

/// Where OData has all rows of a dataset.
fn odata_address(dataset: &Dataset, uncounted: bool) -> String {
    let days = dataset.day.filter(|_| dataset.needs_days);
    let days = days.map(|day| format!("{day} ge 2025-01-01 and {day} lt 2026-01-01"));
    let filter = encoded(&days.unwrap_or_else(|| "true".to_owned()));
    let more = if uncounted { "&uncounted=true" } else { "" };
    let series = series_options(dataset, "month");
    format!("{}?$filter={filter}{more}{series}", dataset.name)
}

#[tokio::test]
async fn the_demo_comes_to_66_measurements_in_360_rows() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let facts = bea.lines(&format!("/bi/v1/kpi_facts.ndjson?{YEAR}")).await;
    assert_eq!(facts.len(), 360);
    let weights: Vec<Value> = facts
        .iter()
        .map(|row| json!({ "rowWeight": row["row_weight"] }))
        .collect();
    assert_eq!(weight(&weights), 66.0);
    let once = bea.lines("/bi/v1/kpi_measurements.ndjson").await;
    assert_eq!(once.len(), 66);
    let missed = |rows: &[Value]| rows.iter().filter(|row| row["state"] == "MISSED").count();
    assert_eq!(missed(&facts), 245);
    let lower = bea.lines("/bi/v1/kpis.ndjson").await;
    let lower = lower.iter().filter(|row| row["direction"] == "LOWER");
    assert_eq!(lower.count(), 10);
    let jon = world.sign_in("jon-lead-aftersales").await;
    let own = jon.lines(&format!("/bi/v1/kpi_facts.ndjson?{YEAR}")).await;
    assert_eq!(own.len(), 24);
}

#[tokio::test]
async fn departments_have_their_place_in_the_tree() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let rows = analyst
        .lines("/bi/v1/departments.ndjson?department=SALES-NORTH,board&columns=department_key,depth,path,level_1,level_2,level_3,level_4")
        .await;
    assert_eq!(
        rows,
        [
            json!({ "department_key": "board", "depth": 1, "path": "Board", "level_1": "Board", "level_2": null, "level_3": null, "level_4": null }),
            json!({ "department_key": "sales-north", "depth": 3, "path": "Board / Sales / Sales North", "level_1": "Board", "level_2": "Sales", "level_3": "Sales North", "level_4": null }),
        ]
    );
    // A partner reads of the board no more than that it is there, if that.
    let partner = world.sign_in("partner").await;
    let tops = partner
        .lines("/bi/v1/departments.ndjson?columns=depth")
        .await;
    assert!(tops.iter().any(|row| row["depth"] == 1), "{tops:?}");
}

#[tokio::test]
async fn a_calendar_knows_weeks_and_quarters() {
    let world = World::in_zone(chrono_tz::Europe::Athens).await;
    world
        .load(crate::world::ORGANISATION)
        .await
        .expect("the document loads");
    let analyst = world.sign_in("analyst").await;
    let days = analyst
        .lines("/bi/v1/dates.ndjson?from=2024-12-30&to=2025-01-01")
        .await;
    let monday = json!({
        "day": "2024-12-30", "ends_at": "2024-12-30T22:00:00Z", "year": 2024, "quarter": 4, "month": 12,
        "day_of_month": 30, "weekday": 1, "iso_year": 2025, "iso_week": 1, "is_today": false, "is_past": true,
    });
    assert_eq!(days[0], monday);
    assert_eq!(days.len(), 2);
    let today = world.clock.day_of_moment(world.clock.now());
    let after = today.succ_opt().expect("a tomorrow");
    let now = analyst
        .lines(&format!(
            "/bi/v1/dates.ndjson?from={today}&to={after}&columns=is_today,is_past"
        ))
        .await;
    assert_eq!(now, [json!({ "is_today": true, "is_past": false })]);
}
