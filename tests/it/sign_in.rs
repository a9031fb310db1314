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

const OFFICE: [u8; 4] = [192, 0, 2, 7];
const ELSEWHERE: [u8; 4] = [203, 0, 113, 7];

async fn login_from(
    world: &World,
    from: [u8; 4],
    login: &str,
    password: &str,
) -> (StatusCode, Value) {
    let body = json!({ "login": login, "password": password }).to_string();
    let request = Request::post("/auth/login").header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body)).expect("a request");
    read(world.send_from(from, request).await).await
}

/// Guesses another password each time until one has to wait, and tells how many were tried.
async fn guesses(world: &World, from: [u8; 4], login: &str) -> usize {
    for guess in 0..200 {
        let password = format!(
            "{login} guess {guess} from {from:?} at {}",
            world.clock.now()
        );
        match login_from(world, from, login, &password).await.0 {
            StatusCode::UNAUTHORIZED => {}
            StatusCode::TOO_MANY_REQUESTS => return guess,
            other => panic!("{other}"),
        }
    }
    panic!("nobody may guess for ever");
}

/// Guesses from ever other networks until whoever is not known somewhere has to wait for minutes.
async fn hammered(world: &World, login: &str) {
    for turn in 0..10_u8 {
        guesses(world, [198, 51, turn, 1], login).await;
        world.clock.advance(Duration::seconds(1 << turn));
    }
    guesses(world, [198, 51, 200, 1], login).await;
}

#[tokio::test]
async fn after_some_failures_one_has_to_wait_and_then_may_again() {
    let world = World::small().await;
    let failures = guesses(&world, ELSEWHERE, "lead").await;
    assert!(failures >= 5, "a few slips cost nothing: {failures}");
    let (status, wait) = login_from(&world, ELSEWHERE, "lead", PASSWORD).await;
    assert_eq!(
        (status, &wait["error"]["code"]),
        (StatusCode::TOO_MANY_REQUESTS, &json!("RATE_LIMITED")),
        "the right one has to wait too"
    );
    let viewer = login_from(&world, ELSEWHERE, "viewer", PASSWORD).await;
    assert_eq!(viewer.0, StatusCode::OK, "others do not");
    world.clock.advance(Duration::minutes(20));
    let lead = login_from(&world, ELSEWHERE, "lead", PASSWORD).await;
    assert_eq!(lead.0, StatusCode::OK);
}

#[tokio::test]
async fn whoever_has_signed_in_from_a_place_is_not_kept_out_there_by_guesses_elsewhere() {
    let world = World::small().await;
    assert_eq!(
        login_from(&world, OFFICE, "lead", PASSWORD).await.0,
        StatusCode::OK
    );
    hammered(&world, "lead").await;
    let elsewhere = login_from(&world, ELSEWHERE, "lead", PASSWORD).await;
    assert_eq!(elsewhere.0, StatusCode::TOO_MANY_REQUESTS);
    let office = login_from(&world, OFFICE, "lead", PASSWORD).await;
    assert_eq!(office.0, StatusCode::OK);
    // Nor by guesses for others from the same place.
    for other in 0..36 {
        login_from(&world, OFFICE, &format!("nobody-{other}"), "wrong").await;
        world.clock.advance(Duration::seconds(if other < 30 {
            0
        } else {
            1 << (other - 30)
        }));
    }
    login_from(&world, OFFICE, "nobody", "wrong").await;
    let stranger = login_from(&world, OFFICE, "stranger", PASSWORD).await;
    assert_eq!(
        stranger.0,
        StatusCode::TOO_MANY_REQUESTS,
        "who never came from here waits"
    );
    let office = login_from(&world, OFFICE, "lead", PASSWORD).await;
    assert_eq!(office.0, StatusCode::OK);
    // The owner's coming to work is no help to whoever guesses elsewhere.
    let elsewhere = login_from(&world, ELSEWHERE, "lead", PASSWORD).await;
    assert_eq!(elsewhere.0, StatusCode::TOO_MANY_REQUESTS);
    // Who guesses at the place itself waits like everybody.
    assert!(guesses(&world, OFFICE, "lead").await <= 6);
}

#[tokio::test]
async fn a_place_is_forgotten_after_a_while_and_with_the_password() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    for login in ["lead", "viewer"] {
        assert_eq!(
            login_from(&world, OFFICE, login, PASSWORD).await.0,
            StatusCode::OK
        );
    }
    let found = admin
        .ask(
            "{ account(by: { key: \"viewer\" }) { id version } }",
            json!({}),
        )
        .await;
    let reset = "mutation($input: AccountPasswordResetInput!) { accountPasswordReset(input: $input) { account { key } userErrors { code field message } } }";
    let mut input =
        json!({ "id": found["account"]["id"], "expectedVersion": found["account"]["version"] });
    input["password"] = json!("a quite different one");
    admin.does(reset, input).await;
    hammered(&world, "viewer").await;
    let viewer = login_from(&world, OFFICE, "viewer", "a quite different one").await;
    assert_eq!(viewer.0, StatusCode::TOO_MANY_REQUESTS);
    world.clock.advance(Duration::days(91));
    hammered(&world, "lead").await;
    let lead = login_from(&world, OFFICE, "lead", PASSWORD).await;
    assert_eq!(lead.0, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn of_many_places_the_newest_are_kept() {
    let world = World::small().await;
    for network in 0..12 {
        let from = [192, 0, 2 + network, 1];
        assert_eq!(
            login_from(&world, from, "lead", PASSWORD).await.0,
            StatusCode::OK
        );
        world.clock.advance(Duration::seconds(1));
    }
    hammered(&world, "lead").await;
    let from = async |network: u8| {
        login_from(&world, [192, 0, 2 + network, 1], "lead", PASSWORD)
            .await
            .0
    };
    assert_eq!(from(1).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(from(2).await, StatusCode::OK);
    assert_eq!(from(11).await, StatusCode::OK);
}

#[tokio::test]
async fn a_job_with_an_old_password_waits_alone() {
    let world = World::small().await;
    let mut waited = 0;
    for _ in 0..120 {
        let (status, _) = login_from(&world, OFFICE, "lead", "the one of last year").await;
        waited += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
        world.clock.advance(Duration::seconds(5));
    }
    assert!(
        waited > 60,
        "what is known to be wrong is not tried all day: {waited}"
    );
    for login in ["stranger", "viewer", "lead"] {
        let right = login_from(&world, OFFICE, login, PASSWORD).await;
        assert_eq!(right.0, StatusCode::OK, "{login}");
    }
    let elsewhere = login_from(&world, ELSEWHERE, "lead", PASSWORD).await;
    assert_eq!(
        elsewhere.0,
        StatusCode::OK,
        "nor is the account kept out elsewhere"
    );
}

#[tokio::test]
async fn within_a_day_an_account_is_tried_some_dozen_times() {
    let world = World::small().await;
    let until = world.clock.now() + Duration::days(1);
    let (mut tried, mut network) = (0, 0);
    while world.clock.now() < until {
        network += 1;
        let from = [
            10,
            u8::try_from(network / 200).expect("few"),
            u8::try_from(network % 200).expect("few"),
            1,
        ];
        tried += guesses(&world, from, "lead").await;
        world.clock.advance(Duration::seconds(60));
    }
    assert!(
        (80..=115).contains(&tried),
        "{tried} from {network} networks"
    );
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

#[tokio::test]
async fn a_present_password_is_guessed_no_better_from_inside_and_asked_for_whatever_fails_outside()
{
    let world = World::small().await;
    let change = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { userErrors { code reason } } }";
    let input = |guess: &str| json!({ "input": { "currentPassword": guess, "newPassword": "a quite different one" } });
    world.sign_in_anew("lead").await;
    hammered(&world, "lead").await;
    let thief = world.sign_in_anew("lead").await;
    let owner = world.sign_in_anew("lead").await;
    let mut tried = 0;
    loop {
        let answer = thief.send(change, input(&format!("guess {tried}"))).await;
        if answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED" {
            break;
        }
        tried += 1;
        assert!(tried < 20, "nobody may guess for ever: {answer}");
    }
    guesses(&world, [127, 0, 0, 1], "lead").await;
    owner.does(change, input(PASSWORD)["input"].clone()).await;
}
