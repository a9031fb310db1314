//! OData over HTTP: the service, every option, pages to their end, and refusals.

mod refusals;
mod sets;

use std::{collections::BTreeSet, io::Read};

use axum::http::{Method, StatusCode};
use cx_blueprint::bi::catalogue;
use serde_json::{Value, json};

use crate::{
    bi::{Answer, YEAR, send, series_options},
    golden,
    ids::Ids,
    world::{Actor, World},
};

/// The days of `YEAR`, as a filter.
pub const IN_YEAR: &str = "measured_on ge 2025-01-01 and measured_on lt 2026-01-01";

/// A text as it stands in an address, with plus for a space.
pub fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b' ' => "+".to_owned(),
        b'a'..=b'z'
        | b'A'..=b'Z'
        | b'0'..=b'9'
        | b'_'
        | b'-'
        | b'.'
        | b'('
        | b')'
        | b','
        | b'\'' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    bytes.collect()
}

impl Actor<'_> {
    /// What they get of the service, as the client of this host.
    pub async fn odata(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let own = [("authorization", bearer.as_str()), ("host", "cx.test")];
        let headers = [&own, headers].concat();
        send(
            self.world,
            Method::GET,
            &format!("/bi/odata/v4/{path}"),
            &headers,
        )
        .await
    }

    /// An answer in JSON.
    pub async fn odata_json(&self, path: &str) -> Value {
        let answer = self.odata(path, &[]).await;
        let told = format!("{} gets {path}: {}", self.login, answer.text());
        assert_eq!(answer.status, StatusCode::OK, "{told}");
        serde_json::from_slice(&answer.bytes).expect("JSON")
    }

    /// All rows, page after page, and how many pages there were.
    pub async fn odata_rows(&self, path: &str, size: u32) -> (Vec<Value>, usize) {
        let prefer = format!("odata.maxpagesize={size}");
        let (mut rows, mut pages, mut next) = (Vec::new(), 0, path.to_owned());
        loop {
            let answer = self.odata(&next, &[("prefer", &prefer)]).await;
            let told = format!("{} gets {next}: {}", self.login, answer.text());
            assert_eq!(answer.status, StatusCode::OK, "{told}");
            assert_eq!(answer.header("preference-applied"), prefer);
            let page: Value = serde_json::from_slice(&answer.bytes).expect("JSON");
            let value = page["value"].as_array().expect("rows");
            assert!(value.len() <= size as usize, "{next}");
            rows.extend(value.iter().cloned());
            pages += 1;
            match page["@odata.nextLink"].as_str() {
                Some(link) => {
                    assert!(!value.is_empty(), "{link} leads on from an empty page");
                    let below = link.strip_prefix("http://cx.test/bi/odata/v4/");
                    next = below.expect("a link to the service").to_owned();
                }
                None => return (rows, pages),
            }
        }
    }
}

#[tokio::test]
async fn the_service_says_what_there_is() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let service = analyst.odata_json("").await;
    assert_eq!(
        service["@odata.context"],
        "http://cx.test/bi/odata/v4/$metadata"
    );
    let names: Vec<&str> = service["value"]
        .as_array()
        .expect("sets")
        .iter()
        .map(|set| set["name"].as_str().expect("a name"))
        .collect();
    let known: Vec<&str> = catalogue::ALL.iter().map(|dataset| dataset.name).collect();
    assert_eq!(names, known);
    assert_eq!(
        service["value"][0],
        json!({ "name": "kpi_facts", "kind": "EntitySet", "url": "kpi_facts" })
    );
    let metadata = analyst
        .odata("$metadata", &[("accept", "application/json")])
        .await;
    assert_eq!(metadata.status, StatusCode::OK);
    assert_eq!(
        metadata.header("content-type"),
        "application/xml; charset=utf-8"
    );
    assert_eq!(metadata.header("odata-version"), "4.0");
    golden::compare("tests/it/odata.xml", metadata.text());
    let encoded = analyst
        .odata("%24metadata?%24format=application%2Fxml", &[])
        .await;
    assert_eq!(encoded.bytes, metadata.bytes);
}

/// A key that two rows had, or that was empty, would lose rows to whoever goes by it.
#[tokio::test]
async fn keys_tell_rows_apart_and_lead_to_them() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    for dataset in catalogue::ALL {
        let days = dataset.day.filter(|_| dataset.needs_days);
        let filter =
            days.map(|day| encoded(&format!("{day} ge 2025-01-01 and {day} lt 2026-01-01")));
        let series = series_options(dataset, "quarter");
        let filter = filter
            .map(|filter| format!("?$filter={filter}{series}"))
            .unwrap_or_default();
        let (rows, _) = bea
            .odata_rows(&format!("{}{filter}", dataset.name), 1_000)
            .await;
        let keys: BTreeSet<&str> = rows
            .iter()
            .map(|row| row[dataset.key].as_str().expect("a key"))
            .collect();
        assert_eq!(keys.len(), rows.len(), "{}", dataset.name);
        let column = dataset.column(dataset.key).expect("the key is a column");
        assert!(!column.nullable, "{}", dataset.name);
        let counted = bea
            .odata(&format!("{}/$count{filter}", dataset.name), &[])
            .await;
        assert_eq!(counted.text(), rows.len().to_string(), "{}", dataset.name);
        let Some(first) = rows
            .first()
            .filter(|_| dataset.name != "kpi_facts" && !dataset.is_series())
        else {
            continue;
        };
        let key = first[dataset.key].as_str().expect("a key");
        let quote = if dataset.needs_days { "" } else { "'" };
        for address in [
            format!("{}({quote}{key}{quote})", dataset.name),
            format!("{}({}={quote}{key}{quote})", dataset.name, dataset.key),
        ] {
            let mut row = bea.odata_json(&encoded(&address)).await;
            let context = row.as_object_mut().expect("a row").remove("@odata.context");
            let wanted = format!(
                "http://cx.test/bi/odata/v4/$metadata#{}/$entity",
                dataset.name
            );
            assert_eq!(context, Some(wanted.into()));
            assert_eq!(row, *first);
        }
        let chosen = format!(
            "{}({quote}{key}{quote})?$select={}&$format=application/json;odata.metadata=none",
            dataset.name, dataset.key
        );
        let row = bea.odata_json(&chosen).await;
        assert_eq!(row, json!({ dataset.key: key }));
    }
}

#[tokio::test]
async fn every_option_does_what_it_says() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let whole = analyst.lines("/bi/v1/departments.ndjson").await;
    let all = analyst.odata_json("departments").await;
    assert_eq!(
        all,
        json!({ "@odata.context": "http://cx.test/bi/odata/v4/$metadata#departments", "value": whole })
    );
    let page = "departments?$select=department_key,depth&$filter=depth+gt+1&$orderby=depth+desc,department_key&$skip=1&$top=2&$count=true";
    let answer = analyst.odata_json(page).await;
    let mut deep: Vec<(i64, &str)> = whole
        .iter()
        .map(|row| {
            (
                row["depth"].as_i64().expect("a depth"),
                row["department_key"].as_str().expect("a key"),
            )
        })
        .filter(|(depth, _)| *depth > 1)
        .collect();
    deep.sort_by_key(|(depth, key)| (-depth, *key));
    let wanted: Vec<Value> = deep[1..3]
        .iter()
        .map(|(depth, key)| json!({ "department_key": key, "depth": depth }))
        .collect();
    assert_eq!(
        answer,
        json!({
            "@odata.context": "http://cx.test/bi/odata/v4/$metadata#departments(department_key,depth)",
            "@odata.count": deep.len(),
            "value": wanted,
        })
    );
    let none = analyst.odata_json("departments?$top=0&$count=true").await;
    assert_eq!(
        (&none["@odata.count"], &none["value"]),
        (&json!(whole.len()), &json!([]))
    );
    let far = analyst.odata_json("departments?$skip=1000").await;
    assert_eq!(far["value"], json!([]));
    let bare = analyst
        .odata(
            "departments?$top=1&$count=true",
            &[("accept", "application/json;odata.metadata=none")],
        )
        .await;
    assert_eq!(
        bare.header("content-type"),
        "application/json;odata.metadata=none"
    );
    assert!(
        bare.text().starts_with("{\"@odata.count\":"),
        "{}",
        bare.text()
    );
    let minimal = analyst
        .odata("departments?$format=json", &[("accept", "text/html")])
        .await;
    assert_eq!(
        minimal.header("content-type"),
        "application/json;odata.metadata=minimal"
    );
    let count = analyst
        .odata("departments/$count?$filter=depth+gt+1&$top=1", &[])
        .await;
    assert_eq!(
        (count.text(), count.header("content-type")),
        (&*deep.len().to_string(), "text/plain; charset=utf-8")
    );
    let packed = analyst
        .odata("departments", &[("accept-encoding", "gzip")])
        .await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed.bytes[..])
        .read_to_string(&mut text)
        .expect("gzip");
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), all);
}

const RENAME: &str = "mutation($input: TouchpointRenameInput!) { touchpointRename(input: $input) { userErrors { message } } }";

#[tokio::test]
async fn filters_find_what_they_say() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let name = "100%_of O'Hara's Ærø";
    let renamed = json!({ "id": ids["T2"], "expectedVersion": 1, "name": name });
    cx.does(RENAME, renamed).await;
    let all = cx.lines("/bi/v1/touchpoints.ndjson").await;
    let found = async |filter: &str| -> BTreeSet<String> {
        let path = format!(
            "touchpoints?$select=touchpoint_key&$filter={}",
            encoded(filter)
        );
        let rows = cx.odata_json(&path).await;
        let rows = rows["value"].as_array().expect("rows").iter();
        rows.map(|row| row["touchpoint_key"].as_str().expect("a key").to_owned())
            .collect()
    };
    let those = |wanted: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
        let rows = all.iter().filter(|row| wanted(row));
        rows.map(|row| row["touchpoint_key"].as_str().expect("a key").to_owned())
            .collect()
    };
    let is = |row: &Value| row["touchpoint_name"] == name;
    let t2 = those(&is);
    assert_eq!(t2.len(), 1);
    for filter in [
        "touchpoint_name eq '100%_of O''Hara''s Ærø'",
        "contains(touchpoint_name,'%_of O''H')",
        "startswith(touchpoint_name,'100%')",
        "endswith(touchpoint_name,'s Ærø')",
        "contains(touchpoint_name,'Ær') and not contains(touchpoint_name,'ær')",
        "contains(tolower(touchpoint_name),'s ærø')",
        "contains(toupper(touchpoint_name),toupper('s ærø'))",
        "tolower(touchpoint_name) eq '100%_of o''hara''s ærø'",
        "toupper(touchpoint_name) in ('X','100%_OF O''HARA''S ÆRØ')",
        "endswith(tolower(touchpoint_name),'ærø') and length(touchpoint_name) eq 20",
    ] {
        assert_eq!(found(filter).await, t2, "{filter}");
    }
    for filter in [
        "contains(touchpoint_name,'100%_OF')",
        "startswith(touchpoint_name,'00')",
        "endswith(touchpoint_name,'100%_of O''Hara''s Ærø and more')",
        "contains(tolower(touchpoint_name),'Ærø')",
        "tolower(touchpoint_name) eq '100%_of o''hara''s Ærø'",
        "length(touchpoint_name) lt 0",
        "date(created_at) gt 9999-12-31",
        "date(created_at) eq 9999-12-31",
        "month(created_at) eq 13",
    ] {
        assert_eq!(found(filter).await, BTreeSet::new(), "{filter}");
    }
    let every = those(&|_| true);
    for filter in [
        "contains(touchpoint_name,'')",
        "startswith(touchpoint_name,'')",
        "endswith(touchpoint_name,'')",
        "touchpoint_id ne ''",
        "true",
        "created_at lt 2100-01-01T00:00:00Z",
        "year(created_at) gt 1999",
        "month(created_at) ge 1 and day(created_at) le 31",
        "date(created_at) gt 2000-01-01 and date(created_at) ne 2000-01-01T00:00:00.000Z",
        "not contains(tolower(touchpoint_name),'Æ')",
        "date(created_at) le 9999-12-31 and date(created_at) ne 9999-12-31",
    ] {
        assert_eq!(found(filter).await, every, "{filter}");
    }
    // What is empty differs from every value, and is neither above nor below one.
    let null = |row: &Value| row["emotion"].is_null();
    assert!(all.iter().any(null) && !all.iter().all(null));
    assert_eq!(found("emotion eq null").await, those(&null));
    assert_eq!(found("emotion ne null").await, those(&|row| !null(row)));
    assert_eq!(
        found("emotion ne 1").await,
        those(&|row| row["emotion"] != 1)
    );
    assert_eq!(found("not (emotion ge -2)").await, those(&null));
    assert_eq!(
        found("emotion le 0.5").await,
        those(&|row| row["emotion"]
            .as_f64()
            .is_some_and(|emotion| emotion <= 0.5))
    );
    assert_eq!(
        found("emotion in (null,-1)").await,
        those(&|row| null(row) || row["emotion"] == -1)
    );
    let id = ids["T2"].as_str();
    assert_eq!(found(&format!("touchpoint_id eq '{id}'")).await, t2);
    assert_eq!(found(&format!("touchpoint_id in ('{id}','x')")).await, t2);
    assert_eq!(
        found("lane ne 'NOTHING' and lane in ('FRONTSTAGE')").await,
        those(&|row| row["lane"] == "FRONTSTAGE")
    );
}

/// As many conditions and as deep as may be: the databases have limits of their own.
#[tokio::test]
async fn the_largest_filters_are_taken_by_the_database() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let ors = vec!["depth gt 0"; 500].join(" or ");
    let deep = format!("{}depth gt 0{}", "(not ".repeat(25), ")".repeat(25));
    let compared = format!("depth gt 0{}", " eq false".repeat(499));
    let list = format!("department_key in ({})", vec!["'sales'"; 3_000].join(","));
    for (filter, rows) in [(ors, 6), (deep, 0), (compared, 0), (list, 1)] {
        let path = format!("departments/$count?$filter={}", encoded(&filter));
        let answer = analyst.odata(&path, &[]).await;
        let shown: String = filter.chars().take(40).collect();
        assert_eq!(answer.text(), rows.to_string(), "{shown}");
    }
}

#[tokio::test]
async fn pages_lead_to_the_end_and_give_what_the_feed_gives() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let year = encoded(IN_YEAR);
    for (feed, path) in [
        (
            format!("kpi_facts.ndjson?{YEAR}"),
            format!("kpi_facts?$filter={year}"),
        ),
        (
            format!("kpi_facts.ndjson?{YEAR}&kpi=ku1"),
            format!("kpi_facts?$filter={year}+and+kpi_key+eq+'KU1'"),
        ),
        (
            format!("kpi_facts.ndjson?{YEAR}&kpi=ku1,ku2&role=INFORMED"),
            format!(
                "kpi_facts?$filter={year}+and+(kpi_key+eq+'KU1'+or+kpi_key+eq+'KU2')+and+role+eq+'INFORMED'"
            ),
        ),
        (
            "kpi_measurements.ndjson?".to_owned(),
            "kpi_measurements".to_owned(),
        ),
        ("touchpoints.ndjson?".to_owned(), "touchpoints".to_owned()),
        ("findings.ndjson?".to_owned(), "findings".to_owned()),
        (
            "dates.ndjson?from=2024-01-01&to=2024-04-01".to_owned(),
            "dates?%24filter=year(day)+eq+2024+and+day+lt+2024-04-01".to_owned(),
        ),
    ] {
        let whole = bea.lines(&format!("/bi/v1/{feed}")).await;
        let (rows, pages) = bea.odata_rows(&path, 17).await;
        assert_eq!(rows, whole, "{path}");
        assert_eq!(pages, whole.len().div_ceil(17).max(1), "{path}");
        let (once, pages) = bea.odata_rows(&path, 10_000).await;
        assert_eq!((once, pages), (whole, 1), "{path}");
    }
    assert!(
        bea.lines(&format!("/bi/v1/kpi_facts.ndjson?{YEAR}&kpi=ku1"))
            .await
            .len()
            > 4
    );
}

#[tokio::test]
async fn an_end_that_lies_far_away_loses_no_row() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    for (set, day) in [
        ("kpi_facts", "measured_on"),
        ("kpi_series_month", "period_start"),
    ] {
        let all = bea.lines(&format!("/bi/v1/{set}.ndjson")).await;
        assert!(all.len() > 50, "{set}");
        for filter in [
            format!("{day} le 2036-01-01"),
            format!("{day} lt 2999-12-31"),
            format!("{day} le 9999-12-31"),
            format!("year({day}) le 2040"),
            format!("{day} ge 1900-01-01"),
        ] {
            let (rows, _) = bea
                .odata_rows(&format!("{set}?$filter={}", encoded(&filter)), 1_000)
                .await;
            assert_eq!(rows, all, "{set}: {filter}");
        }
        for range in ["to=2040-01-01", "to=2999-12-31", "from=1900-01-01"] {
            let rows = bea.lines(&format!("/bi/v1/{set}.ndjson?{range}")).await;
            assert_eq!(rows, all, "{set}: {range}");
        }
    }
    let calendar = bea.lines("/bi/v1/dates.ndjson").await;
    let (days, _) = bea
        .odata_rows(
            &format!("dates?$filter={}", encoded("day le 9999-12-31")),
            10_000,
        )
        .await;
    assert_eq!(days, calendar);
    let series = "kpi_series.ndjson?grain=month&by=kpi&kpi=KU1,KU4";
    let all = bea.lines(&format!("/bi/v1/{series}")).await;
    assert_eq!(
        bea.lines(&format!("/bi/v1/{series}&to=2040-01-01")).await,
        all
    );
    // What was said on both sides is asked for as it is said.
    let much = format!(
        "kpi_facts?$filter={}",
        encoded("measured_on ge 2001-01-01 and measured_on le 2040-01-01")
    );
    assert_eq!(bea.odata(&much, &[]).await.status, StatusCode::BAD_REQUEST);
}

/// Orders with much that is alike and much that is empty, up and down: every row comes once, in that order.
#[tokio::test]
async fn pages_in_another_order_give_every_row_once() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let year = encoded(IN_YEAR);
    for path in [
        format!("kpi_facts?$filter={year}&$orderby=target,role+desc"),
        format!("kpi_facts?$filter={year}&$orderby=target+desc,value,kpi_key"),
        format!("kpi_facts?$filter={year}&$orderby=is_delivering,measured_on+desc&$select=row_id"),
        format!("kpi_facts?$filter={year}&$orderby=sample_size+desc"),
        "touchpoints?$orderby=emotion+desc,usage,created_at".to_owned(),
        "departments?$orderby=parent_id,archived_at+desc,level_2+desc".to_owned(),
        "findings?$orderby=touchpoint_id+desc,code,sentence+desc".to_owned(),
        "findings?$orderby=open_since,severity+desc&$select=finding_id".to_owned(),
    ] {
        let (whole, pages) = bea.odata_rows(&path, 10_000).await;
        assert!(whole.len() > 30 && pages == 1, "{path}");
        let (rows, pages) = bea.odata_rows(&path, 7).await;
        assert_eq!(rows, whole, "{path}");
        assert_eq!(pages, whole.len().div_ceil(7), "{path}");
        // A top and a skip are over all pages.
        let (some, _) = bea.odata_rows(&format!("{path}&$skip=5&$top=20"), 7).await;
        assert_eq!(some, whole[5..25], "{path}");
    }
    let values = bea
        .odata_json(&format!(
            "kpi_facts?$filter={year}&$orderby=target+desc&$select=target"
        ))
        .await;
    let values = values["value"].as_array().expect("rows").iter();
    let values: Vec<f64> = values
        .map(|row| row["target"].as_f64().unwrap_or(f64::NEG_INFINITY))
        .collect();
    assert!(values.is_sorted_by(|one, other| one >= other));
    let other = "kpi_facts?$filter=year(measured_on)+eq+2025&$orderby=value&$skiptoken=";
    let page = bea
        .odata(
            &format!("kpi_facts?$filter={year}"),
            &[("prefer", "maxpagesize=3")],
        )
        .await;
    let page: Value = serde_json::from_slice(&page.bytes).expect("JSON");
    let link = page["@odata.nextLink"].as_str().expect("a link");
    let (_, token) = link.split_once("$skiptoken=").expect("a token");
    let answer = bea.odata(&format!("{other}{token}"), &[]).await;
    assert_eq!(
        answer.status,
        StatusCode::BAD_REQUEST,
        "a token belongs to its order"
    );
}

#[tokio::test]
async fn a_page_takes_few_statements() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let facts = format!("kpi_facts?$count=true&$filter={}", encoded(IN_YEAR));
    for (path, most) in [
        // What is judged in the blueprints, and by whom, takes four statements, and is kept.
        (&*facts, 9),
        (&*facts, 5),
        // On PostgreSQL rows that are selected come through cursors, which are two statements.
        ("departments?$orderby=department_key&$top=3", 4),
        ("kpis/$count", 2),
    ] {
        let before = world.store.statement_count();
        bea.odata(path, &[]).await;
        let statements = world.store.statement_count() - before;
        assert!(statements <= most, "{path} took {statements}");
    }
}

#[tokio::test]
async fn whether_what_is_empty_has_a_text_in_it_is_unknown() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let all = cx.lines("/bi/v1/departments.ndjson").await;
    let those = |wanted: &dyn Fn(Option<&str>) -> bool| -> BTreeSet<String> {
        let rows = all.iter().filter(|row| wanted(row["level_2"].as_str()));
        rows.map(|row| row["department_key"].to_string()).collect()
    };
    let found = async |filter: &str| -> BTreeSet<String> {
        let path = format!("departments?$filter={}", encoded(filter));
        let rows = cx.odata_json(&path).await;
        let rows = rows["value"].as_array().expect("rows").iter();
        rows.map(|row| row["department_key"].to_string()).collect()
    };
    let (below, top) = (those(&|name| name.is_some()), those(&|name| name.is_none()));
    let all = those(&|_| true);
    assert!(!below.is_empty() && !top.is_empty());
    for (filter, wanted) in [
        ("contains(level_2,'')", &below),
        ("not contains(level_2,'~')", &below),
        ("contains(level_2,'~') eq false", &below),
        ("not contains(tolower(level_2),'X')", &below),
        ("not (contains(level_2,'') eq true)", &top),
        ("contains(level_2,'') ne true", &top),
        ("not contains(level_2,'~') or level_2 eq null", &all),
        ("not (contains(level_2,'~') and level_2 ne null)", &all),
        ("not (length(level_2) ge 0)", &top),
        ("not (tolower(level_2) eq '~')", &all),
    ] {
        assert_eq!(found(filter).await, *wanted, "{filter}");
    }
}
