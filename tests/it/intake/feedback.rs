//! Answers by the sheet, recorded and routed as by the batch.

use axum::{body::Body, http::StatusCode};
use chrono::{DateTime, Duration, Utc};
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::sheet;
use crate::{
    ids::Ids,
    world::{World, read},
};

const PATH: &str = "/bi/v1/feedback.csv";

const SHEET: &str = "\
external_id,scale,score,touchpoint,answered_on,respondent,contact,comment,channel
s-1,NPS,3,open/T2,2025-03-04,customer-17,17@example.org,\"Nobody called, \"\"ever\"\"\",PHONE
s-2,nps,9,OPEN/t3,2025-03-05,,,,
s-3,CSAT,4,,2025-03-05,customer-18,,,
";

const LIST: &str = "{ feedback(first: 10) { nodes { externalId score answeredOn comment touchpoint { key } department { key }
    followUp { state } } } }";

#[tokio::test]
async fn a_sheet_of_answers_is_recorded_and_routed_once_however_often_it_is_sent() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let dry = format!("{PATH}?dry_run=true");
    let (status, answer) = manager.sends(&dry, SHEET).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let expected =
        json!({ "rows": 3, "recorded": 3, "unchanged": 0, "unroutable": 1, "dryRun": true });
    assert_eq!(answer, expected);
    assert_eq!(
        manager.ask(LIST, json!({})).await["feedback"]["nodes"],
        json!([])
    );
    let (_, answer) = manager.sends(PATH, SHEET).await;
    assert_eq!(answer["recorded"], json!(3));
    let told = manager.ask(LIST, json!({})).await["feedback"]["nodes"].take();
    assert_eq!(
        told,
        json!([
            { "externalId": "s-1", "score": 3, "answeredOn": "2025-03-04", "comment": "Nobody called, \"ever\"",
              "touchpoint": { "key": "T2" }, "department": { "key": "sales" }, "followUp": { "state": "OPEN" } },
            { "externalId": "s-2", "score": 9, "answeredOn": "2025-03-05", "comment": null,
              "touchpoint": { "key": "T3" }, "department": { "key": "service" }, "followUp": null },
            { "externalId": "s-3", "score": 4, "answeredOn": "2025-03-05", "comment": null,
              "touchpoint": null, "department": null, "followUp": { "state": "OPEN" } },
        ])
    );
    let danish = format!(
        "\u{feff}{}",
        SHEET.replace(',', ";").replace("called; ", "called, ")
    );
    let (_, answer) = manager.sends(PATH, danish).await;
    assert_eq!(
        (&answer["recorded"], &answer["unchanged"]),
        (&json!(0), &json!(3))
    );
    let otherwise =
        "external_id,scale,score,touchpoint,answered_on\ns-2,nps,9,open/T2,2025-03-06\n";
    let (_, answer) = manager.sends(PATH, otherwise).await;
    let message = "Line 2, column A (external_id): You have recorded this external id with another `answered_on`, `touchpoint`.";
    assert_eq!(answer["error"]["faults"][0]["message"], json!(message));
}

#[tokio::test]
async fn faults_of_answers_are_told_at_their_lines_and_columns() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let manager = world.sign_in("cx-manager").await;
    let csv = format!(
        "external_id,scale,score,touchpoint,blueprint,answered_on,answered_at,contact\n\
         a,NPS,11,open/T2,,2025-03-04,,\n\
         b,GREAT,5,,,2025-03-04,,\n\
         c,CES,8,open/T9,,2999-01-01,,\n\
         d,NPS,5,,,,,\n\
         a,NPS,5,,,2025-03-04,,\n\
         e,NPS,5,{},closed,2025-03-04,,x\n\
         f,NPS,5,,,,yesterday,\n\
         g,NPS,,,,,2025-03-04T10:00:00Z,\n\
         h,NPS,5,,,,2016-12-31T23:59:60Z,\n",
        ids["T2"]
    );
    let (status, answer) = manager.sends(PATH, csv).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    let faults = answer["error"]["faults"].as_array().expect("faults").iter();
    let mut told: Vec<&str> = faults
        .filter_map(|fault| fault["message"].as_str())
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "Line 10, column G (answered_at): \"2016-12-31T23:59:60Z\" is not a moment such as 2026-11-22T09:30:00Z.",
            "Line 2, column C (score): This lies outside its scale from 0 to 10.",
            "Line 3, column B (scale): \"GREAT\" is not one of NPS, CSAT, CES, ENPS.",
            "Line 4, column C (score): This lies outside its scale from 1 to 7.",
            "Line 4, column D (touchpoint): There is no touchpoint \"open/T9\".",
            "Line 4, column F (answered_on): The answer is in the future.",
            "Line 5: Give exactly one of `answered_at` and `answered_on`.",
            "Line 6, column A (external_id): This external id stands on line 2 too.",
            "Line 7, column E (blueprint): The touchpoint is in another blueprint.",
            "Line 7, respondent: A contact needs a respondent: say who answered.",
            "Line 8, column G (answered_at): \"yesterday\" is not a moment such as 2026-11-22T09:30:00Z.",
            "Line 9, column C (score): This cannot be empty.",
        ]
    );
    assert_eq!(
        manager.ask(LIST, json!({})).await["feedback"]["nodes"],
        json!([])
    );
}

#[tokio::test]
async fn answers_are_for_whoever_delivers_where_they_were_given() {
    let world = World::small().await;
    let one = "scale,score,touchpoint,answered_on\nNPS,5,open/T2,2025-03-04\n";
    for (login, expected) in [
        ("contributor", StatusCode::OK),
        ("cx-manager", StatusCode::OK),
        ("viewer", StatusCode::FORBIDDEN),
        ("analyst", StatusCode::FORBIDDEN),
        ("admin", StatusCode::FORBIDDEN),
    ] {
        let (status, answer) = world.sign_in(login).await.sends(PATH, one).await;
        assert_eq!(status, expected, "{login}: {answer}");
    }
    let (status, _) = read(world.send(sheet(PATH, "x", one)).await).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let many = "NPS,5,open/T2,2025-03-04\n".repeat(10_001);
    let manager = world.sign_in("cx-manager").await;
    let (status, answer) = manager
        .sends(PATH, format!("scale,score,touchpoint,answered_on\n{many}"))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        answer["error"]["faults"][0]["message"],
        json!("Line 10002: There are more than 10000 rows.")
    );
}

#[tokio::test]
async fn an_external_id_is_seen() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let record = "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) { recorded userErrors { field code } } }";
    for id in ["\u{200b}", "\u{3164}\u{feff}"] {
        let answer =
            json!({ "externalId": id, "scale": "NPS", "score": 9, "answeredOn": "2025-03-05" });
        let told = manager.tries(record, json!({ "feedback": [answer] })).await;
        let field = json!(["feedback", "0", "externalId"]);
        assert_eq!(
            told["userErrors"],
            json!([{ "field": field, "code": "REQUIRED" }]),
            "{id:?}"
        );
    }
}

#[tokio::test]
async fn a_sheet_that_takes_its_time_is_recorded_when_it_has_come() {
    let world = World::small().await;
    // Anew: a token that the world has already may be minutes old.
    let manager = world.sign_in_anew("cx-manager").await;
    let (first, rest) = SHEET.split_at(40);
    let slowly = |after: tokio::sync::oneshot::Receiver<()>| {
        let begun = stream::once(async move { Ok::<_, std::io::Error>(first) });
        let rest = stream::once(async move {
            after.await.ok();
            Ok(rest)
        });
        Body::from_stream(begun.chain(rest))
    };
    let (go_on, waits) = tokio::sync::oneshot::channel();
    let sending = world.send(sheet(PATH, &manager.token, slowly(waits)));
    let passing = async {
        tokio::task::yield_now().await;
        world.clock.advance(Duration::minutes(8));
        go_on.send(()).expect("it is awaited");
    };
    let (answer, ()) = tokio::join!(sending, passing);
    let (status, answer) = read(answer).await;
    assert_eq!(
        (status, &answer["recorded"]),
        (StatusCode::OK, &json!(3)),
        "{answer}"
    );
    let list = "{ feedback(first: 10) { nodes { recordedAt } } }";
    let told = manager.ask(list, json!({})).await;
    for node in told["feedback"]["nodes"].as_array().expect("nodes") {
        let at: DateTime<Utc> = node["recordedAt"]
            .as_str()
            .expect("a moment")
            .parse()
            .expect("a moment");
        let age = world.clock.now() - at;
        assert!(
            age < Duration::minutes(1),
            "whoever follows the list misses it: {age}"
        );
    }
    // And not at all, where its sender may not any more.
    let (go_on, waits) = tokio::sync::oneshot::channel();
    let sending = world.send(sheet(PATH, &manager.token, slowly(waits)));
    let passing = async {
        tokio::task::yield_now().await;
        world.clock.advance(Duration::hours(1));
        go_on.send(()).expect("it is awaited");
    };
    let (answer, ()) = tokio::join!(sending, passing);
    assert_eq!(read(answer).await.0, StatusCode::UNAUTHORIZED);
}
