//! One request has one budget: what aliases, lists and edges multiply is charged, bounded, and refused with a sentence
//! that says what to ask less of.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use cx_blueprint::{
    access::{Caller, MOST_BYTES},
    compute::{self, BYTES, Budget, STATEMENT, STEPS, WorkBudget},
    error::Error,
};
use entity::id::AccountId;
use sea_orm::{ConnectionTrait, DbBackend, Statement, prelude::Uuid};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    climb::cost,
    ids::Ids,
    odata::{IN_YEAR, encoded},
    world::{Actor, ORGANISATION, World, faults},
};

/// Who makes blueprints in these tests.
pub const CX: &str = "cx-manager";

/// Imports a document.
const IMPORT: &str = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) {
    blueprint { id key } userErrors { field message code } } }";

/// A document of so many touchpoints, with these transitions between them.
fn document(key: &str, touchpoints: usize, transitions: &[(usize, usize)]) -> Value {
    let touchpoints = (0..touchpoints).map(|at| {
        json!({ "key": format!("T{at}"), "phase": "P", "name": format!("step {at}"), "lane": "FRONTSTAGE" })
    });
    let transitions = transitions.iter().map(|(from, to)| {
        json!({ "from": format!("T{from}"), "to": format!("T{to}"), "kind": "BRANCH" })
    });
    json!({
        "format": "cx-blueprint/blueprint@1", "key": key, "title": "As dense as can be", "subject": "CUSTOMER",
        "state": "CURRENT", "visibility": "ORGANISATION", "persona": "buyer", "ownerDepartment": "sales",
        "phases": [{ "key": "P", "name": "all of it", "stage": "GOAL" }],
        "touchpoints": touchpoints.collect::<Vec<_>>(), "transitions": transitions.collect::<Vec<_>>(),
    })
}

/// The largest that there may be: a row, and from each step two far away, so that bridges are many and long.
pub fn dense(key: &str) -> Value {
    let row = (0..499).map(|at| (at, at + 1));
    let mirror = (0..500).map(|at| (at, 499 - at));
    let half = (0..500).map(|at| (at, (at + 250) % 500));
    let mut all: Vec<(usize, usize)> = row.chain(mirror).chain(half).collect();
    all.sort_unstable();
    all.dedup();
    document(key, 500, &all)
}

/// Everything joined with everything, and the goal behind the start: as many ways as there can be.
fn joined(key: &str) -> Value {
    let inner = (2..40).flat_map(|from| (2..40).map(move |to| (from, to)));
    let mut all: Vec<(usize, usize)> = inner.filter(|(from, to)| from != to).collect();
    all.extend([(0, 2), (0, 1)]);
    all.extend((2..40).map(|at| (at, 0)));
    document(key, 40, &all)
}

pub async fn import(actor: &Actor<'_>, document: Value) -> Value {
    actor.does(IMPORT, json!({ "document": document })).await["blueprint"].take()
}

/// So many of a selection under aliases of their own.
pub fn times(many: usize, selection: impl Fn(usize) -> String) -> String {
    let all = (0..many).map(|at| format!("a{at}: {}", selection(at)));
    all.collect::<Vec<_>>().join(" ")
}

/// The code and the sentence of the first error.
fn refusal(answer: &Value) -> (&str, &str) {
    let error = &answer["errors"][0];
    (
        error["extensions"]["code"].as_str().unwrap_or("none"),
        error["message"].as_str().unwrap_or(""),
    )
}

#[tokio::test]
async fn bridges_are_made_as_far_as_they_are_asked_for_and_no_further_than_the_budget() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    import(&cx, dense("dense")).await;
    let views = |many, inside: &str| {
        let views = times(many, |at| {
            format!("view(simplifiedTo: {}) {{ {inside} }}", 250 + at % 2)
        });
        format!("{{ blueprint(by: {{ key: \"dense\" }}) {{ {views} }} }}")
    };
    let answer = cx.ask(&views(30, "leftOut"), json!({})).await;
    assert_eq!(answer["blueprint"]["a0"]["leftOut"], 250);
    let answer = cx
        .send(&views(20, "joints { leftOut { key } }"), json!({}))
        .await;
    assert_eq!(refusal(&answer).0, "QUERY_TOO_COMPLEX");
    assert_eq!(answer["data"], Value::Null, "half of an answer is none");
}

#[tokio::test]
async fn all_searches_for_ways_of_one_request_share_one_budget() {
    // All there is to search takes longer than a request has in a build that is not optimised.
    let quick = World::small().await;
    let world = quick.with_deadline(Duration::from_secs(60)).await;
    let cx = world.sign_in(CX).await;
    import(&cx, joined("joined")).await;
    let ids = "{ blueprint(by: { key: \"joined\" }) { phases { touchpoints { id key } } } }";
    let ids = cx.ask(ids, json!({})).await;
    let touchpoints = &ids["blueprint"]["phases"][0]["touchpoints"];
    let (from, to) = (&touchpoints[0]["id"], &touchpoints[1]["id"]);
    let ways = |many| {
        let ways = times(many, |_| {
            format!("ways(from: {from}, to: {to}, longest: 39) {{ hasMore }}")
        });
        format!("{{ blueprint(by: {{ key: \"joined\" }}) {{ flow {{ {ways} }} }} }}")
    };
    let one = cx.ask(&ways(1), json!({})).await;
    assert_eq!(one["blueprint"]["flow"]["a0"]["hasMore"], true);
    let thirty = cx.send(&ways(30), json!({})).await;
    let (code, message) = refusal(&thirty);
    assert_eq!(code, "QUERY_TOO_COMPLEX");
    assert!(message.contains("first: 20"), "{message}");
}

#[tokio::test]
async fn what_loads_a_whole_blueprint_is_charged_for_it() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    for inside in [
        "attention { share }",
        "assumptions { share }",
        "kpis { id }",
        "flow { deadEnds { id } }",
        "findings { errors }",
        "document",
        "sheet",
        "lens { kind }",
        "customerView { title }",
        "view { leftOut }",
        "phases { id }",
        "transitions { id }",
    ] {
        let query = format!("{{ blueprints(first: 200) {{ nodes {{ {inside} }} }} }}");
        let answer = cx.send(&query, json!({})).await;
        let (code, message) = refusal(&answer);
        assert_eq!(code, "QUERY_TOO_COMPLEX", "{inside}: {answer}");
        assert!(
            message.contains("25000 is the most") && message.contains("first: 20"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn ordinary_questions_about_lists_of_blueprints_are_answered() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    for inside in [
        "attention { stage share }",
        "assumptions { touchpoints }",
        "phases { key name }",
        "title ownerDepartment { name } persona { name }",
    ] {
        let query = format!("{{ blueprints {{ nodes {{ key {inside} }} }} }}");
        cx.ask(&query, json!({})).await;
    }
    let kpis = "{ kpis { nodes { key latest { value } links { nodes {
        touchpoint { key } blueprint { key } latest { value } state } } } } }";
    cx.ask(kpis, json!({})).await;
    let kept = "query($id: ID!) { publications(blueprintId: $id) { nodes { number document } } }";
    let open = &Ids::of(&world).await["open"];
    cx.ask(kept, json!({ "id": open })).await;
}

#[tokio::test]
async fn a_blueprint_is_read_once_however_many_aliases_and_edges_lead_to_it() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    import(&cx, dense("dense")).await;
    let one = "{ a0: blueprint(by: { key: \"dense\" }) { attention { share } } }";
    let one = cost(&world, one).await;
    let twenty = times(20, |_| {
        "blueprint(by: { key: \"dense\" }) { attention { share } }".to_owned()
    });
    let twenty = cost(&world, &format!("{{ {twenty} }}")).await;
    assert!(!twenty.refused);
    assert!(
        twenty.steps < one.steps + one.steps / 10,
        "{} and {} steps",
        one.steps,
        twenty.steps
    );
}

#[tokio::test]
async fn a_statement_is_paid_for_by_its_rows_and_its_work_and_ends_with_the_budget() {
    const ROWS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n";
    const WORK: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000000) \
        SELECT count(*) AS many FROM n";
    const ONE: &str = "SELECT 1 AS one";
    let world = World::small().await;
    let operator = Caller::operator(world.store.clone(), world.clock.clone(), "search");
    let backend = operator.connection().get_database_backend();
    let run = async |steps: u64, sql: &str| {
        let caller = operator.with_budget(Budget::new(steps, BYTES));
        let rows = caller.connection();
        let rows = rows.query_all_raw(Statement::from_string(backend, sql));
        rows.await.map_err(Error::from).map(|rows| rows.len())
    };
    let is_spent = |result| matches!(result, Err(Error::TooComplex(_)));
    assert!(is_spent(run(STATEMENT - 1, ONE).await));
    assert!(is_spent(run(100_000, ROWS).await));
    // PostgreSQL does not tell of its work while it does it: the deadline bounds that.
    if backend == DbBackend::Sqlite {
        assert!(is_spent(run(STEPS, WORK).await));
    }
    // Others have budgets of their own, and the connection is good.
    assert_eq!(run(STEPS, ROWS).await.expect("rows"), 2000);
    assert_eq!(run(STEPS, ONE).await.expect("a row"), 1);
}

#[tokio::test]
async fn texts_are_as_long_as_what_they_are() {
    const CHANGE: &str =
        "mutation($input: TouchpointUpdateInput!) { touchpointUpdate(input: $input) {
        userErrors { field message code } } }";
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    import(&cx, document("plain", 1, &[])).await;
    let row = "{ blueprint(by: { key: \"plain\" }) { phases { touchpoints { id version } } } }";
    let row = cx.ask(row, json!({})).await["blueprint"]["phases"][0]["touchpoints"][0].take();
    for (field, value, fault) in [
        ("systems", json!(["x".repeat(201)]), "systems.0 TOO_LONG"),
        (
            "evidence",
            json!([{ "label": "x".repeat(201) }]),
            "evidence.0.label TOO_LONG",
        ),
        (
            "evidence",
            json!([{ "label": "x", "link": format!("https://x.example/{}", "x".repeat(2_000)) }]),
            "evidence.0.link TOO_LONG",
        ),
    ] {
        let input = json!({ "id": row["id"], "expectedVersion": row["version"], field: value });
        let answer = cx.tries(CHANGE, input).await;
        assert_eq!(faults(&answer), [fault]);
    }
    let mut with_systems = document("other", 1, &[]);
    with_systems["touchpoints"][0]["systems"] = json!(["x".repeat(201)]);
    let answer = cx.tries(IMPORT, json!({ "document": with_systems })).await;
    assert_eq!(answer["userErrors"][0]["code"], "TOO_LONG", "{answer}");
}

#[tokio::test]
async fn a_blueprint_holds_so_much_text_whichever_way_it_comes() {
    const CHANGE: &str =
        "mutation($input: TouchpointUpdateInput!) { touchpointUpdate(input: $input) {
        userErrors { field message code } } }";
    const SHEET: &str =
        "mutation($input: BlueprintSheetImportInput!) { blueprintSheetImport(input: $input) {
        userErrors { field message code } } }";
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    // Nearly as much as there may be: each letter takes four bytes.
    let long = "🌍".repeat(4_000);
    let full = usize::try_from(MOST_BYTES).expect("it fits") / long.len();
    let filled = |from: usize, to: usize| {
        let mut document = document("full", full + 1, &[]);
        for at in from..to {
            document["touchpoints"][at]["note"] = json!(long);
        }
        document
    };
    // In parts, as a request has a mebibyte at the most.
    import(&cx, filled(0, 60)).await;
    import(&cx, filled(60, 120)).await;
    let mut over = filled(120, full);
    for at in 0..10 {
        over["touchpoints"][at]["customerAction"] = json!(long);
    }
    let answer = cx.tries(IMPORT, json!({ "document": over })).await;
    assert_eq!(
        answer["userErrors"][0]["code"], "LIMIT_EXCEEDED",
        "{answer}"
    );
    import(&cx, filled(120, full - 1)).await;
    let rows = "{ blueprint(by: { key: \"full\" }) { phases { touchpoints { id version } } } }";
    let rows = cx.ask(rows, json!({})).await;
    let last = &rows["blueprint"]["phases"][0]["touchpoints"][full - 1];
    let input = json!({ "id": last["id"], "expectedVersion": last["version"], "note": long, "customerAction": long });
    let answer = cx.tries(CHANGE, input).await;
    assert_eq!(faults(&answer), [" LIMIT_EXCEEDED"]);
    let message = answer["userErrors"][0]["message"]
        .as_str()
        .expect("a sentence");
    assert!(message.contains("2048 KiB is the most"), "{message}");
    let sheet = format!("key,note,customer_action\nT{},{long},{long}\n", full - 1);
    let input = json!({ "blueprint": { "key": "full" }, "csv": sheet });
    let answer = cx.tries(SHEET, input).await;
    assert_eq!(
        answer["userErrors"][0]["code"], "LIMIT_EXCEEDED",
        "{answer}"
    );
    // What is shorter than before is taken even so.
    let first = &rows["blueprint"]["phases"][0]["touchpoints"][0];
    cx.does(
        CHANGE,
        json!({ "id": first["id"], "expectedVersion": first["version"], "note": "short" }),
    )
    .await;
    // And what there is may be read, but not many times in one answer.
    let documents = |many| {
        format!(
            "{{ blueprint(by: {{ key: \"full\" }}) {{ {} }} }}",
            times(many, |_| "document".to_owned())
        )
    };
    cx.ask(&documents(1), json!({})).await;
    let answer = cx.send(&documents(19), json!({})).await;
    let (code, message) = refusal(&answer);
    assert_eq!(code, "QUERY_TOO_COMPLEX", "{message}");
    assert!(message.contains("16 MiB"), "{message}");
}

#[tokio::test]
async fn a_page_of_rows_ends_with_its_deadline_and_leaves_its_place() {
    let patient = World::small().await;
    let world = patient.with_deadline(Duration::ZERO).await;
    let analyst = world.sign_in("analyst").await;
    // What takes a while, so that the deadline comes first.
    let years: Vec<String> = (0..200).map(|year| format!("iso_year eq {year}")).collect();
    let slow = format!(
        "day ge 2020-01-01 and day lt 2029-12-01 and ({})",
        years.join(" or ")
    );
    let slow = encoded(&slow);
    for path in [
        format!("dates?$filter={slow}&$orderby=iso_year"),
        format!("dates/$count?$filter={slow}"),
    ] {
        // More often than there are places: each must have come back.
        let mut given_up = 0;
        for _ in 0..60 {
            let answer = analyst.odata(&path, &[]).await;
            if answer.status == StatusCode::OK {
                // A machine that is busy looks at the deadline late, when the answer may be there.
                continue;
            }
            assert_eq!(
                answer.status,
                StatusCode::GATEWAY_TIMEOUT,
                "{}",
                answer.text()
            );
            given_up += 1;
            if given_up == 6 {
                break;
            }
        }
        assert_eq!(given_up, 6, "{path}");
    }
}

/// An organisation one of whose KPIs judges so many places that a year of its values is a hundred thousand rows.
fn many_facts() -> String {
    let mut demonstration: Value = serde_json::from_str(ORGANISATION).expect("a document");
    let organisation = &mut demonstration["organisation"];
    let document = &mut organisation["blueprints"][0]["document"];
    let list = |of: &mut Value, more: &mut dyn FnMut(usize) -> Value, many: usize| {
        of.as_array_mut()
            .expect("a list")
            .extend((0..many).map(more));
    };
    let mut touchpoint = |at| {
        json!({ "key": format!("X{at}"), "phase": "after", "name": format!("Step {at}"), "lane": "SUPPORT",
            "usage": "USED", "basis": "OBSERVED" })
    };
    list(&mut document["touchpoints"], &mut touchpoint, 300);
    let mut link = |at| json!({ "kpi": "PRICE", "touchpoint": format!("X{at}") });
    list(&mut document["kpiLinks"], &mut link, 300);
    let mut measurement = |at| json!({ "measuredOn": format!("2025-{:02}-{:02}", 1 + at / 27, 1 + at % 27), "value": 2 });
    let kpi = &mut organisation["kpis"][0];
    kpi["measurements"] = json!([]);
    list(&mut kpi["measurements"], &mut measurement, 12 * 27);
    demonstration.to_string()
}

#[tokio::test]
async fn a_page_of_rows_that_takes_too_much_is_refused_with_what_to_ask_less_of() {
    let quick = World::new().await;
    let loaded = quick.load(&many_facts()).await;
    loaded.expect("the organisation loads");
    // A build that is not optimised may take longer than a request has.
    let world = quick.with_deadline(Duration::from_secs(120)).await;
    let analyst = world.sign_in("analyst").await;
    let columns = "value desc,kpi_name,blueprint_key,phase_name,touchpoint_name,department_name,measured_on desc";
    let every: Vec<String> = (0..400)
        .map(|at| format!("contains(kpi_name,'no {at}')"))
        .collect();
    // The first of them fails, so that the refusal takes no time, as others compute on the same thread; the price is
    // that of all.
    let every = encoded(&format!("{IN_YEAR} and {}", every.join(" and ")));
    let ordered = format!(
        "$filter={}&$orderby={}&$top=1",
        encoded(IN_YEAR),
        encoded(columns)
    );
    // What the database works out by itself may be little work for it, and then it is answered.
    for (path, may_be_little) in [
        (format!("kpi_facts?$filter={every}"), false),
        (format!("kpi_facts/$count?$filter={every}"), true),
        (format!("kpi_facts?{ordered}"), true),
    ] {
        let answer = analyst.odata(&path, &[]).await;
        let (status, text) = (answer.status, answer.text());
        let refused = status == StatusCode::BAD_REQUEST
            && text.contains("fewer days, a filter of fewer terms");
        assert!(
            refused || may_be_little && status == StatusCode::OK,
            "{status}: {text}"
        );
    }
    // As the sentence says: fewer days, fewer terms, the order of the dataset.
    let week = "measured_on ge 2025-03-01 and measured_on lt 2025-03-08";
    for filter in [
        week.to_owned(),
        format!("{IN_YEAR} and contains(kpi_name,'offer')"),
    ] {
        let path = format!("kpi_facts?$filter={}&$top=10", encoded(&filter));
        assert_eq!(
            analyst.odata_json(&path).await["value"]
                .as_array()
                .map(Vec::len),
            Some(10)
        );
    }
}

/// Keeps every thread of the pool busy until what it gives is dropped.
async fn busy_pool() -> std::sync::mpsc::Sender<()> {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = Arc::new(std::sync::Mutex::new(wait));
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1);
    // No account has more than its share of them.
    for at in 0..threads.max(1) {
        let (wait, begun) = (Arc::clone(&wait), begun.clone());
        let account = AccountId::from(Uuid::from_u128(1 + at as u128));
        tokio::spawn(async move {
            let work = move |_: &WorkBudget| {
                begun.send(()).ok();
                wait.lock().expect("it waits").recv().ok();
                Ok(())
            };
            compute::run(&Arc::new(Budget::unlimited()), Some(account), work).await
        });
    }
    for _ in 0..threads.max(1) {
        has_begun.recv().await;
    }
    go
}

#[tokio::test]
async fn no_act_holds_the_writer_while_it_waits_for_its_turn_to_compute() {
    const ARCHIVE: &str =
        "mutation($input: DepartmentArchiveInput!) { departmentArchive(input: $input) {
        department { key } userErrors { message } } }";
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let one = "{ department(by: { key: \"sales-north\" }) { id version } other: department(by: { key: \"sales\" }) { id } }";
    let one = admin.ask(one, json!({})).await;
    let input = json!({ "id": one["department"]["id"], "expectedVersion": one["department"]["version"],
        "successorId": one["other"]["id"] });
    let busy = busy_pool().await;
    let archived = timeout(Duration::from_secs(8), admin.does(ARCHIVE, input)).await;
    drop(busy);
    let archived = archived.expect("it has waited for others' work");
    assert_eq!(archived["department"]["key"], "sales-north");
}

#[tokio::test]
async fn an_act_whose_answer_is_too_large_is_told_of_and_stands() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    let mut wide = document("wide", 40, &[]);
    for touchpoint in wide["touchpoints"].as_array_mut().expect("touchpoints") {
        touchpoint["note"] = json!("🌍".repeat(4_000));
    }
    import(&cx, wide).await;
    let find = "{ blueprint(by: { key: \"wide\" }) { phases { touchpoints { id version } } } }";
    let found = cx.ask(find, json!({})).await["blueprint"]["phases"][0]["touchpoints"].take();
    let cards = found.as_array().expect("touchpoints").iter();
    let cards: Vec<Value> = cards
        .map(|one| json!({ "id": one["id"], "expectedVersion": one["version"], "name": "Renamed" }))
        .collect();
    let conflicts = vec![json!({ "code": "CONFLICT" }); cards.len()];
    let input = json!({ "touchpoints": cards });
    let notes = times(28, |_| "note".to_owned());
    let change = format!(
        "mutation($input: TouchpointsUpdateInput!) {{
            first: touchpointsUpdate(input: $input) {{ touchpoints {{ {notes} }} userErrors {{ code }} }}
            second: touchpointsUpdate(input: $input) {{ userErrors {{ code }} }} }}"
    );
    let answer = cx.send(&change, json!({ "input": input })).await;
    let (code, message) = refusal(&answer);
    assert_eq!(code, "QUERY_TOO_COMPLEX", "{message}");
    assert_eq!(answer["errors"][0]["path"][1], "touchpoints", "{answer}");
    assert_eq!(
        answer["data"],
        json!({ "first": { "touchpoints": null, "userErrors": [] },
            "second": { "userErrors": conflicts } })
    );
}

#[tokio::test]
async fn a_root_field_that_fails_leaves_the_others() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    let answer = cx
        .send(
            "{ viewer { account { key } } search(text: \"\", first: 0) { nodes { kind } }
               feedback(filter: { touchpointId: \"x\" }) { nodes { id } } nodes(ids: [\"x\"]) { id } }",
            json!({}),
        )
        .await;
    let data = &answer["data"];
    assert_eq!(data["viewer"]["account"]["key"], CX, "{answer}");
    for field in ["search", "feedback"] {
        assert_eq!(data[field], Value::Null, "{answer}");
    }
    let errors = answer["errors"].as_array().expect("errors").iter();
    let at: Vec<&str> = errors
        .filter_map(|error| error["path"][0].as_str())
        .collect();
    assert_eq!(at, ["search", "feedback"], "{answer}");
}
