//! The feed itself: parameters and their faults, pages and cursors, forms, and who is let in how.

use std::io::Read;

use axum::http::{Method, StatusCode};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{YEAR, send};
use crate::{facts::RECORD, ids::Ids, world::World};

#[tokio::test]
async fn what_is_not_known_is_named_and_not_passed_over() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let long = "from=1990-01-01&to=2025-01-01";
    for (path, status, says) in [
        ("kpi_fact.csv", 404, "There is no such dataset."),
        ("kpi_facts.xls", 404, "There is no such dataset."),
        (
            "kpi_facts.csv?from=2000-01-01&to=2026-01-01",
            400,
            "at most 3660 days",
        ),
        (
            "kpi_facts.csv?from=2025-1-1&to=2025-02-01",
            400,
            "`from` is a day",
        ),
        (&format!("kpi_facts.csv?{long}"), 400, "at most 3660 days"),
        (
            &format!("kpi_facts.csv?{YEAR}&colour=red"),
            400,
            "it takes columns",
        ),
        (
            &format!("kpi_facts.csv?{YEAR}&state=GOOD"),
            400,
            "`state` is one or some of MET",
        ),
        (
            &format!("kpi_facts.csv?{YEAR}&columns=value,password"),
            400,
            "`columns` are some of",
        ),
        (
            &format!("kpi_facts.csv?{YEAR}&limit=0"),
            400,
            "`limit` has to be a number from 1",
        ),
        (
            &format!("kpi_facts.csv?{YEAR}&limit=1&limit=2"),
            400,
            "`limit` is sent once.",
        ),
        (
            &format!("kpi_facts.csv?{YEAR}&after=AAAA"),
            400,
            "is not a cursor of this list",
        ),
        (
            &format!("kpi_facts.csv?{YEAR}&dialect=excel"),
            400,
            "`dialect` is comma or excel-da.",
        ),
        (
            &format!("kpi_facts.ndjson?{YEAR}&dialect=comma"),
            400,
            "it takes columns",
        ),
        (
            &format!("kpi_facts.csv?{YEAR}&uncounted=yes"),
            400,
            "`uncounted` is true or false.",
        ),
        ("kpis.csv?uncounted=true", 400, "it takes columns"),
    ] {
        let answer = analyst.feeds(&format!("/bi/v1/{path}")).await;
        let (_, message) = answer.told();
        assert_eq!(answer.status.as_u16(), status, "{path}: {message}");
        assert!(message.contains(says), "{path}: {message}");
    }
    let both = analyst
        .feeds("/bi/v1/kpi_facts.csv?from=x&to=y&role=KING")
        .await;
    let (_, message) = both.told();
    for part in ["`from` is a day", "`to` is a day", "`role` is one"] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn a_text_with_a_nul_is_a_fault_of_whoever_sent_it() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let answer = analyst.feeds("/bi/v1/kpis.csv?kpi=%00").await;
    assert!(
        [StatusCode::OK, StatusCode::BAD_REQUEST].contains(&answer.status),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn the_token_comes_as_bearer_or_as_the_password_of_basic() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let path = "/bi/v1/kpis.ndjson?columns=kpi_key";
    let right = STANDARD.encode(format!("whoever:{}", analyst.token));
    let wrong = STANDARD.encode("whoever:password");
    for (authorization, status) in [
        (format!("Basic {right}"), 200),
        (format!("basic {right}"), 200),
        (format!("Bearer {}", analyst.token), 200),
        (format!("Basic {wrong}"), 401),
        ("Basic !".to_owned(), 401),
        ("Bearer x".to_owned(), 401),
    ] {
        let headers = [("authorization", authorization.as_str())];
        let answer = send(&world, Method::GET, path, &headers).await;
        assert_eq!(answer.status.as_u16(), status, "{authorization}");
        if status == 401 {
            let ways = answer.headers.get_all("www-authenticate").iter();
            assert_eq!(ways.count(), 2, "both ways to sign in are offered");
        }
    }
    let answer = send(&world, Method::GET, "/bi/v1/nothing.csv", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "that comes first");
}

#[tokio::test]
async fn head_tells_what_get_would_and_reads_no_rows() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let bearer = format!("Bearer {}", analyst.token);
    let headers = [("authorization", bearer.as_str())];
    let path = format!("/bi/v1/kpi_facts.csv?{YEAR}");
    let got = send(&world, Method::GET, &path, &headers).await;
    let before = world.store.statement_count();
    let answer = send(&world, Method::HEAD, &path, &headers).await;
    let statements = world.store.statement_count() - before;
    assert!(
        statements <= 6,
        "who calls, and in a snapshot the tag and the token: {statements}"
    );
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.headers.get("content-length").is_none());
    for header in ["etag", "updated-until", "cache-control", "vary"] {
        assert_eq!(answer.header(header), got.header(header), "{header}");
    }
    let tag = got.header("etag").to_owned();
    let known = [headers[0], ("if-none-match", tag.as_str())];
    let answer_known = send(&world, Method::HEAD, &path, &known).await;
    assert_eq!(answer_known.status, StatusCode::NOT_MODIFIED);
    assert_eq!(
        answer.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert!(answer.bytes.is_empty());
    let wrong = "/bi/v1/kpi_facts.csv?from=yesterday";
    let refused = send(&world, Method::HEAD, wrong, &headers).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn pages_and_cursors_give_every_row_once_in_the_same_order() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    for path in [
        format!("/bi/v1/kpi_facts.ndjson?{YEAR}&columns=row_id,cursor"),
        "/bi/v1/kpi_measurements.ndjson?columns=measurement_id,cursor".to_owned(),
        "/bi/v1/touchpoints.ndjson?columns=touchpoint_id,cursor".to_owned(),
        "/bi/v1/findings.ndjson?columns=finding_id,cursor".to_owned(),
    ] {
        let whole = bea.lines(&path).await;
        assert!(whole.len() > 40, "{path}");
        // A feed that broke off goes on behind the last row that came.
        let middle = whole.len() / 2;
        let cursor = whole[middle]["cursor"].as_str().expect("a cursor");
        let rest = bea.lines(&format!("{path}&after={cursor}")).await;
        assert_eq!(rest, whole[middle + 1..], "{path}");
        assert_eq!(bea.pages(&path, 17).await, whole, "{path}");
    }
}

#[tokio::test]
async fn cursors_of_the_feed_are_those_of_graphql() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let feed = bea
        .lines(&format!("/bi/v1/kpi_facts.ndjson?{YEAR}&columns=cursor"))
        .await;
    let page = bea
        .ask("{ kpiFacts(first: 100) { edges { cursor } } }", json!({}))
        .await;
    let edges = page["kpiFacts"]["edges"].as_array().expect("edges");
    assert_eq!(edges[..], feed[..100]);
}

const RENAME: &str = "mutation($input: TouchpointRenameInput!) { touchpointRename(input: $input) { userErrors { message } } }";

#[tokio::test]
async fn excel_gets_semicolons_and_no_formulas() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let name = "=HYPERLINK(\"x\");å, æ";
    let renamed = json!({ "id": ids["T2"], "expectedVersion": 1, "name": name });
    cx.does(RENAME, renamed).await;
    let asked = "touchpoint=t2&columns=touchpoint_name,emotion,moment_of_truth,archived_at";
    let plain = cx.feeds(&format!("/bi/v1/touchpoints.csv?{asked}")).await;
    assert_eq!(
        plain.text(),
        "touchpoint_name,emotion,moment_of_truth,archived_at\r\n\
         \"'=HYPERLINK(\"\"x\"\");å, æ\",-1,false,\r\n"
    );
    let excel = cx
        .feeds(&format!("/bi/v1/touchpoints.csv?{asked}&dialect=excel-da"))
        .await;
    assert_eq!(
        excel.text(),
        "\u{feff}touchpoint_name;emotion;moment_of_truth;archived_at\r\n\
         \"'=HYPERLINK(\"\"x\"\");å, æ\";-1;false;\r\n"
    );
    let lines = cx
        .lines(&format!("/bi/v1/touchpoints.ndjson?{asked}"))
        .await;
    assert_eq!(lines[0]["touchpoint_name"], name, "JSON needs no guard");
    let exact = "/bi/v1/touchpoints.csv?touchpoint=t2&columns=touchpoint_name&formula_guard=false";
    let exact = cx.feeds(exact).await;
    assert_eq!(
        exact.text(),
        "touchpoint_name\r\n\"=HYPERLINK(\"\"x\"\");å, æ\"\r\n"
    );
    let neither = send(
        &world,
        Method::GET,
        "/bi/v1/kpis.csv?formula_guard=no",
        &[("authorization", &format!("Bearer {}", cx.token))],
    )
    .await;
    assert_eq!(neither.status, StatusCode::BAD_REQUEST);
    let values = cx
        .feeds("/bi/v1/kpi_measurements.csv?kpi=price&columns=measured_on,value&dialect=excel-da")
        .await;
    assert_eq!(
        values.text(),
        "\u{feff}measured_on;value\r\n2025-01-31;2\r\n2025-02-28;2,5\r\n2025-03-31;1,5\r\n"
    );
}

#[tokio::test]
async fn a_row_of_one_empty_cell_is_a_line_of_csv() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let path = format!("/bi/v1/kpi_facts.csv?{YEAR}&kpi=price&columns=warning");
    let answer = analyst.feeds(&path).await;
    let lines: Vec<&str> = answer.text().split_terminator("\r\n").collect();
    let (warned, empty) = (["3.0"; 6], ["\"\""; 3]);
    assert_eq!(lines, [&["warning"], &warned[..], &empty[..]].concat());
}

#[tokio::test]
async fn gzip_is_for_whoever_takes_it() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let bearer = format!("Bearer {}", bea.token);
    let path = format!("/bi/v1/kpi_facts.csv?{YEAR}");
    let plain = bea.feeds(&path).await;
    assert_eq!(plain.header("content-encoding"), "");
    for (accept, gzip) in [
        ("gzip, br", true),
        ("br;q=1, GZIP;q=0.5", true),
        ("gzip;q=0", false),
        ("br", false),
    ] {
        let headers = [
            ("authorization", bearer.as_str()),
            ("accept-encoding", accept),
        ];
        let answer = send(&world, Method::GET, &path, &headers).await;
        assert_eq!(
            answer.header("content-encoding") == "gzip",
            gzip,
            "{accept}"
        );
        let mut bytes = Vec::new();
        match gzip {
            true => flate2::read::GzDecoder::new(&answer.bytes[..])
                .read_to_end(&mut bytes)
                .map(|_| ())
                .expect("gzip"),
            false => bytes = answer.bytes,
        }
        assert_eq!(bytes, plain.bytes, "{accept}");
    }
}

#[tokio::test]
async fn a_feed_takes_few_statements_however_many_rows() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let facts = format!("kpi_facts.csv?{YEAR}");
    for (path, most) in [
        // Where a pull of measurements stands takes four. What is judged in the blueprints, and by whom, takes four,
        // and is kept.
        (facts.clone(), 13),
        (facts.clone(), 9),
        (format!("{facts}&kpi=KU1&limit=5"), 9),
        ("departments.csv".to_owned(), 5),
    ] {
        let before = world.store.statement_count();
        bea.feeds(&format!("/bi/v1/{path}")).await;
        let statements = world.store.statement_count() - before;
        assert!(statements <= most, "{path} took {statements}");
    }
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again_until_something_is_done() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let path = format!("/bi/v1/kpi_facts.csv?{YEAR}");
    let pull = async |login: &str, path: &str, known: &str| {
        let bearer = format!("Bearer {}", world.sign_in(login).await.token);
        let headers = [("authorization", &*bearer), ("if-none-match", known)];
        send(&world, Method::GET, path, &headers).await
    };
    let first = pull("analyst", &path, "\"nothing\"").await;
    assert_eq!(first.status, StatusCode::OK);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    world.sign_in_anew("analyst").await;
    let again = pull("analyst", &path, &format!("\"other\", {tag}")).await;
    assert_eq!(
        again.status,
        StatusCode::NOT_MODIFIED,
        "signing in changes nothing"
    );
    assert!(again.bytes.is_empty());
    assert_eq!(again.header("etag"), tag);
    // A client that forgot where it stood is told, and misses nothing by it.
    let since = format!("{path}&updated_since={}", again.header("updated-until"));
    let more = pull("analyst", &since, "\"nothing\"").await;
    assert_eq!(more.status, StatusCode::OK);
    assert_eq!(more.text().lines().count(), 1, "{}", more.text());
    // The tag of another question, or of somebody else, is another one.
    let page = format!("{path}&limit=2");
    assert_eq!(pull("analyst", &page, &tag).await.status, StatusCode::OK);
    assert_eq!(pull("auditor", &path, &tag).await.status, StatusCode::OK);
    let paged = pull("analyst", &page, "\"x\"").await;
    let paged = pull("analyst", &page, paged.header("etag")).await;
    assert_eq!(paged.status, StatusCode::NOT_MODIFIED);
    let value = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-03-31", "value": 0.25 });
    let cx = world.sign_in("cx-manager").await;
    cx.does(crate::facts::RECORD, json!({ "measurements": [value] }))
        .await;
    let changed = pull("analyst", &path, &tag).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.bytes, first.bytes);
    let findings = pull("analyst", "/bi/v1/findings.csv", "*").await;
    assert_eq!(
        findings.status,
        StatusCode::OK,
        "those change by themselves"
    );
}

#[tokio::test]
async fn a_first_pull_has_the_columns_and_types_of_those_that_follow() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let analyst = world.sign_in("analyst").await;
    let columns = "columns=measurement_id,kpi_key,value";
    let first = analyst
        .feeds(&format!(
            "/bi/v1/kpi_measurements.csv?{columns}&updated_since="
        ))
        .await;
    assert_eq!(first.status, StatusCode::OK);
    let rows: Vec<&str> = first.text().lines().collect();
    assert_eq!(rows[0], "measurement_id,kpi_key,value,is_deleted");
    let told: Vec<&str> = rows[1..]
        .iter()
        .filter_map(|row| Some(row.split_once(',')?.1))
        .collect();
    assert_eq!(
        told,
        ["PRICE,2.0,false", "PRICE,2.5,false", "PRICE,1.5,false"]
    );
    let mark = first.header("updated-until");
    let measurement = json!({ "measurements": [{ "kpiId": ids["PRICE"], "measuredOn": "2025-04-30", "value": 25 }] });
    manager.does(RECORD, measurement).await;
    let next = analyst
        .feeds(&format!(
            "/bi/v1/kpi_measurements.csv?{columns}&updated_since={mark}"
        ))
        .await;
    let rows: Vec<&str> = next.text().lines().collect();
    assert_eq!(rows[0], "measurement_id,kpi_key,value,is_deleted");
    assert!(rows[1].ends_with(",PRICE,25.0,false"), "{rows:?}");
}
