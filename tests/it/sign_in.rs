//! Signing in, staying in, and being thrown out.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use chrono::Duration;
use serde_json::{Value, json};

use crate::world::{PASSWORD, World, read};

async fn login(world: &World, login: &str, password: &str) -> (StatusCode, Value) {
    world
        .post(
            "/auth/login",
            None,
            &json!({ "login": login, "password": password }),
        )
        .await
}

async fn refresh(world: &World, token: &Value) -> (StatusCode, Value) {
    world
        .post("/auth/refresh", None, &json!({ "refreshToken": token }))
        .await
}

async fn works(world: &World, token: &Value) -> bool {
    let body = json!({ "query": "{ viewer { account { key } } }" });
    let (status, answer) = world.post("/graphql", token.as_str(), &body).await;
    assert_eq!(status == StatusCode::OK, answer.get("data").is_some());
    status == StatusCode::OK
}

#[tokio::test]
async fn unknown_account_and_wrong_password_are_told_alike() {
    let world = World::small().await;
    let (unknown, known) = (
        login(&world, "nobody", "wrong").await,
        login(&world, "lead", "wrong").await,
    );
    assert_eq!(unknown.0, StatusCode::UNAUTHORIZED);
    let said = |answer: &(StatusCode, Value)| {
        (
            answer.0,
            answer.1["error"]["code"].clone(),
            answer.1["error"]["message"].clone(),
        )
    };
    assert_eq!(said(&unknown), said(&known));
    let service = login(&world, "robot", PASSWORD).await;
    assert_eq!(said(&service), said(&known), "a service has no password");
}

#[tokio::test]
async fn after_some_failures_one_has_to_wait_and_then_may_again() {
    let world = World::small().await;
    let mut failures = 0;
    let wait = loop {
        let (status, answer) = login(&world, "lead", "wrong").await;
        match status {
            StatusCode::UNAUTHORIZED => failures += 1,
            StatusCode::TOO_MANY_REQUESTS => break answer,
            other => panic!("{other}: {answer}"),
        }
        assert!(failures < 20, "nobody may guess for ever");
    };
    assert!(failures >= 5, "a few slips cost nothing: {failures}");
    assert_eq!(wait["error"]["code"], "RATE_LIMITED");
    assert_eq!(
        login(&world, "lead", PASSWORD).await.0,
        StatusCode::TOO_MANY_REQUESTS,
        "the right one has to wait too"
    );
    assert_eq!(
        login(&world, "viewer", PASSWORD).await.0,
        StatusCode::OK,
        "others do not"
    );
    world.clock.advance(Duration::minutes(20));
    assert_eq!(login(&world, "lead", PASSWORD).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_token_is_good_once_with_grace_for_two_tabs() {
    let world = World::small().await;
    let (_, first) = login(&world, "lead", PASSWORD).await;
    let (status, second) = refresh(&world, &first["refreshToken"]).await;
    assert_eq!(status, StatusCode::OK);
    let (status, other_tab) = refresh(&world, &first["refreshToken"]).await;
    assert_eq!(
        (status, &other_tab["refreshToken"]),
        (StatusCode::OK, &second["refreshToken"]),
        "the same successor"
    );
    world.clock.advance(Duration::seconds(31));
    assert_eq!(
        refresh(&world, &first["refreshToken"]).await.0,
        StatusCode::UNAUTHORIZED,
        "reuse is theft"
    );
    assert_eq!(
        refresh(&world, &second["refreshToken"]).await.0,
        StatusCode::UNAUTHORIZED,
        "and ends the family"
    );
    assert!(!works(&world, &second["accessToken"]).await);
}

#[tokio::test]
async fn an_access_token_ends_after_ten_minutes_and_with_its_session() {
    let world = World::small().await;
    let (_, tokens) = login(&world, "lead", PASSWORD).await;
    assert!(works(&world, &tokens["accessToken"]).await);
    world.clock.advance(Duration::minutes(11));
    assert!(!works(&world, &tokens["accessToken"]).await);
    let (_, next) = refresh(&world, &tokens["refreshToken"]).await;
    assert!(works(&world, &next["accessToken"]).await);
    let (status, _) = world
        .post(
            "/auth/logout",
            None,
            &json!({ "refreshToken": next["refreshToken"] }),
        )
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(!works(&world, &next["accessToken"]).await);
    assert_eq!(
        refresh(&world, &next["refreshToken"]).await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_token_that_is_not_ours_opens_nothing() {
    let world = World::small().await;
    let (_, tokens) = login(&world, "lead", PASSWORD).await;
    let token = tokens["accessToken"].as_str().expect("a token");
    let (head, rest) = token.split_once('.').expect("three parts");
    let (body, signature) = rest.split_once('.').expect("three parts");
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for wrong in [
        String::new(),
        "x".into(),
        format!("{head}.{body}."),
        format!("{none}.{body}."),
        format!("{none}.{body}.{signature}"),
        format!(
            "{head}.{body}.{}",
            signature.chars().rev().collect::<String>()
        ),
    ] {
        assert!(!works(&world, &json!(wrong)).await, "{wrong}");
    }
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{}"));
    let response = world.send(request.expect("a request")).await;
    assert_eq!(
        response
            .headers()
            .get(header::WWW_AUTHENTICATE)
            .and_then(|value| value.to_str().ok()),
        Some("Bearer")
    );
    let (status, answer) = read(response).await;
    assert_eq!(
        (status, &answer["errors"][0]["extensions"]["code"]),
        (StatusCode::UNAUTHORIZED, &json!("UNAUTHENTICATED"))
    );
}

#[tokio::test]
async fn deactivation_and_a_new_password_end_sessions() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let account = async |key: &str| {
        let found = admin
            .ask(
                "query($key: String!) { account(by: { key: $key }) { id version } }",
                json!({ "key": key }),
            )
            .await;
        json!({ "id": found["account"]["id"], "expectedVersion": found["account"]["version"] })
    };
    let (_, lead) = login(&world, "lead", PASSWORD).await;
    let reset = "mutation($input: AccountPasswordResetInput!) { accountPasswordReset(input: $input) { account { key } userErrors { code field message } } }";
    let mut input = account("lead").await;
    input["password"] = json!("a quite different one");
    admin.does(reset, input).await;
    assert!(!works(&world, &lead["accessToken"]).await);
    assert_eq!(
        login(&world, "lead", PASSWORD).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        login(&world, "LEAD", "a quite different one").await.0,
        StatusCode::OK
    );

    let (_, viewer) = login(&world, "viewer", PASSWORD).await;
    let deactivate = "mutation($input: AtVersionInput!) { accountDeactivate(input: $input) { account { key archivedAt } userErrors { code field message } } }";
    admin.does(deactivate, account("viewer").await).await;
    assert!(!works(&world, &viewer["accessToken"]).await);
    assert_eq!(
        login(&world, "viewer", PASSWORD).await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_last_admin_stays_and_nobody_changes_their_own_role() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let me = admin
        .ask(
            "{ account(by: { key: \"admin\" }) { id version } }",
            json!({}),
        )
        .await["account"]
        .take();
    let update = "mutation($input: AccountUpdateInput!) { accountUpdate(input: $input) { account { role } userErrors { code reason } } }";
    let own = admin
        .tries(
            update,
            json!({ "id": me["id"], "expectedVersion": me["version"], "role": "AUDITOR" }),
        )
        .await;
    assert_ne!(own["userErrors"], json!([]));
    let deactivate = "mutation($input: AtVersionInput!) { accountDeactivate(input: $input) { account { key } userErrors { code reason } } }";
    let last = admin
        .tries(
            deactivate,
            json!({ "id": me["id"], "expectedVersion": me["version"] }),
        )
        .await;
    assert_eq!(last["userErrors"][0]["reason"], "LAST_ADMIN");
}

#[tokio::test]
async fn one_changes_the_own_password_with_the_old_one() {
    let world = World::small().await;
    let (_, tokens) = login(&world, "lead", PASSWORD).await;
    let lead = world.sign_in_anew("lead").await;
    let change = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { userErrors { code reason field } } }";
    let wrong = lead
        .tries(
            change,
            json!({ "currentPassword": "not it", "newPassword": "a quite different one" }),
        )
        .await;
    assert_eq!(wrong["userErrors"][0]["reason"], "WRONG_PASSWORD");
    let weak = lead
        .tries(
            change,
            json!({ "currentPassword": PASSWORD, "newPassword": "password" }),
        )
        .await;
    assert_eq!(weak["userErrors"][0]["reason"], "WEAK_PASSWORD");
    lead.does(
        change,
        json!({ "currentPassword": PASSWORD, "newPassword": "a quite different one" }),
    )
    .await;
    assert!(
        !works(&world, &tokens["accessToken"]).await,
        "the other device is signed out"
    );
    assert!(works(&world, &json!(lead.token)).await, "this one is not");
}
