//! What is erased of respondents, and that nothing of it is left in files, logs and documents.

use super::*;

#[tokio::test]
async fn a_respondent_is_erased_and_the_numbers_stay() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let follow_up = only(&manager, Value::Null).await["followUp"].take();
    let note = json!({ "id": follow_up["id"], "expectedVersion": 1, "note": "Mr Jensen wants his money back" });
    manager.does(UPDATE, note).await;
    let erase = "mutation($input: RespondentEraseInput!) { respondentErase(input: $input) { erased userErrors { code } } }";
    for login in ["lead", "admin", "analyst"] {
        let tried = world.sign_in(login).await;
        let refused = tried
            .refused(erase, json!({ "respondent": "customer-17" }))
            .await;
        assert_eq!(refused, ["FORBIDDEN"], "{login}");
    }
    assert_eq!(
        manager
            .refused(erase, json!({ "respondent": "nobody" }))
            .await,
        ["NOT_FOUND"]
    );
    let done = manager
        .does(erase, json!({ "respondent": "customer-17" }))
        .await;
    assert_eq!(done["erased"], json!(1));
    let row = only(&manager, Value::Null).await;
    for field in ["respondent", "contact", "comment"] {
        assert_eq!(row[field], Value::Null, "{field}");
    }
    assert_eq!(
        (&row["score"], &row["group"]),
        (&json!(3), &json!("DISSATISFIED"))
    );
    assert_eq!(row["followUp"]["state"], json!("NO_CONTACT_WANTED"));
    assert_eq!(row["followUp"]["note"], Value::Null);
    let again = json!({ "id": follow_up["id"], "expectedVersion": row["followUp"]["version"], "state": "OPEN" });
    assert_eq!(manager.refused(UPDATE, again).await, ["CONFLICT"]);
    assert_eq!(
        manager
            .refused(erase, json!({ "respondent": "customer-17" }))
            .await,
        ["NOT_FOUND"]
    );
    // The batch comes once more from the system that asked: the words do not come back with it.
    annoyed_again(&world, &ids).await;
    assert_eq!(only(&manager, Value::Null).await["respondent"], Value::Null);
}

#[tokio::test]
async fn the_audit_log_holds_nobody_and_no_words() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let follow_up = only(&manager, Value::Null).await["followUp"].take();
    let note = json!({ "id": follow_up["id"], "expectedVersion": 1, "state": "CONTACTED", "note": "customer-17 wants his money back" });
    manager.does(UPDATE, note).await;
    let erase = "mutation($input: RespondentEraseInput!) { respondentErase(input: $input) { userErrors { code } } }";
    manager
        .does(erase, json!({ "respondent": "customer-17" }))
        .await;
    let document = "{ auditEvents(first: 50) { nodes { action before after } } }";
    let events = world
        .sign_in("auditor")
        .await
        .ask(document, json!({}))
        .await["auditEvents"]["nodes"]
        .take();
    let text = events.to_string();
    for action in ["feedbackRecord", "followUpUpdate", "respondentErase"] {
        assert!(text.contains(action), "{action}: {text}");
    }
    assert!(
        text.contains("\"note\":\"withheld\""),
        "that it changed is told: {text}"
    );
    for private in ["customer-17", "17@example.org", "called back", "money"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
    // The history of the journey, which whoever takes part may read, tells nothing of cases.
    let history = "{ blueprint(by: { key: \"open\" }) { history { nodes { action } } } }";
    let rename = "mutation($input: TouchpointRenameInput!) { touchpointRename(input: $input) { userErrors { code } } }";
    let again = json!({ "id": ids["T2"], "expectedVersion": 1, "name": "Asks again" });
    manager.does(rename, again).await;
    let history = manager.ask(history, json!({})).await;
    let acts = json!([{ "action": "touchpointRename" }]);
    assert_eq!(history["blueprint"]["history"]["nodes"], acts);
}

#[tokio::test]
async fn a_conflict_with_an_erasure_names_who_erased() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let follow_up = only(&manager, Value::Null).await["followUp"].take();
    let lead = world.sign_in("lead").await;
    let note = |version: i32| json!({ "id": follow_up["id"], "expectedVersion": version, "state": "CONTACTED" });
    lead.does(UPDATE, note(1)).await;
    let erase = "mutation($input: RespondentEraseInput!) { respondentErase(input: $input) { userErrors { code } } }";
    manager
        .does(erase, json!({ "respondent": "customer-17" }))
        .await;
    let update = UPDATE.replace("{ code field }", "{ code message }");
    let told = lead.tries(&update, note(2)).await["userErrors"].take();
    let message = told[0]["message"].as_str().expect("a sentence");
    assert!(
        message.starts_with("CX manager has changed it"),
        "{message}"
    );
}

#[tokio::test]
async fn who_answered_long_ago_is_erased_in_time() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let today = world.clock.now().format("%Y-%m-%d").to_string();
    let fresh = with(
        nps(&ids["T2"], 9, &today),
        json!({ "respondent": "customer-18" }),
    );
    manager.does(RECORD, batch(&[fresh])).await;
    let operator = cx_blueprint::access::Caller::operator(
        world.store.clone(),
        world.clock.clone(),
        "feedbackErase",
    );
    let erase = async || {
        cx_blueprint::feedback::respondent::erase_respondents_of_old_answers(&operator, 30).await
    };
    assert_eq!(erase().await.expect("it is erased"), 1);
    assert_eq!(erase().await.expect("there is nothing left"), 0);
    let known: Vec<Value> = listed(&manager, Value::Null)
        .await
        .into_iter()
        .map(|mut row| row["respondent"].take())
        .collect();
    assert_eq!(known, [Value::Null, json!("customer-18")]);
}

#[tokio::test]
async fn neither_documents_nor_search_hold_feedback() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let document = "{ blueprint(by: { key: \"open\" }) { document } }";
    let written = manager.ask(document, json!({})).await.to_string();
    assert!(written.contains("T2") && !written.contains("customer-17"));
    for words in ["called", "customer-17"] {
        let search = format!("{{ search(text: \"{words}\") {{ nodes {{ __typename }} }} }}");
        let found = manager.ask(&search, json!({})).await["search"]["nodes"].take();
        assert_eq!(found, json!([]), "{words}");
    }
}

#[tokio::test]
async fn nothing_of_an_erased_respondent_is_left_in_the_files() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let answers: Vec<Value> = (0..300)
        .map(|n| {
            with(
                nps(&ids["T2"], 3, "2025-03-04"),
                json!({ "respondent": "QqHansénqQ", "contact": "qqphone@example.org", "comment": "qqcomment of mine",
                    "externalId": format!("qqcust-hansen-{n}") }),
            )
        })
        .collect();
    for some in answers.chunks(50) {
        manager.does(RECORD, batch(some)).await;
    }
    for row in listed(&manager, Value::Null).await.iter().take(50) {
        let note = json!({ "id": row["followUp"]["id"], "expectedVersion": 1, "note": "qqnote about the call" });
        manager.does(UPDATE, note).await;
    }
    let erase = "mutation($input: RespondentEraseInput!) { respondentErase(input: $input) { erased userErrors { code } } }";
    let done = manager
        .does(erase, json!({ "respondent": " qq hansen qq" }))
        .await;
    assert_eq!(done["erased"], json!(300), "spelled another way");
    let again = manager.does(RECORD, batch(&answers[..50])).await;
    assert_eq!(again["unchanged"], json!(50), "known again, by a digest");
    if world::on_postgres() {
        return;
    }
    let url = world.url();
    let path = url.trim_start_matches("sqlite://");
    let files = [path.to_owned(), format!("{path}-wal")];
    let privates = ["QqHans", "qqphone", "qqcomment", "qqcust-hansen", "qqnote"];
    let left = || {
        let in_file = |file: &String| {
            let bytes = std::fs::read(file).unwrap_or_default();
            let is_in = |text: &&str| {
                bytes
                    .windows(text.len())
                    .any(|window| window == text.as_bytes())
            };
            let left: Vec<String> = privates
                .into_iter()
                .filter(|text| is_in(text))
                .map(|text| format!("{text} in {file}"))
                .collect();
            left
        };
        files.iter().flat_map(in_file).collect::<Vec<String>>()
    };
    // On a busy machine the log is emptied in the background.
    for _ in 0..300 {
        if left().is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{:?}", left());
}

#[tokio::test]
async fn nothing_of_an_answer_is_left_in_the_files_behind_its_cell() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let [place, _] = two_places(&ann).await;
    let said: Vec<Value> = (0..300)
        .map(|n| json!({ "scale": "ENPS", "score": n % 11, "touchpointId": place, "answeredOn": "2025-03-04" }))
        .collect();
    for some in said.chunks(50) {
        ann.does(RECORD, batch(some)).await;
    }
    let answers = employee_answer::Entity::find().all(&world.db()).await;
    let answers = answers.expect("answers");
    assert_eq!(answers.len(), 300);
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    if world::on_postgres() {
        return;
    }
    let url = world.url();
    let path = url.trim_start_matches("sqlite://");
    for file in [path.to_owned(), format!("{path}-wal")] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let ids: HashSet<&[u8]> = answers.iter().map(|row| &row.id.as_bytes()[..]).collect();
        let left = bytes.windows(16).filter(|window| ids.contains(window));
        assert_eq!(left.count(), 0, "in {file}");
    }
}
