//! How requests are refused, and what HEAD takes.

use axum::http::{Method, StatusCode};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{IN_YEAR, encoded};
use crate::{
    bi::{YEAR, send},
    world::World,
};

#[tokio::test]
async fn what_is_wrong_is_told_in_odatas_words() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    for (path, status, code, says) in [
        (
            "kpi_fact",
            404,
            "NOT_FOUND",
            "There is no such dataset. There are kpi_facts",
        ),
        (
            "kpis('kpi_00000000000000000000000000000000')",
            404,
            "NOT_FOUND",
            "no such row of kpis",
        ),
        ("kpis('x')", 404, "NOT_FOUND", "no such row of kpis"),
        ("kpis(5)", 404, "NOT_FOUND", "no such row of kpis"),
        ("kpis(x)", 400, "BAD_USER_INPUT", "A key is one value"),
        (
            "dates(2025-03-01)?$top=1",
            400,
            "BAD_USER_INPUT",
            "it takes $select, $format.",
        ),
        ("kpi_facts('x')", 501, "NOT_IMPLEMENTED", "range of days"),
        (
            "kpi_facts?$filter=measured_on+ge+2000-01-01+and+measured_on+lt+2040-01-01",
            400,
            "BAD_USER_INPUT",
            "at most 3660 days",
        ),
        (
            "kpi_series?$filter=period_start+lt+2025-01-01&grain=decade",
            400,
            "BAD_USER_INPUT",
            "`grain` has to be one of",
        ),
        (
            "kpi_series_month?grain=day",
            400,
            "BAD_USER_INPUT",
            "does not take every option",
        ),
        (
            "dates?$filter=year(day)+ge+1990+and+year(day)+lt+2025",
            400,
            "BAD_USER_INPUT",
            "at most 3660 days",
        ),
        (
            "kpis?$filter=kpi_key+eq+5",
            400,
            "BAD_USER_INPUT",
            "a text in quotes",
        ),
        (
            "kpis?$filter=contains(trim(kpi_key),'x')",
            501,
            "NOT_IMPLEMENTED",
            "contains, startswith",
        ),
        (
            "kpis?$expand=links",
            501,
            "NOT_IMPLEMENTED",
            "$expand is not offered",
        ),
        (
            "kpis?$apply=x&$search=y",
            501,
            "NOT_IMPLEMENTED",
            "$search is not offered",
        ),
        (
            "kpis?colour=red&$top=x",
            400,
            "BAD_USER_INPUT",
            "`$top` is a whole number",
        ),
        (
            "kpis?$format=atom",
            406,
            "NOT_ACCEPTABLE",
            "application/json",
        ),
        (
            "$metadata?$format=json",
            406,
            "NOT_ACCEPTABLE",
            "application/xml",
        ),
        ("?$top=1", 400, "BAD_USER_INPUT", "no options but $format"),
        ("$batch", 501, "NOT_IMPLEMENTED", "$batch"),
        (
            "kpis('x')/kpi_key",
            501,
            "NOT_IMPLEMENTED",
            "paths after rows",
        ),
        ("kpis?$filter=%00", 400, "BAD_USER_INPUT", "At letter 1"),
        (
            "kpis?$filter=kpi_key+eq+'%00'",
            400,
            "BAD_USER_INPUT",
            "NUL",
        ),
        ("kpis?$filter=kpi_key+eq+'%FF'", 200, "", ""),
    ] {
        let answer = analyst.odata(path, &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
        assert_eq!(answer.header("odata-version"), "4.0", "{path}");
        if status == 200 {
            continue;
        }
        let body: Value = serde_json::from_slice(&answer.bytes).expect("JSON");
        let message = body["error"]["message"].as_str().expect("a message");
        assert_eq!(
            body,
            json!({ "error": { "code": code, "message": message } }),
            "{path}"
        );
        assert!(message.contains(says), "{path}: {message}");
    }
    for (headers, status) in [
        (("accept", "application/atom+xml"), 406),
        (("odata-version", "3.0"), 400),
        (("odata-maxversion", "3.0"), 400),
        (("odata-maxversion", "4.01"), 200),
        (("odata-version", "4.0"), 200),
    ] {
        let answer = analyst.odata("kpis", &[headers]).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}");
    }
    let bearer = format!("Bearer {}", analyst.token);
    let headers = [("authorization", bearer.as_str())];
    for (method, path, status) in [
        (Method::POST, "kpis", 405),
        (Method::PATCH, "kpis('x')", 405),
        (Method::DELETE, "kpis('x')", 405),
        (Method::PUT, "", 405),
        (Method::POST, "$batch", 501),
    ] {
        let answer = send(
            &world,
            method.clone(),
            &format!("/bi/odata/v4/{path}"),
            &headers,
        )
        .await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        if status == 405 {
            assert_eq!(answer.header("allow"), "GET, HEAD");
            assert_eq!(answer.told().0, "METHOD_NOT_ALLOWED");
        }
    }
}

#[tokio::test]
async fn head_is_answered_with_the_headers_of_get_and_no_body() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let bearer = format!("Bearer {}", analyst.token);
    let headers = [("authorization", bearer.as_str())];
    let facts = format!("kpi_facts?$count=true&$filter={}", encoded(IN_YEAR));
    for path in [
        "",
        "$metadata",
        facts.as_str(),
        "kpi_facts",
        "kpis/$count",
        "kpis('x')",
        "nothing",
        "kpis?$top=few",
    ] {
        let path = format!("/bi/odata/v4/{path}");
        let got = send(&world, Method::GET, &path, &headers).await;
        let head = send(&world, Method::HEAD, &path, &headers).await;
        assert_eq!(head.status, got.status, "{path}");
        for header in ["content-type", "odata-version", "cache-control", "vary"] {
            assert_eq!(head.headers.get(header), got.headers.get(header), "{path}");
        }
        let length = got.bytes.len().to_string();
        assert_eq!(head.header("content-length"), length, "{path}");
        assert!(head.bytes.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn who_may_not_pull_is_told_so() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let right = STANDARD.encode(format!("whoever:{}", analyst.token));
    let basic = format!("Basic {right}");
    for (authorization, status) in [(basic.as_str(), 200), ("Basic !", 401), ("Bearer x", 401)] {
        for path in ["", "$metadata", "kpis", "kpis/$count", "nothing", "$batch"] {
            let answer = send(
                &world,
                Method::GET,
                &format!("/bi/odata/v4/{path}"),
                &[("authorization", authorization)],
            )
            .await;
            if status == 401 {
                assert_eq!(
                    answer.status,
                    StatusCode::UNAUTHORIZED,
                    "{path}: that comes first"
                );
                assert_eq!(answer.told().0, "UNAUTHENTICATED");
                let ways = answer.headers.get_all("www-authenticate").iter();
                assert_eq!(ways.count(), 2, "both ways to sign in are offered");
            } else if !["nothing", "$batch"].contains(&path) {
                assert_eq!(answer.status, StatusCode::OK, "{path}");
            }
        }
    }
    for login in ["stranger", "viewer", "admin"] {
        let actor = world.sign_in(login).await;
        for path in ["", "$metadata", "kpis", "kpis/$count", "kpis('x')"] {
            let answer = actor.odata(path, &[]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{login} {path}");
            assert_eq!(answer.told().0, "FORBIDDEN");
        }
    }
    // A token narrows what its account may do, here as everywhere.
    let sales = world.with_token("analyst", &["BI"], &["sales"]).await;
    let meter = world.with_token("auditor", &["MEASUREMENTS"], &[]).await;
    assert_eq!(meter.odata("kpis", &[]).await.status, StatusCode::FORBIDDEN);
    let narrowed = sales.lines("/bi/v1/responsibilities.ndjson").await;
    let all = analyst.lines("/bi/v1/responsibilities.ndjson").await;
    let (rows, _) = sales.odata_rows("responsibilities", 2).await;
    assert_eq!(rows, narrowed);
    assert!(
        !rows.is_empty() && rows.len() < all.len(),
        "{} of {}",
        rows.len(),
        all.len()
    );
    let facts = format!("kpi_facts?$filter={}", encoded(IN_YEAR));
    let (rows, _) = sales.odata_rows(&facts, 2).await;
    assert_eq!(
        rows,
        sales
            .lines(&format!("/bi/v1/kpi_facts.ndjson?{YEAR}"))
            .await
    );
}

#[tokio::test]
async fn no_key_is_a_day_beyond_the_calendar() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    for (day, status) in [
        ("2025-03-01", StatusCode::OK),
        ("2999-12-31", StatusCode::OK),
        ("1899-12-31", StatusCode::BAD_REQUEST),
        ("3000-01-01", StatusCode::BAD_REQUEST),
        ("9999-12-31", StatusCode::BAD_REQUEST),
        ("0000-01-01", StatusCode::BAD_REQUEST),
    ] {
        let answer = analyst.odata(&format!("dates({day})"), &[]).await;
        assert_eq!(answer.status, status, "{day}: {}", answer.text());
    }
}
