//! Service tokens: made and shown once, what they open, and how they end.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::Duration;
use entity::{service_token, words::TokenScope};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{
    ids::Ids,
    refusals::{self, cases, filled, mutations, prepared},
    world::{Actor, World},
};

const CREATE: &str = "mutation($input: ServiceTokenCreateInput!) { serviceTokenCreate(input: $input) {
    secret serviceToken { id name scopes expiresAt account { key } departments { key } madeBy { key } }
    userErrors { code field message } } }";
pub const REVOKE: &str =
    "mutation($input: ServiceTokenRevokeInput!) { serviceTokenRevoke(input: $input) {
    serviceToken { revokedAt } userErrors { code message } } }";
const LIST: &str = "query($filter: ServiceTokenFilter) { serviceTokens(filter: $filter) { totalCount nodes { name } } }";

impl World {
    /// Somebody with a service token of this account, made by the ADMIN.
    pub async fn with_token(
        &self,
        account: &str,
        scopes: &[&str],
        departments: &[&str],
    ) -> Actor<'_> {
        let ids = Ids::of(self).await;
        let departments: Vec<&String> = departments.iter().map(|key| &ids[*key]).collect();
        let input = json!({ "accountId": ids[account], "name": "Token", "scopes": scopes, "departmentIds": departments });
        let made = self.sign_in("admin").await.does(CREATE, input).await;
        Actor {
            world: self,
            login: format!("a token of {account}"),
            token: made["secret"].as_str().expect("a token").to_owned(),
        }
    }
}

/// The status and the sentence with which a token is answered, by Bearer.
async fn said(world: &World, token: &str) -> (StatusCode, String) {
    let body = json!({ "query": "{ viewer { account { key } } }" });
    let (status, answer) = world.post("/graphql", Some(token), &body).await;
    let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
    (status, message.to_owned())
}

async fn refused(world: &World, token: &str, sentence: &str) {
    let (status, message) = said(world, token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{message}");
    assert!(message.contains(sentence), "{message}");
}

#[tokio::test]
async fn a_token_is_shown_once_and_kept_as_a_hash() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let ids = Ids::of(&world).await;
    let input = json!({ "id": "tok_019ab0000000700080000000000000b1", "accountId": ids["robot"], "name": "Power BI",
        "scopes": ["BI", "BI"], "departmentIds": [ids["sales"]] });
    let made = admin.does(CREATE, input.clone()).await;
    let secret = made["secret"].as_str().expect("a token");
    assert!(secret.starts_with("cxb_") && secret.len() == 53, "{secret}");
    assert_eq!(
        made["serviceToken"]["account"]["key"], "robot",
        "a service signs in with it"
    );
    assert_eq!(made["serviceToken"]["scopes"], json!(["BI"]));
    assert_eq!(
        made["serviceToken"]["departments"],
        json!([{ "key": "sales" }])
    );
    assert_eq!(made["serviceToken"]["madeBy"]["key"], "admin");
    let expires: chrono::DateTime<chrono::Utc> =
        serde_json::from_value(made["serviceToken"]["expiresAt"].clone()).expect("a moment");
    let days = (expires - world.clock.now()).num_hours();
    assert!((90 * 24 - 1..=90 * 24).contains(&days), "{days} hours");
    let again = admin.does(CREATE, input).await;
    assert_eq!(
        again["secret"],
        Value::Null,
        "a retry makes and shows nothing"
    );
    let rows = service_token::Entity::find().all(&world.db()).await;
    let rows = rows.expect("tokens");
    assert_eq!(rows.len(), 1);
    assert!(!format!("{rows:?}").contains(secret));
    let events = admin
        .ask("{ auditEvents(filter: { action: \"serviceTokenCreate\" }) { nodes { subjectId before after } } }", json!({}))
        .await;
    assert!(events.to_string().contains("Power BI"), "{events}");
    assert!(!events.to_string().contains("hash") && !events.to_string().contains(secret));
    assert_eq!(said(&world, secret).await.0, StatusCode::OK);
}

#[tokio::test]
async fn faults_of_a_new_token_are_told_all_at_once() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let ids = Ids::of(&world).await;
    let faults = async |input: Value| {
        let answer = admin.tries(CREATE, input).await;
        let faults = answer["userErrors"]
            .as_array()
            .expect("user errors")
            .clone();
        let fields = faults.iter().map(|fault| fault["field"][0].clone());
        fields
            .map(|field| field.as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let all = json!({ "accountId": "dep_1", "name": " ", "scopes": [], "expiresInDays": 366, "departmentIds": ["acc_1"] });
    assert_eq!(
        faults(all).await,
        [
            "accountId",
            "name",
            "scopes",
            "departmentIds",
            "expiresInDays"
        ]
    );
    for (field, value) in [
        ("expiresInDays", json!(0)),
        ("accountId", json!("acc_019ab0000000700080000000000000b1")),
        (
            "departmentIds",
            json!(["dep_019ab0000000700080000000000000b1"]),
        ),
    ] {
        let mut input = json!({ "accountId": ids["robot"], "name": "Token", "scopes": ["READ"] });
        input[field] = value;
        assert_eq!(faults(input).await, [field]);
    }
}

#[tokio::test]
async fn what_is_no_token_of_ours_or_none_any_more_opens_nothing() {
    let world = World::small().await;
    let reader = world.with_token("viewer", &["READ"], &[]).await;
    assert_eq!(
        said(&world, &reader.token).await,
        (StatusCode::OK, String::new())
    );
    let mut mistyped = reader.token.clone();
    let last = mistyped.pop().expect("a letter");
    mistyped.push(if last == 'x' { 'y' } else { 'x' });
    for cut in [mistyped.as_str(), &reader.token[..20], "cxb_", "cxb_-"] {
        refused(&world, cut, "cut off or mistyped").await;
    }
    let unknown = cx_blueprint::token::service::ServiceTokenSecret::new()
        .expect("a token")
        .into_text();
    refused(&world, &unknown, "is not accepted").await;
    world.clock.advance(Duration::days(89));
    assert_eq!(said(&world, &reader.token).await.0, StatusCode::OK);
    world.clock.advance(Duration::days(1));
    refused(&world, &reader.token, "has expired").await;
}

#[tokio::test]
async fn a_token_ends_when_it_is_revoked_and_with_its_account() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let (first, second) = (
        world.with_token("viewer", &["READ"], &[]).await,
        world.with_token("viewer", &["BI"], &[]).await,
    );
    let rows = service_token::Entity::find().filter(service_token::Column::RevokedAt.is_null());
    let rows = rows.all(&world.db()).await.expect("tokens");
    let id = json!({ "id": rows.iter().min_by_key(|row| row.id).expect("a token").id.to_string() });
    let revoked = admin.does(REVOKE, id.clone()).await;
    assert_eq!(admin.does(REVOKE, id).await, revoked, "twice is no fault");
    refused(&world, &first.token, "was revoked").await;
    let listed = admin.ask(LIST, json!({ "filter": {} })).await;
    assert_eq!(listed["serviceTokens"]["totalCount"], 1);
    let listed = admin
        .ask(LIST, json!({ "filter": { "includeEnded": true } }))
        .await;
    assert_eq!(listed["serviceTokens"]["totalCount"], 2);
    let ids = Ids::of(&world).await;
    let at = |version: i32| json!({ "id": ids["viewer"], "expectedVersion": version });
    let deactivate = "mutation($input: AtVersionInput!) { accountDeactivate(input: $input) { userErrors { code message } } }";
    admin.does(deactivate, at(1)).await;
    refused(&world, &second.token, "is deactivated").await;
    let reactivate = "mutation($input: AtVersionInput!) { accountReactivate(input: $input) { userErrors { code message } } }";
    admin.does(reactivate, at(2)).await;
    refused(&world, &second.token, "was revoked").await;
}

#[tokio::test]
async fn roles_of_a_tokens_account_are_read_with_every_request() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let facts = "{ kpiFacts(first: 1) { nodes { rowId } } }";
    let pulls = world.with_token("stranger", &["BI"], &[]).await;
    let answer = pulls.send(facts, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let ids = Ids::of(&world).await;
    let update = "mutation($input: AccountUpdateInput!) { accountUpdate(input: $input) { userErrors { code message } } }";
    admin
        .does(
            update,
            json!({ "id": ids["stranger"], "expectedVersion": 1, "role": "ANALYST" }),
        )
        .await;
    pulls.ask(facts, json!({})).await;
}

/// How many blueprints, drafts among them, KPI rows and audit events somebody gets; a word where it is refused.
async fn gets(actor: &Actor<'_>) -> [String; 4] {
    let counted = async |query: &str, list: &str| {
        let answer = actor.send(query, json!({})).await;
        match answer["errors"][0]["extensions"]["code"].as_str() {
            Some(code) => code.to_owned(),
            None => answer["data"][list]["nodes"]
                .as_array()
                .expect("a list")
                .len()
                .to_string(),
        }
    };
    [
        counted("{ blueprints(first: 200) { nodes { id } } }", "blueprints").await,
        counted(
            "{ blueprints(filter: { statuses: [DRAFT] }) { nodes { id } } }",
            "blueprints",
        )
        .await,
        counted("{ kpiFacts(first: 200) { nodes { rowId } } }", "kpiFacts").await,
        counted("{ auditEvents(first: 1) { nodes { id } } }", "auditEvents").await,
    ]
}

#[tokio::test]
async fn scopes_open_a_part_of_what_the_account_reads() {
    let world = World::small().await;
    let whole = gets(&world.sign_in("auditor").await).await;
    let reads = gets(&world.with_token("auditor", &["READ"], &[]).await).await;
    assert_eq!(reads, whole, "READ is what the account reads");
    let bi = gets(&world.with_token("auditor", &["BI"], &[]).await).await;
    assert_eq!(
        (&bi[1], &bi[2], &bi[3]),
        (&"0".to_owned(), &whole[2], &"FORBIDDEN".to_owned())
    );
    for scope in ["MEASUREMENTS", "FEEDBACK"] {
        let feeds = gets(&world.with_token("auditor", &[scope], &[]).await).await;
        assert_eq!(feeds[0], bi[0]);
        assert_eq!(feeds[1..], ["0", "FORBIDDEN", "FORBIDDEN"], "{scope}");
    }
    assert_ne!(whole[1], "0", "there is a draft to be hidden");
}

#[tokio::test]
async fn departments_bound_a_token_to_what_they_and_those_below_take_part_in() {
    let world = World::small().await;
    let facts = "{ kpiFacts(first: 200) { nodes { departmentKey kpiKey } } }";
    let departments = async |actor: &Actor<'_>| -> BTreeSet<String> {
        let data = actor.ask(facts, json!({})).await;
        let rows = data["kpiFacts"]["nodes"].as_array().expect("rows").clone();
        let keys = rows
            .iter()
            .map(|row| row["departmentKey"].as_str().unwrap_or("-").to_owned());
        keys.collect()
    };
    let all = departments(&world.sign_in("analyst").await).await;
    assert!(all.contains("sales") && all.contains("finance"), "{all:?}");
    let sales = departments(&world.with_token("analyst", &["BI"], &["sales"]).await).await;
    assert_eq!(sales, ["sales".to_owned()].into());
    let board = departments(&world.with_token("analyst", &["BI"], &["board"]).await).await;
    assert!(
        board.contains("sales") && board.contains("finance"),
        "{board:?}"
    );
    // A lead's token does not reach beyond the lead.
    let elsewhere = world.with_token("lead", &["BI"], &["finance"]).await;
    let answer = elsewhere.send(facts, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_token_records_measurements_only_with_that_scope_and_is_named_in_the_audit_log() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let record = "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) { recorded userErrors { code message } } }";
    let input = json!({ "measurements": [{ "kpiId": ids["PRICE"], "measuredOn": "2025-04-30", "value": 1.0 }] });
    for scopes in [
        &["READ"][..],
        &["BI"],
        &["FEEDBACK"],
        &["READ", "BI", "FEEDBACK"],
    ] {
        let token = world.with_token("contributor", scopes, &[]).await;
        assert_eq!(
            token.refused(record, input.clone()).await,
            ["FORBIDDEN"],
            "{scopes:?}"
        );
    }
    let elsewhere = world
        .with_token("contributor", &["MEASUREMENTS"], &["service"])
        .await;
    assert_eq!(
        elsewhere.refused(record, input.clone()).await,
        ["FORBIDDEN"]
    );
    let meter = world
        .with_token("contributor", &["MEASUREMENTS"], &["sales"])
        .await;
    assert_eq!(meter.does(record, input).await["recorded"], 1);
    let log = "{ auditEvents(filter: { action: \"kpiMeasurementsRecord\" }) { nodes { outcome actor { key } actorToken { name account { key } } } } }";
    let events = world.sign_in("auditor").await.ask(log, json!({})).await;
    let by = json!({ "name": "Token", "account": { "key": "contributor" } });
    let nodes = events["auditEvents"]["nodes"].as_array().expect("events");
    assert!(
        nodes.iter().all(|event| event["actorToken"] == by),
        "{events}"
    );
    let refusals = nodes.iter().filter(|event| event["outcome"] == "REFUSED");
    assert_eq!(refusals.count(), 5, "those of each token for itself");
    let session = world.sign_in("cx-manager").await;
    let other = json!({ "measurements": [{ "kpiId": ids["PRICE"], "measuredOn": "2025-05-31", "value": 1.0 }] });
    session.does(record, other).await;
    let events = world.sign_in("auditor").await.ask(log, json!({})).await;
    assert_eq!(events["auditEvents"]["nodes"][0]["actorToken"], Value::Null);
}

// A document of a blueprint that one may not see is one of a new blueprint, with parts missing: REQUIRED.
#[tokio::test(flavor = "multi_thread")]
async fn no_token_does_anything_but_record() {
    let mutations = mutations();
    let ids = refusals::ids(&World::small().await).await;
    let mut untouched = None;
    for case in &cases() {
        let world = prepared(case, &mutations, &ids, &mut untouched).await;
        let mut is_untouched = case.before.is_empty();
        let scopes: Vec<&str> = TokenScope::ALL.iter().map(|scope| scope.as_str()).collect();
        for account in ["cx-manager", "admin", "lead"] {
            let token = world.with_token(account, &scopes, &[]).await;
            let (mutation, input_type) = (case.mutation, &mutations[case.mutation]);
            let document = format!(
                "mutation($input: {input_type}) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
            );
            let answer = token
                .send(&document, json!({ "input": filled(&case.input, &ids) }))
                .await;
            let errors = answer["data"][mutation]["userErrors"]
                .as_array()
                .expect("user errors");
            let code = errors
                .first()
                .map(|error| error["code"].as_str().expect("a code"));
            let recording = [
                "kpiMeasurementsRecord",
                "kpiMeasurementCorrect",
                "feedbackRecord",
            ];
            let records = recording.contains(&mutation);
            assert!(
                records || matches!(code, Some("FORBIDDEN" | "NOT_FOUND" | "REQUIRED")),
                "{mutation} {} by {account}'s token: {code:?}",
                case.input
            );
            is_untouched &= code.is_some();
        }
        untouched = Some(world).filter(|_| is_untouched);
    }
}

#[tokio::test]
async fn a_token_of_a_person_knows_whose_it_is_and_nothing_of_their_sessions() {
    let world = World::small().await;
    let token = world
        .with_token("lead", &["READ", "BI", "MEASUREMENTS", "FEEDBACK"], &[])
        .await;
    let viewer = token
        .ask(
            "{ viewer { account { key } memberships { role } sessions { totalCount } } }",
            json!({}),
        )
        .await;
    assert_eq!(viewer["viewer"]["account"]["key"], "lead");
    assert_eq!(viewer["viewer"]["sessions"]["totalCount"], 0);
    let change = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { userErrors { code } } }";
    let passwords = json!({ "currentPassword": crate::world::PASSWORD, "newPassword": "a quite different one" });
    assert_eq!(token.refused(change, passwords).await, ["FORBIDDEN"]);
    let link = "{ blueprint(by: { key: \"open\" }) { pictureLink { path } } }";
    let answer = token.send(link, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_token_is_the_password_of_basic_where_nothing_is_changed() {
    let world = World::small().await;
    let token = world.with_token("viewer", &["READ"], &[]).await.token;
    let basic = |name: &str, password: &str| STANDARD.encode(format!("{name}:{password}"));
    let asked = async |path: &str, authorization: String| {
        let request = match path {
            "/graphql" => Request::post(path).header(header::CONTENT_TYPE, "application/json"),
            _ => Request::get(path),
        };
        let request = request
            .header(header::AUTHORIZATION, authorization)
            .body(Body::from(
                "{\"query\": \"{ viewer { account { key } } }\"}",
            ));
        world.send(request.expect("a request")).await.status()
    };
    let picture = "/blueprints/open.svg";
    assert_eq!(
        asked(picture, format!("Bearer {token}")).await,
        StatusCode::OK
    );
    assert_eq!(
        asked(picture, format!("Basic {}", basic("", &token))).await,
        StatusCode::OK
    );
    assert_eq!(
        asked(picture, format!("basic {}", basic("me", &token))).await,
        StatusCode::OK
    );
    let session = world.sign_in("viewer").await.token;
    assert_eq!(
        asked(picture, format!("Basic {}", basic("me", &session))).await,
        StatusCode::OK
    );
    for wrong in [
        basic("me", "wrong"),
        basic(&token, ""),
        token.clone(),
        STANDARD.encode(&token),
    ] {
        assert_eq!(
            asked(picture, format!("Basic {wrong}")).await,
            StatusCode::UNAUTHORIZED,
            "{wrong}"
        );
    }
    let graphql = asked("/graphql", format!("Basic {}", basic("me", &token))).await;
    assert_eq!(
        graphql,
        StatusCode::UNAUTHORIZED,
        "browsers send Basic by themselves"
    );
}

#[tokio::test]
async fn the_last_use_is_noted_once_in_some_minutes_beside_the_same_statements() {
    let world = World::demo().await;
    let ids = Ids::of(&world).await;
    let gus = world.sign_in("gus-admin").await;
    let input = json!({ "accountId": ids["ann-cx"], "name": "Reader", "scopes": ["READ"] });
    let secret = gus.does(CREATE, input).await["secret"]
        .as_str()
        .expect("a token")
        .to_owned();
    let token = Actor {
        world: &world,
        login: "a token".to_owned(),
        token: secret,
    };
    let used = async || {
        let rows = service_token::Entity::find().all(&world.db()).await;
        rows.expect("tokens")[0].last_used_at
    };
    let noted = async |before: Option<chrono::DateTime<chrono::Utc>>| {
        token.ask("{ viewer { account { key } } }", json!({})).await;
        for _ in 0..200 {
            if used().await != before {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the use was not noted");
    };
    assert_eq!(used().await, None);
    noted(None).await;
    let first = used().await;
    let canvas = "{ blueprint(by: { key: \"bp-member\" }) { phases { touchpoints { key responsibilities { role } } } } }";
    let statements = async |actor: &Actor<'_>| {
        let before = world.store.statement_count();
        actor.ask(canvas, json!({})).await;
        world.store.statement_count() - before
    };
    let ann = world.sign_in("ann-cx").await;
    // The note is counted when its answer has come, which may be behind its row: once, and not in both of these.
    let by_token = [statements(&token).await, statements(&token).await];
    assert_eq!(by_token.into_iter().min(), Some(statements(&ann).await));
    world.clock.advance(Duration::minutes(4));
    token.ask("{ viewer { account { key } } }", json!({})).await;
    assert_eq!(used().await, first);
    world.clock.advance(Duration::minutes(1));
    noted(first).await;
}
