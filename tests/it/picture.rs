//! Pictures through the front door: who gets which, by token and by link, and what never stands in one.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    golden,
    world::{Actor, World},
};

/// An answer: status, headers, text.
type Answer = (StatusCode, HeaderMap, String);

async fn get(world: &World, path: &str, token: Option<&str>, known: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(tag) = known {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = world.send(request).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = to_bytes(response.into_body(), 64 << 20)
        .await
        .expect("a body");
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    (status, headers, text)
}

/// What somebody gets at an address, with their token.
async fn seen(actor: &Actor<'_>, path: &str) -> (StatusCode, String) {
    let (status, _, text) = get(actor.world, path, Some(&actor.token), None).await;
    (status, text)
}

/// The picture that somebody gets.
async fn drawn(actor: &Actor<'_>, path: &str) -> String {
    let (status, text) = seen(actor, path).await;
    assert_eq!(
        status,
        StatusCode::OK,
        "{} gets {path}: {text}",
        actor.login
    );
    text
}

/// A refusal without what differs from request to request.
fn told(text: &str) -> (Value, Value) {
    let error: Value = serde_json::from_str(text).expect("JSON");
    (
        error["error"]["code"].clone(),
        error["error"]["message"].clone(),
    )
}

/// The path of a link that somebody asks for.
async fn link(actor: &Actor<'_>, key: &str, arguments: &str) -> String {
    let document = format!(
        "query($key: String!) {{ blueprint(by: {{ key: $key }}) {{ pictureLink{arguments} {{ path }} }} }}"
    );
    let found = actor.ask(&document, json!({ "key": key })).await;
    let path = found["blueprint"]["pictureLink"]["path"].as_str();
    path.expect("a path").to_owned()
}

#[tokio::test]
async fn the_demos_rental_is_the_picture_in_the_readme() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let picture = drawn(&ann, "/blueprints/bp-rental.svg?asOf=2025-03-31").await;
    golden::compare("demo/car-rental.svg", &picture);
}

#[tokio::test]
async fn a_picture_is_svg_that_runs_nothing_and_is_kept_by_nobody_else() {
    let world = World::small().await;
    let token = world.sign_in("stranger").await.token;
    let (status, headers, text) = get(&world, "/blueprints/OPEN.svg", Some(&token), None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
    for (name, value) in [
        ("content-type", "image/svg+xml; charset=utf-8"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"),
        ("vary", "Authorization, Accept-Encoding"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn what_one_may_not_read_is_told_like_what_does_not_exist() {
    let world = World::small().await;
    for (login, hidden, readable) in [
        (
            "stranger",
            &["closed", "draft", "future"][..],
            &["open"][..],
        ),
        ("viewer", &["closed", "future"], &["open", "draft"]),
        ("neighbour", &["draft"], &["open", "closed", "future"]),
        ("partner", &["closed", "draft", "future"], &["open"]),
        ("analyst", &["draft", "future"], &["open", "closed"]),
        ("admin", &["draft", "future"], &["open", "closed"]),
        ("auditor", &[], &["open", "closed", "draft", "future"]),
    ] {
        let actor = world.sign_in(login).await;
        let never = seen(&actor, "/blueprints/never-was.svg").await;
        assert_eq!(never.0, StatusCode::NOT_FOUND);
        for key in hidden {
            let found = seen(&actor, &format!("/blueprints/{key}.svg")).await;
            assert_eq!(
                (found.0, told(&found.1)),
                (never.0, told(&never.1)),
                "{login}: {key}"
            );
        }
        for key in readable {
            drawn(&actor, &format!("/blueprints/{key}.svg")).await;
        }
    }
}

#[tokio::test]
async fn who_sends_no_token_and_no_link_is_asked_to_sign_in() {
    let world = World::small().await;
    for path in [
        "/blueprints/open.svg",
        "/blueprints/never-was.svg?theme=purple",
    ] {
        let (status, headers, text) = get(&world, path, None, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(headers["www-authenticate"], "Bearer");
        assert_eq!(told(&text).0, "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn wrong_parameters_are_told() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    for wrong in [
        "theme=purple",
        "asOf=2025-2-1",
        "asOf=2025-02-30",
        "asOf=",
        "asof=2025-02-01",
        "theme=dark&theme=light",
        "theme=dark&link=x",
    ] {
        let (status, text) = seen(&lead, &format!("/blueprints/open.svg?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {text}");
        let (code, message) = told(&text);
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(
            message.as_str().expect("a sentence").contains("`asOf`"),
            "{message}"
        );
    }
    let both = get(&world, "/blueprints/open.svg?theme=dark&link=x", None, None).await;
    assert_eq!(
        both.0,
        StatusCode::BAD_REQUEST,
        "a link says itself what it shows"
    );
    let (status, _) = seen(&lead, "/blueprints/open.png").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn kpis_are_of_the_day_that_is_asked_about() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    // T2 has 2.5 days in February, at risk by its target of 2 and its warning level of 3; 1.5 in March, missed.
    for (day, value, state) in [
        ("2025-01-30", None, "no data"),
        (
            "2025-02-28",
            Some("2.5 d, n 1, 2025-02-01 to 2025-02-28, target 2.0 d"),
            "at risk",
        ),
        (
            "2025-03-31",
            Some("1.5 d, n 1, 2025-03-01 to 2025-03-31, target 1.0 d"),
            "missed",
        ),
    ] {
        let picture = drawn(&lead, &format!("/blueprints/open.svg?asOf={day}")).await;
        let told = match value {
            Some(value) => format!("Days until an offer: {value} ({state})"),
            None => format!("Days until an offer, target 2.0 d ({state})"),
        };
        assert!(picture.contains(&told), "{day}: {told}");
    }
}

#[tokio::test]
async fn values_of_a_confidential_kpi_are_drawn_only_for_whom_they_are() {
    let world = World::small().await;
    for (login, sees) in [
        ("lead", false),
        ("stranger", false),
        ("analyst", false),
        ("admin", false),
        ("neighbour", true),
        ("auditor", true),
        ("cx-manager", true),
    ] {
        let actor = world.sign_in(login).await;
        let picture = drawn(&actor, "/blueprints/open.svg?asOf=2025-03-31").await;
        assert!(
            picture.contains("Margin"),
            "{login} may read the definition"
        );
        for part in ["17.0 %", "20.0 %", "Margin: ", "KPIs missed"] {
            assert_eq!(picture.contains(part), sees, "{login}: {part}");
        }
    }
}

#[tokio::test]
async fn colours_are_chosen_and_with_auto_left_to_the_viewer() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let (light, dark) = ("--paper:#fbf9f4", "--paper:#12171e");
    for (theme, has_light, has_dark) in [
        ("light", true, false),
        ("DARK", false, true),
        ("auto", true, true),
    ] {
        let picture = drawn(&lead, &format!("/blueprints/open.svg?theme={theme}")).await;
        assert_eq!(picture.contains(light), has_light, "{theme}");
        assert_eq!(picture.contains(dark), has_dark, "{theme}");
        assert_eq!(
            picture.contains("prefers-color-scheme"),
            has_light && has_dark,
            "{theme}"
        );
    }
}

async fn rename(actor: &Actor<'_>, name: &str) {
    let it = json!({ "key": { "blueprint": "open", "key": "T2" } });
    let found = actor
        .ask(
            "query($by: ByInside!) { touchpoint(by: $by) { id version } }",
            json!({ "by": it }),
        )
        .await;
    let document = "mutation($input: TouchpointRenameInput!) { touchpointRename(input: $input) { userErrors { code } } }";
    let touchpoint = &found["touchpoint"];
    let input =
        json!({ "id": touchpoint["id"], "expectedVersion": touchpoint["version"], "name": name });
    actor.does(document, input).await;
}

#[tokio::test]
async fn names_are_text_and_never_markup() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    rename(&lead, "</text><script>alert('1')</script> & \"co\"").await;
    let picture = drawn(&lead, "/blueprints/open.svg").await;
    assert!(!picture.contains("<script"));
    let escaped =
        "&lt;/text&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;co&quot;";
    assert!(
        picture.contains(escaped),
        "the whole name stands in the tooltip"
    );
}

#[tokio::test]
async fn what_has_changed_since_it_was_published_says_so() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let now = || async {
        let blueprint = "{ blueprint(by: { key: \"bp-rental\" }) { id version status publishedNumber changedSincePublished
            phases { touchpoints { id version } } } }";
        ann.ask(blueprint, json!({})).await["blueprint"].take()
    };
    let says = async |what: &str| {
        drawn(&ann, "/blueprints/bp-rental.svg")
            .await
            .contains(what)
    };
    let before = now().await;
    let number = &before["publishedNumber"];
    assert_eq!(before["changedSincePublished"], false);
    assert!(says(&format!("publication {number}  ·")).await);
    let step = &before["phases"][0]["touchpoints"][0];
    let renamed =
        json!({ "id": step["id"], "expectedVersion": step["version"], "name": "Another name" });
    let rename = "mutation($input: TouchpointRenameInput!) { touchpointRename(input: $input) { userErrors { code } } }";
    ann.does(rename, renamed).await;
    assert!(says(&format!("publication {number}, changed since")).await);
    let changed = now().await;
    assert_eq!(changed["changedSincePublished"], true);
}

#[tokio::test]
async fn a_picture_that_has_not_changed_is_not_sent_again() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let path = "/blueprints/open.svg?asOf=2025-03-31";
    let ask = async |known: Option<&str>| get(&world, path, Some(&lead.token), known).await;
    let (_, headers, _) = ask(None).await;
    let tag = headers["etag"].to_str().expect("text").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let (status, headers, text) = ask(Some(&known)).await;
        assert_eq!(
            (status, text.as_str()),
            (StatusCode::NOT_MODIFIED, ""),
            "{known}"
        );
        assert_eq!(headers["etag"], tag.as_str());
    }
    assert_eq!(ask(Some("\"other\"")).await.0, StatusCode::OK);
    rename(&lead, "Asks for another price").await;
    let (status, headers, text) = ask(Some(&tag)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers["etag"] != tag.as_str() && text.contains("Asks for another"));
}

#[tokio::test]
async fn an_archived_blueprint_is_still_a_picture() {
    let world = World::small().await;
    let ann = world.sign_in("cx-manager").await;
    let found = ann
        .ask(
            "{ blueprint(by: { key: \"open\" }) { id version } }",
            json!({}),
        )
        .await;
    let document = "mutation($input: AtVersionInput!) { blueprintArchive(input: $input) { userErrors { code } } }";
    let it = &found["blueprint"];
    ann.does(
        document,
        json!({ "id": it["id"], "expectedVersion": it["version"] }),
    )
    .await;
    let stranger = world.sign_in("stranger").await;
    assert!(
        drawn(&stranger, "/blueprints/open.svg")
            .await
            .contains("archived")
    );
}

#[tokio::test]
async fn a_link_shows_what_was_asked_for_without_a_token_and_for_five_minutes() {
    let world = World::small().await;
    let lead = world.sign_in_anew("lead").await;
    let path = link(&lead, "draft", "(asOf: \"2025-03-31\", theme: DARK)").await;
    assert!(path.starts_with("/blueprints/draft.svg?link="));
    let (status, _, shown) = get(&world, &path, None, None).await;
    assert_eq!(status, StatusCode::OK);
    let direct = drawn(&lead, "/blueprints/draft.svg?asOf=2025-03-31&theme=dark").await;
    assert_eq!(shown, direct);
    world
        .clock
        .advance(Duration::minutes(5) - Duration::seconds(10));
    assert_eq!(get(&world, &path, None, None).await.0, StatusCode::OK);
    world.clock.advance(Duration::seconds(20));
    let (status, _, text) = get(&world, &path, None, None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (_, message) = told(&text);
    assert_eq!(
        message,
        "The link is not accepted, or no longer. Ask for a new one."
    );
}

#[tokio::test]
async fn a_link_is_good_for_its_blueprint_alone_and_for_nothing_else() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let path = link(&lead, "open", "").await;
    let (_, token) = path.split_once("link=").expect("a token");
    let elsewhere = format!("/blueprints/draft.svg?link={token}");
    assert_eq!(
        get(&world, &elsewhere, None, None).await.0,
        StatusCode::NOT_FOUND
    );
    // Another last character but one signs something else; so does an access token.
    let (kept, last) = token.split_at(token.len() - 2);
    let other = if last.starts_with('A') { "B" } else { "A" };
    let forged = format!("{kept}{other}{}", &last[1..]);
    for wrong in [forged.as_str(), lead.token.as_str(), "", "x.y.z"] {
        let path = format!("/blueprints/open.svg?link={wrong}");
        let (status, _, text) = get(&world, &path, None, None).await;
        assert_eq!(
            (status, told(&text).0),
            (StatusCode::UNAUTHORIZED, json!("UNAUTHENTICATED"))
        );
    }
    let (status, _) = world
        .post(
            "/graphql",
            Some(token),
            &json!({ "query": "{ viewer { account { id } } }" }),
        )
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _, _) = get(&world, "/blueprints/open.svg", Some(token), None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_link_ends_with_the_session_that_asked_for_it() {
    let world = World::small().await;
    let other = world.sign_in("lead").await;
    let lead = world.sign_in_anew("lead").await;
    let (path, kept) = (
        link(&lead, "open", "").await,
        link(&other, "open", "").await,
    );
    let found = lead
        .ask(
            "{ viewer { sessions(first: 50) { nodes { id current } } } }",
            json!({}),
        )
        .await;
    let sessions = found["viewer"]["sessions"]["nodes"]
        .as_array()
        .expect("sessions");
    let own = sessions
        .iter()
        .find(|one| one["current"] == true)
        .expect("this session");
    let document =
        "mutation($input: SessionEndInput!) { sessionEnd(input: $input) { userErrors { code } } }";
    lead.does(document, json!({ "id": own["id"] })).await;
    assert_eq!(
        get(&world, &path, None, None).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(get(&world, &kept, None, None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_link_shows_only_what_its_account_may_read_when_it_is_used() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let viewer = world.sign_in("viewer").await;
    let path = link(&viewer, "draft", "").await;
    assert_eq!(get(&world, &path, None, None).await.0, StatusCode::OK);
    let account = "query($key: String!) { account(by: { key: $key }) { id version memberships { nodes { id } } } }";
    let found = admin.ask(account, json!({ "key": "viewer" })).await;
    let membership = &found["account"]["memberships"]["nodes"][0]["id"];
    let document = "mutation($input: MembershipRevokeInput!) { membershipRevoke(input: $input) { userErrors { code } } }";
    admin.does(document, json!({ "id": membership })).await;
    assert_eq!(
        get(&world, &path, None, None).await.0,
        StatusCode::NOT_FOUND
    );

    let path = link(&viewer, "open", "").await;
    let found = admin.ask(account, json!({ "key": "viewer" })).await;
    let it =
        json!({ "id": found["account"]["id"], "expectedVersion": found["account"]["version"] });
    let document = "mutation($input: AtVersionInput!) { accountDeactivate(input: $input) { userErrors { code } } }";
    admin.does(document, it).await;
    assert_eq!(
        get(&world, &path, None, None).await.0,
        StatusCode::UNAUTHORIZED
    );
}
