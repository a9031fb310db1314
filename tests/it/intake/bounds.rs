//! What is too large, too long, in another encoding or another form, and who goes away half way.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;

use super::{PATH, kept, sheet};
use crate::world::{World, read};

const HEAD: &str = "kpi,measured_on,value\n";

/// A body of so many pieces, none of which is in memory before it is sent.
fn pieces(first: &'static str, piece: Vec<u8>, count: usize) -> Body {
    let piece = Bytes::from(piece);
    let rest = stream::iter((0..count).map(move |_| piece.clone()));
    let all = stream::once(async move { Bytes::from_static(first.as_bytes()) }).chain(rest);
    Body::from_stream(all.map(Ok::<_, std::io::Error>))
}

#[tokio::test]
async fn what_is_larger_than_there_may_be_is_refused_as_soon_as_it_is_seen() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let endless = pieces(HEAD, b"PRICE,2025-05-31,1\n".repeat(10_000), usize::MAX);
    let (status, answer) = contributor.sends(PATH, endless).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let message = answer["error"]["message"].as_str();
    assert!(
        message.is_some_and(|text| text.starts_with("A sheet has at most 8 MB.")),
        "{answer}"
    );
    let announced = Request::post(PATH)
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", contributor.token),
        )
        .header(header::CONTENT_TYPE, "text/csv; charset=UTF-8")
        .header(header::CONTENT_LENGTH, 9_u64 << 20)
        .body(Body::from_stream(
            stream::pending::<std::io::Result<Bytes>>(),
        ))
        .expect("a request");
    let (status, _) = read(world.send(announced).await).await;
    assert_eq!(
        status,
        StatusCode::PAYLOAD_TOO_LARGE,
        "before any byte of it"
    );
    assert_eq!(
        contributor.brings("", HEAD).await,
        [0, 0, 0, 0],
        "the next has its turn"
    );
}

#[tokio::test]
async fn long_lines_and_what_is_no_text_are_refused_with_their_line() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (
            b"x".repeat(7 << 20),
            "Line 1, column A: This cell is longer than 64 KiB.",
        ),
        (
            [HEAD.as_bytes(), &b"x".repeat(70 << 10)].concat(),
            "Line 2, column A (kpi): This cell is longer than 64 KiB.",
        ),
        (
            [HEAD.as_bytes(), b"\"PRICE,", &b"\n".repeat(70 << 10)].concat(),
            "Line 2, column A (kpi): This cell is longer than 64 KiB.",
        ),
        (
            [HEAD.as_bytes(), b"PRICE,2025-05-31,1\0\n"].concat(),
            "Line 2, column C (value): There is a NUL character.",
        ),
        (
            [HEAD.as_bytes(), b"R\xf8d,2025-05-31,1\n"].concat(),
            "Line 2, column A (kpi): The byte F8 is no UTF-8.",
        ),
        (
            b"\xff\xfek\0p\0i\0,\0".to_vec(),
            "Line 1: This is UTF-16, or no text at all.",
        ),
        (
            b"\x1f\x8b\x08\x00\x00\x00".to_vec(),
            "Line 1: This is UTF-16, or no text at all.",
        ),
        (
            [HEAD.as_bytes(), b"PRICE,\"2025"].concat(),
            "Line 2, column B (measured_on): The quotation mark that begins this cell is never closed.",
        ),
    ];
    for (body, sentence) in cases {
        let told = contributor.errs(body).await;
        assert!(told[0].starts_with(sentence), "{sentence} {told:?}");
        assert_eq!(told.len(), 1, "{told:?}");
    }
    // What is wrong in one cell alone does not end the reading.
    let both = [HEAD.as_bytes(), b"R\xf8d,2025-05-31,1\nPRICE,x,1\n"].concat();
    assert_eq!(contributor.errs(both).await.len(), 2);
}

#[tokio::test]
async fn what_is_not_csv_or_asked_otherwise_is_told_so() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-type", "text/plain"),
        ("content-type", "text/csv; charset=iso-8859-1"),
        ("content-encoding", "br"),
        ("content-encoding", "gzip, gzip"),
    ] {
        let mut request = sheet(PATH, &contributor.token, HEAD);
        let header: axum::http::HeaderName = name.parse().expect("a name");
        request
            .headers_mut()
            .insert(header, value.parse().expect("a value"));
        let (status, answer) = read(world.send(request).await).await;
        assert_eq!(
            status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{value}: {answer}"
        );
    }
    for (query, says) in [
        ("dialect=excel", "`dialect` is comma or excel-da."),
        ("dry_run=yes", "`dry_run` is true or false."),
        ("dry_run=true&dry_run=true", "each once"),
        ("colour=red", "dialect and dry_run"),
    ] {
        let (status, answer) = contributor.sends(&format!("{PATH}?{query}"), HEAD).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(says), "{query}: {message}");
    }
}

#[tokio::test]
async fn a_sheet_may_come_compressed() {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let compressed = |text: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text).expect("it is written");
        gzip.finish().expect("it is written")
    };
    let send = async |body: Vec<u8>| {
        let mut request = sheet(PATH, &contributor.token, body);
        let gzip = "gzip".parse().expect("a value");
        request.headers_mut().insert("content-encoding", gzip);
        read(world.send(request).await).await
    };
    let rows = format!("{HEAD}PRICE,2025-05-30,1\nPRICE,2025-05-31,2\n");
    let (status, answer) = send(compressed(rows.as_bytes())).await;
    assert_eq!(
        (status, &answer["recorded"]),
        (StatusCode::OK, &json!(2)),
        "{answer}"
    );
    // One after another, as some programs write it.
    let [one, other] = [HEAD, "PRICE,2025-05-31,2\n"].map(|part| compressed(part.as_bytes()));
    let (status, answer) = send([one, other].concat()).await;
    assert_eq!(
        (status, &answer["unchanged"]),
        (StatusCode::OK, &json!(1)),
        "{answer}"
    );
    let whole = compressed(rows.as_bytes());
    for (body, says) in [
        (rows.clone().into_bytes(), "cannot be unpacked"),
        (whole[..whole.len() - 4].to_vec(), "cannot be unpacked"),
        (whole[..20].to_vec(), "cannot be unpacked"),
        (Vec::new(), "cannot be unpacked"),
    ] {
        let (status, answer) = send(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(says), "{answer}");
    }
    // What is small on its way and too large in the end is not read to that end.
    let (status, answer) = send(compressed(&vec![b','; 9 << 20])).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
}

#[tokio::test]
async fn a_sheet_that_does_not_come_takes_nobodys_turn() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let dawdling = || {
        let begun = stream::once(async {
            Ok::<_, std::io::Error>(Bytes::from("kpi,measured_on,value\nPRICE,2025-05-31,1\n"))
        });
        let body = Body::from_stream(begun.chain(stream::pending()));
        Box::pin(world.send(sheet(PATH, &contributor.token, body)))
    };
    let moment = Duration::from_millis(500);
    let mut first = dawdling();
    assert!(tokio::time::timeout(moment, &mut first).await.is_err());
    assert_eq!(
        contributor.brings("", HEAD).await,
        [0, 0, 0, 0],
        "others go on"
    );
    let mut second = dawdling();
    assert!(tokio::time::timeout(moment, &mut second).await.is_err());
    let third = world.send(sheet(PATH, &contributor.token, HEAD)).await;
    assert_eq!(
        third.status(),
        StatusCode::SERVICE_UNAVAILABLE,
        "two of one account"
    );
    assert!(third.headers().contains_key(header::RETRY_AFTER));
    let manager = world.sign_in("cx-manager").await;
    assert_eq!(
        manager.brings("", HEAD).await,
        [0, 0, 0, 0],
        "not of another"
    );
    drop(first);
    assert_eq!(contributor.brings("", HEAD).await, [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_sheet_that_breaks_off_leaves_nothing() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    let before = kept(&world).await;
    let row = Ok(Bytes::from("kpi,measured_on,value\nPRICE,2025-05-31,1\n"));
    let broken = stream::iter([row, Err(std::io::Error::other("gone"))]);
    let (status, _) = contributor.sends(PATH, Body::from_stream(broken)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // Whoever gives up while it is sent frees the turn.
    let silent = Body::from_stream(stream::pending::<std::io::Result<Bytes>>());
    let sending = world.send(sheet(PATH, &contributor.token, silent));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), sending)
            .await
            .is_err()
    );
    assert_eq!(kept(&world).await, before);
    assert_eq!(contributor.brings("", HEAD).await, [0, 0, 0, 0]);
}

/// A value of one KPI on each of so many days.
fn rows(count: u64, value: u64) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(1990, 1, 1).expect("a day");
    let days = first.iter_days().zip(0..count);
    let rows: String = days
        .map(|(day, _)| format!("PRICE,{day},{value}\n"))
        .collect();
    format!("{HEAD}{rows}")
}

#[tokio::test]
async fn the_number_of_statements_rises_by_few_with_every_thousand_rows() {
    let world = World::small().await;
    let contributor = world.sign_in("contributor").await;
    // An act ends after a second, so that others get their turn: on a slow machine there are more of them.
    const OF_AN_ACT: u64 = 20;
    let took = async |count, value, expected| {
        let (before, begun) = (world.store.statement_count(), std::time::Instant::now());
        assert_eq!(contributor.brings("", rows(count, value)).await, expected);
        let statements = world.store.statement_count() - before;
        statements.saturating_sub(OF_AN_ACT * begun.elapsed().as_secs())
    };
    let few = took(1_000, 1, [1_000, 1_000, 0, 0]).await;
    let many = took(5_000, 1, [5_000, 4_000, 0, 1_000]).await;
    assert!(many <= few + 2 * 5, "new: {few}, {many}");
    let corrected = took(5_000, 2, [5_000, 0, 5_000, 0]).await;
    assert!(corrected <= few + 3 * 5, "corrected: {few}, {corrected}");
    assert!(few < 25, "{few}");
}

#[tokio::test]
async fn postgresql_is_told_of_very_many_new_rows_at_once() {
    let world = World::small().await;
    if world.store.backend() != DbBackend::Postgres {
        return;
    }
    let contributor = world.sign_in("contributor").await;
    let expected = [12_000, 12_000, 0, 0];
    assert_eq!(contributor.brings("", rows(12_000, 1)).await, expected);
    let known = "SELECT reltuples::float8 FROM pg_class WHERE oid = 'measurement'::regclass";
    let known = Statement::from_string(DbBackend::Postgres, known);
    let known = world.db().query_one_raw(known).await.expect("an answer");
    let known: f64 = known.expect("a row").try_get_by_index(0).expect("a number");
    assert!(known >= 12_000.0, "{known}");
}
