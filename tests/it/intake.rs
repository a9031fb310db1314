//! Figures by the sheet: recorded all or none as the batch records them, each fault at its line and column, and nothing
//! of what is too large, too long or broken off.

mod bad;
mod bounds;
mod feedback;
mod memory;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use entity::{audit_event, measurement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World, on_postgres, read},
};

const PATH: &str = "/bi/v1/measurements.csv";

/// A request with a sheet.
pub fn sheet(path: &str, token: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "text/csv")
        .body(body.into())
        .expect("a request")
}

impl Actor<'_> {
    /// Sends a sheet, and gives the status and the answer.
    pub async fn sends(&self, path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        read(self.world.send(sheet(path, &self.token, body)).await).await
    }

    /// Sends a sheet of measurements that has to be taken: rows, recorded, corrected, unchanged.
    pub async fn brings(&self, query: &str, body: impl Into<Body>) -> [u64; 4] {
        let (status, answer) = self.sends(&format!("{PATH}{query}"), body).await;
        assert_eq!(status, StatusCode::OK, "{} brings: {answer}", self.login);
        ["rows", "recorded", "corrected", "unchanged"]
            .map(|name| answer[name].as_u64().expect("a number"))
    }

    /// Sends a sheet of measurements that has to be refused with faults, and gives their sentences.
    pub async fn errs(&self, body: impl Into<Body>) -> Vec<String> {
        let (status, answer) = self.sends(PATH, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        let faults = answer["error"]["faults"].as_array();
        let faults = faults.unwrap_or_else(|| panic!("{answer}")).iter();
        faults
            .map(|fault| fault["message"].as_str().expect("a sentence").to_owned())
            .collect()
    }
}

/// Every measurement that is kept: day, value, whether it is in force.
pub async fn kept(world: &World) -> Vec<(String, f64, bool)> {
    let rows = measurement::Entity::find()
        .order_by_asc(measurement::Column::Id)
        .all(&world.db())
        .await;
    rows.expect("rows")
        .into_iter()
        .map(|row| {
            let in_force = row.superseded_by_id.is_none();
            (row.measured_on.to_string(), row.value, in_force)
        })
        .collect()
}

const SHEET: &str = "\
kpi,measured_on,value,sample_size,touchpoint,channel,segment,source
price,2025-04-30,1.5,12,,,,diary
PRICE,2025-04-30,2,,open/T2,,,
PRICE,2025-04-30,2,,,PHONE,,
PRICE,2025-04-30,2,,,phone,YOUNG,
PRICE,2025-04-30,2,,OPEN/t2,WEB,young,'=1+1
PRICE,2025-03-31,1.5,,,,,
PRICE,2025-02-28,2.25,,,,,
";

#[tokio::test]
async fn a_sheet_is_recorded_once_however_often_it_is_sent() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let before = kept(&world).await;
    assert_eq!(
        contributor.brings("?dry_run=true", SHEET).await,
        [7, 5, 1, 1]
    );
    assert_eq!(kept(&world).await, before, "a dry run writes nothing");
    assert_eq!(contributor.brings("", SHEET).await, [7, 5, 1, 1]);
    let after = kept(&world).await;
    assert_eq!(after.len(), before.len() + 6);
    assert_eq!(
        contributor.brings("?dry_run=false", SHEET).await,
        [7, 0, 0, 7]
    );
    assert_eq!(kept(&world).await, after);
    let other = SHEET
        .replace("diary", "logbook")
        .replace("2,,OPEN", "3,,OPEN");
    assert_eq!(contributor.brings("", other).await, [7, 0, 2, 5]);
    let row = measurement::Entity::find()
        .filter(measurement::Column::Source.eq("=1+1"))
        .filter(measurement::Column::SupersededById.is_null());
    let row = row.one(&world.db()).await.expect("a query");
    assert_eq!(row.expect("the guard is taken off").value, 3.0);
    let superseded = kept(&world).await.into_iter().filter(|row| !row.2);
    assert_eq!(superseded.count(), 3, "what was corrected is kept");
}

/// The audit events of an act: what of, and what is told of it, without ids.
async fn events(world: &World, action: &str) -> Vec<(Option<String>, Option<Value>)> {
    let events = audit_event::Entity::find().filter(audit_event::Column::Action.eq(action));
    let events = events.all(&world.db()).await.expect("events");
    let told = events.into_iter().map(|event| {
        let after = event.after.map(|after| {
            let mut after = serde_json::to_value(after).expect("JSON");
            after["kpiIds"].take();
            after
        });
        (event.subject_type, after)
    });
    told.collect()
}

#[tokio::test]
async fn a_sheet_says_what_a_batch_says() {
    let (one, other) = (World::small().await, World::small().await);
    let ids = Ids::of(&other).await;
    one.sign_in("contributor").await.brings("", SHEET).await;
    let at = |day: &str, value: f64, more: Value| {
        let mut input = json!({ "kpiId": ids["PRICE"], "measuredOn": day, "value": value });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        input
    };
    let (t2, phone, web, young) = (&ids["T2"], &ids["PHONE"], &ids["WEB"], &ids["young"]);
    let batch = json!({ "measurements": [
        at("2025-04-30", 1.5, json!({ "sampleSize": 12, "source": "diary" })),
        at("2025-04-30", 2.0, json!({ "touchpointId": t2 })),
        at("2025-04-30", 2.0, json!({ "channelId": phone })),
        at("2025-04-30", 2.0, json!({ "channelId": phone, "segmentId": young })),
        at("2025-04-30", 2.0, json!({ "touchpointId": t2, "channelId": web, "segmentId": young, "source": "=1+1" })),
        at("2025-03-31", 1.5, json!({})),
        at("2025-02-28", 2.25, json!({})),
    ] });
    let record = "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) { userErrors { message } } }";
    other.sign_in("contributor").await.does(record, batch).await;
    let told = async |world: &World| {
        let feed =
            "/bi/v1/kpi_measurements.csv?columns=kpi_key,measured_on,value,sample_size,source";
        let analyst = world.sign_in("cx-manager").await;
        let text = analyst.feeds(feed).await.text().to_owned();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(told(&one).await, told(&other).await);
    assert_eq!(kept(&one).await.len(), kept(&other).await.len());
    let sheet = events(&one, "kpiMeasurementsImport").await;
    assert_eq!(sheet.len(), 1, "one event for all of it");
    assert_eq!(sheet, events(&other, "kpiMeasurementsRecord").await);
}

#[tokio::test]
async fn what_excel_saves_in_denmark_is_read_as_it_is_meant() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let danish = "\u{feff}KPI;Measured on;Value;Touchpoint\r\nPRICE;30-04-2025;1,5;open/T2\r\nPRICE;2025-05-31;1,25;\r\n";
    assert_eq!(contributor.brings("", danish).await, [2, 2, 0, 0]);
    assert_eq!(
        contributor.brings("?dialect=excel-da", danish).await,
        [2, 0, 0, 2]
    );
    let comma =
        "kpi,measured_on,value,touchpoint\nPRICE,2025-04-30,1.5,open/T2\nPRICE,2025-05-31,1.25,\n";
    assert_eq!(
        contributor.brings("?dialect=comma", comma).await,
        [2, 0, 0, 2]
    );
    let (status, answer) = contributor
        .sends(&format!("{PATH}?dialect=comma"), danish)
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let message = answer["error"]["faults"][0]["message"].as_str();
    assert!(
        message.is_some_and(
            |text| text.contains("There is no column \"KPI;Measured on;Value;Touchpoint\"")
        ),
        "{answer}"
    );
    let day = "kpi,measured_on,value\nPRICE,30-04-2025,1\n";
    assert_eq!(
        contributor.errs(day).await,
        ["Line 2, column B (measured_on): \"30-04-2025\" is not a day such as 2026-11-22."]
    );
}

#[tokio::test]
async fn what_comes_out_of_the_feed_goes_in_again() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    manager.brings("", SHEET).await;
    let columns = "kpi_key,measured_on,value,numerator,denominator,sample_size,touchpoint_id,channel_id,segment_id,source";
    for dialect in ["comma", "excel-da"] {
        let feed = format!("/bi/v1/kpi_measurements.csv?columns={columns}&dialect={dialect}");
        let text = manager.feeds(&feed).await.text().to_owned();
        let rows = text.lines().count() as u64 - 1;
        assert_eq!(manager.brings("", text).await, [rows, 0, 0, rows]);
    }
}

#[tokio::test]
async fn every_fault_is_told_at_its_line_and_column() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let contributor = world.sign_in("contributor").await;
    let before = kept(&world).await;
    let secret = &ids["C1"];
    let csv = format!(
        "kpi,measured_on,value,numerator,denominator,sample_size,touchpoint,channel,segment,source\n\
         PRICE,2025-05-31,1,,,,,,,\n\
         NOPE,2025-05-31,1,,,,,,,\n\
         PRICE,2999-01-01,-1,,,0,,,,\n\
         PRICE,1899-12-31,1,1,0,,,,,\n\
         PRICE,2025-05-31,2,,,,,,,\n\
         tch_1,2025-02-30,NaN,,,1.5,,,,\n\
         PRICE,2025-05-31,1,,,,closed/C1,,,\n\
         PRICE,2025-05-31,1,,,,nowhere/C1,,,\n\
         PRICE,2025-05-31,1,,,,{secret},,,\n\
         PRICE,2025-05-31,inf,,,,,FAX,old,\n\
         PRICE,,1e999,,,,,,,=1+1\n\
         PRICE,2025-05-31\n\
         PRICE,2025-05-31,1,,,,,,,,more\n\
         PRICE,\"2025-05-31\n\",1,,,,open/T1,,,\n\
         ,2025-05-31,1,,,,,,,\n"
    );
    let told = contributor.errs(csv).await;
    let expected = [
        "Line 3, column A (kpi): There is no KPI \"NOPE\".",
        "Line 4, column B (measured_on): The day of measurement is in the future.",
        "Line 4, column F (sample_size): A sample size has to be at least 1.",
        "Line 4, column C (value): This cannot be negative.",
        "Line 5, column B (measured_on): A day lies between the years 1900 and 2999.",
        "Line 5, column E (denominator): A denominator has to be greater than 0.",
        "Line 7, column A (kpi): There is no KPI \"tch_1\".",
        "Line 7, column B (measured_on): \"2025-02-30\" is not a day such as 2026-11-22.",
        "Line 7, column C (value): \"NaN\" is not a number such as 0.5.",
        "Line 7, column F (sample_size): \"1.5\" is not a whole number.",
        "Line 8, column G (touchpoint): There is no touchpoint \"closed/C1\".",
        "Line 9, column G (touchpoint): There is no touchpoint \"nowhere/C1\".",
        &format!("Line 10, column G (touchpoint): There is no touchpoint \"{secret}\"."),
        "Line 11, column C (value): \"inf\" is not a number such as 0.5.",
        "Line 11, column H (channel): There is no channel \"FAX\".",
        "Line 11, column I (segment): There is no segment \"old\".",
        "Line 12, column B (measured_on): This cannot be empty.",
        "Line 12, column C (value): \"1e999\" is not a number such as 0.5.",
        "Line 12, column J (source): This is a formula. Write its value, or for a text that begins with = put an apostrophe before it.",
        "Line 13, column C (value): Give the value.",
        "Line 14, column K: This cell is under no heading.",
        "Line 17 (row 16), column A (kpi): This cannot be empty.",
        "Line 6: This is the same KPI, day and place as on line 2.",
        "Line 13: This is the same KPI, day and place as on line 2.",
    ];
    assert_eq!(told, expected);
    assert_eq!(kept(&world).await, before);
    let (_, answer) = contributor
        .sends(PATH, "kpi,measured_on,value\nPRICE,2025-05-31,x\n")
        .await;
    assert_eq!(
        answer["error"]["faults"][0],
        json!({ "line": 2, "column": "value", "code": "INVALID",
            "message": "Line 2, column C (value): \"x\" is not a number such as 0.5." })
    );
    assert_eq!(answer["error"]["code"], json!("BAD_USER_INPUT"));
}

#[tokio::test]
async fn headings_are_those_that_there_are() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let told = contributor
        .errs("kpi,kpi_id,target,value\nPRICE,,1,1\n")
        .await;
    let columns = "kpi, measured_on, value, numerator, denominator, sample_size, touchpoint, channel, segment, source";
    assert_eq!(
        told,
        [
            "Line 1, column B: The column kpi is there twice.".to_owned(),
            format!("Line 1, column C: There is no column \"target\". The columns are {columns}."),
            "Line 1: There is no column \"measured_on\", and it takes one.".to_owned(),
        ]
    );
    assert_eq!(
        contributor.errs("").await,
        ["Line 1: The sheet is empty. Its first line names the columns."]
    );
    assert_eq!(
        contributor.brings("", "kpi,measured_on,value\n").await,
        [0, 0, 0, 0]
    );
}

#[tokio::test]
async fn of_very_many_faults_the_first_are_told_and_how_many_there_are_besides() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let rows = "PRICE,2025-05-31,x\n".repeat(1_000);
    let told = contributor
        .errs(format!("kpi,measured_on,value\n{rows}"))
        .await;
    assert_eq!(told.len(), 201);
    assert_eq!(
        told[200],
        "There are more faults than these: 800 more are not listed."
    );
}

#[tokio::test]
async fn a_sheet_is_for_whoever_may_record_each_of_its_figures() {
    let world = World::small().await;
    let before = kept(&world).await;
    let mixed = "kpi,measured_on,value\nPRICE,2025-05-31,1\nSECRET,2025-05-31,1\n";
    for login in [
        "stranger",
        "viewer",
        "contributor",
        "lead",
        "neighbour",
        "analyst",
        "auditor",
        "admin",
    ] {
        let actor = world.sign_in(login).await;
        let (status, answer) = actor.sends(PATH, mixed).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{login}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("RECORD_MEASUREMENT"), "{login}: {message}");
    }
    assert_eq!(kept(&world).await, before);
    let refusals = audit_event::Entity::find()
        .filter(audit_event::Column::Action.eq("kpiMeasurementsImport"))
        .all(&world.db())
        .await
        .expect("events");
    assert_eq!(refusals.len(), 8, "each is in the audit log");
    let manager = world.sign_in("cx-manager").await;
    assert_eq!(manager.brings("", mixed).await, [2, 2, 0, 0]);
    let (status, _) = read(world.send(sheet(PATH, "x", mixed)).await).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn archived_and_fed_kpis_take_no_figures() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let manager = world.sign_in("cx-manager").await;
    let archive = "mutation($input: AtVersionInput!) { kpiArchive(input: $input) { userErrors { message } } }";
    let at = json!({ "id": ids["PRICE"], "expectedVersion": 1 });
    manager.does(archive, at).await;
    let create = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) { kpi { id } userErrors { message } } }";
    let fed = json!({ "key": "FED", "name": "Fed", "type": "NPS", "unit": "SCORE", "decimals": 0, "direction": "HIGHER",
        "aggregation": "RATIO", "cadence": "DAILY", "scope": "TRANSACTIONAL", "sensitivity": "OPEN",
        "ownerDepartmentId": ids["sales"] });
    let made = manager.does(create, fed).await;
    let update =
        "mutation($input: KpiUpdateInput!) { kpiUpdate(input: $input) { userErrors { message } } }";
    let from_now =
        json!({ "id": made["kpi"]["id"], "expectedVersion": 1, "fedFrom": "2020-01-01" });
    manager.does(update, from_now).await;
    let told = manager
        .errs("kpi,measured_on,value,numerator,denominator\nPRICE,2025-05-31,1,,\nFED,2025-05-31,50,1,2\n")
        .await;
    assert_eq!(
        told,
        [
            "Line 2, column A (kpi): This KPI is archived. Unarchive it first.",
            "Line 3, column A (kpi): This KPI is fed by feedback: record the answers instead.",
        ]
    );
}

#[tokio::test]
async fn a_token_brings_figures_where_its_scope_opens_that() {
    let world = World::small().await;
    let one = "kpi,measured_on,value\nPRICE,2025-05-31,1\n";
    for (account, scope, expected) in [
        ("lead", "MEASUREMENTS", StatusCode::OK),
        ("lead", "BI", StatusCode::FORBIDDEN),
        ("lead", "FEEDBACK", StatusCode::FORBIDDEN),
        ("viewer", "MEASUREMENTS", StatusCode::FORBIDDEN),
    ] {
        let token = world.with_token(account, &[scope], &[]).await;
        let (status, answer) = token.sends(PATH, one).await;
        assert_eq!(status, expected, "{account} {scope}: {answer}");
        let mut basic = sheet(PATH, "", one);
        let encoded = STANDARD.encode(format!("whoever:{}", token.token));
        let value = format!("Basic {encoded}").parse().expect("a value");
        basic.headers_mut().insert(header::AUTHORIZATION, value);
        assert_eq!(
            world.send(basic).await.status(),
            expected,
            "{account} {scope}"
        );
    }
    let narrowed = world
        .with_token("cx-manager", &["MEASUREMENTS"], &["sales"])
        .await;
    assert_eq!(narrowed.brings("", one).await, [1, 0, 0, 1]);
    let other = one.replace("PRICE", "SECRET");
    let (status, _) = narrowed.sends(PATH, other).await;
    assert!([StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST].contains(&status));
}

#[tokio::test]
async fn whoever_may_not_read_a_value_is_not_told_whether_it_is_the_one_sent() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let secret = |value: f64| format!("kpi,measured_on,value\nSECRET,2025-05-31,{value}\n");
    manager.brings("", secret(42.5)).await;
    assert_eq!(
        manager.brings("?dry_run=true", secret(42.5)).await,
        [1, 0, 0, 1]
    );
    let blind = world.with_token("cx-manager", &["MEASUREMENTS"], &[]).await;
    for value in [42.0, 42.5, 43.0] {
        let told = blind.brings("?dry_run=true", secret(value)).await;
        assert_eq!(told, [1, 1, 0, 0], "{value}");
    }
    let record =
        "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) {
        recorded corrected unchanged userErrors { code } } }";
    let ids = Ids::of(&world).await;
    for value in [42.5, 43.0] {
        let said = json!({ "kpiId": ids["SECRET"], "measuredOn": "2025-05-31", "value": value });
        let told = blind.does(record, json!({ "measurements": [said] })).await;
        let counts = ["recorded", "corrected", "unchanged"].map(|name| told[name].clone());
        assert_eq!(counts, [json!(1), json!(0), json!(0)], "{value}");
    }
}

/// A sheet with values of PRICE: on 30,000 days, as a whole and on each of two channels.
fn long_sheet() -> String {
    let first = chrono::NaiveDate::from_ymd_opt(1940, 1, 1).expect("a day");
    let days = (0..30_000).map(|day| first + chrono::Duration::days(day));
    let lines =
        days.map(|day| format!("PRICE,{day},1.5,\nPRICE,{day},1.5,PHONE\nPRICE,{day},1.5,WEB\n"));
    format!(
        "kpi,measured_on,value,channel\n{}",
        lines.collect::<String>()
    )
}

#[tokio::test]
async fn while_a_long_sheet_goes_in_others_sign_in_and_write() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let bringing = async {
        let (status, answer) = cx.sends(PATH, long_sheet()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    };
    let mut bringing = std::pin::pin!(bringing);
    let mut signed_in = 0;
    let answer = loop {
        tokio::select! {
            biased;
            answer = &mut bringing => break answer,
            _ = world.sign_in_anew("lead") => signed_in += 1,
        }
    };
    assert!(signed_in > 0, "somebody signed in meanwhile");
    assert_eq!(answer["recorded"], json!(90_000));
    let acts = answer["acts"].as_u64().expect("a number");
    assert_eq!(
        events(&world, "kpiMeasurementsImport").await.len() as u64,
        acts
    );
    if on_postgres() {
        assert_eq!(acts, 1, "one act, all or none");
    } else {
        assert!(acts > 1, "it kept the only writer for itself");
    }
    assert_eq!(cx.brings("", long_sheet()).await, [90_000, 0, 0, 90_000]);
}
