//! Answers of employees: unnamed, told from five on, never whose.

use super::*;

#[tokio::test]
async fn employees_answer_unnamed_and_are_told_of_only_from_five_on() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let at = "{ blueprint(by: { key: \"bp-employee\" }) { phases { touchpoints { id key } } } }";
    let touchpoint =
        ann.ask(at, json!({})).await["blueprint"]["phases"][0]["touchpoints"][0].take();
    let id = touchpoint["id"].as_str().expect("an id");
    let enps = |score: i32| json!({ "scale": "ENPS", "score": score, "touchpointId": id, "answeredOn": "2025-03-04" });
    for (field, of) in [("respondent", "E-17"), ("comment", "too much to do")] {
        let named = with(enps(9), json!({ field: of }));
        let errors = ann.tries(RECORD, batch(&[named])).await["userErrors"].take();
        assert_eq!(errors[0]["field"], json!(["feedback", "0", field]));
        assert_eq!(
            errors[0]["message"],
            json!("Employees' answers are anonymous: leave out everything but the score.")
        );
    }
    assert_eq!(
        ann.refused(RECORD, batch(&[nps(id, 9, "2025-03-04")]))
            .await,
        ["INVALID"]
    );
    ann.does(RECORD, batch(&[enps(10), enps(9), enps(9), enps(7)]))
        .await;
    let summary = "query($id: ID!) { node(id: $id) { ... on Touchpoint {
        feedback { answers satisfied indifferent dissatisfied enps nps withheld alike } } } }";
    let told = async |actor: &Actor<'_>| {
        actor.ask(summary, json!({ "id": id })).await["node"]["feedback"].take()
    };
    let nothing = json!({ "answers": null, "satisfied": null, "indifferent": null, "dissatisfied": null, "enps": null,
        "nps": null, "withheld": true, "alike": 0 });
    assert_eq!(told(&ann).await, nothing, "four are too few");
    ann.does(RECORD, batch(&[enps(0)])).await;
    assert_eq!(told(&ann).await, nothing, "the month is not over");
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let ann = world.sign_in_anew("ann-cx").await;
    let five = json!({ "answers": 5, "satisfied": 3, "indifferent": 1, "dissatisfied": 1, "enps": 40.0, "nps": null,
        "withheld": false, "alike": 0 });
    assert_eq!(told(&ann).await, five, "100 × (3 − 1) / 5");
    ann.does(
        RECORD,
        batch(&[enps(1), enps(2), enps(3), enps(1), enps(1)]),
    )
    .await;
    assert_eq!(told(&ann).await, five, "what comes in later waits unseen");
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let ann = world.sign_in_anew("ann-cx").await;
    let alike = with(five, json!({ "alike": 5 }));
    assert_eq!(
        told(&ann).await,
        alike,
        "of those who are all dissatisfied no score is told"
    );
    let parts = "query($id: ID!) { feedbackSummary(filter: { touchpointId: $id, groups: [SATISFIED] }) { answers withheld } }";
    let part = ann.ask(parts, json!({ "id": id })).await["feedbackSummary"].take();
    assert_eq!(
        part,
        json!({ "answers": null, "withheld": true }),
        "never a part of a cell"
    );
    let customers = listed(&ann, Value::Null).await;
    assert!(
        customers
            .iter()
            .all(|row| row["touchpoint"]["key"] != touchpoint["key"]),
        "never one alone: {customers:?}"
    );
}

#[tokio::test]
async fn that_an_employee_has_answered_shows_nowhere_until_a_cell_closes() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let at = "{ blueprint(by: { key: \"bp-employee\" }) { id phases { touchpoints { id } } } }";
    let journey = ann.ask(at, json!({})).await["blueprint"].take();
    let id = &journey["phases"][0]["touchpoints"][0]["id"];
    let summaries = "query($id: ID!, $journey: ID!) {
        node(id: $id) { ... on Touchpoint { feedback { answers withheld alike } } }
        at: feedbackSummary(filter: { touchpointId: $id }) { answers withheld alike }
        journey: feedbackSummary(filter: { blueprintId: $journey }) { answers withheld alike }
        enps: feedbackSummary(filter: { scales: [ENPS] }) { answers withheld alike }
        whole: feedbackSummary { answers withheld alike } }";
    let told = async || {
        ann.ask(summaries, json!({ "id": id, "journey": journey["id"] }))
            .await
    };
    let before = told().await;
    for place in ["at", "journey", "enps"] {
        let nothing = json!({ "answers": null, "withheld": true, "alike": 0 });
        assert_eq!(before[place], nothing, "{place}: never as no data");
    }
    let said =
        json!({ "scale": "ENPS", "score": 9, "touchpointId": id, "answeredOn": "2025-03-04" });
    ann.does(RECORD, batch(&[said])).await;
    assert_eq!(told().await, before);
}

#[tokio::test]
async fn whoever_leads_there_is_not_told_that_an_employee_has_answered() {
    let world = World::demo().await;
    let (ann, admin) = (
        world.sign_in("ann-cx").await,
        world.sign_in("gus-admin").await,
    );
    let held = "{ responsibilities(first: 200) { nodes { department { id } touchpoint { id blueprint { key } } } } }";
    let held = ann.ask(held, json!({})).await["responsibilities"]["nodes"].take();
    let mut held = held.as_array().expect("those who deliver").iter();
    let there = held.find(|one| one["touchpoint"]["blueprint"]["key"] == "bp-employee");
    let there = there.expect("somebody delivers to employees");
    let grant = "mutation($input: MembershipGrantInput!) { membershipGrant(input: $input) { userErrors { code } } }";
    let account = Ids::of(&world).await["eva-viewer"].to_owned();
    let lead =
        json!({ "accountId": account, "departmentId": there["department"]["id"], "role": "LEAD" });
    admin.does(grant, lead).await;
    let said = json!({ "scale": "ENPS", "score": 9, "touchpointId": there["touchpoint"]["id"], "answeredOn": "2025-03-04" });
    ann.does(RECORD, batch(&[said])).await;
    let log = "{ auditEvents(filter: { action: \"feedbackRecord\" }) { nodes { after } } }";
    let lead = world.sign_in("eva-viewer").await;
    let seen = lead.ask(log, json!({})).await["auditEvents"]["nodes"].take();
    assert_eq!(seen, json!([]));
    let all = admin.ask(log, json!({})).await["auditEvents"]["nodes"][0].take();
    assert_eq!(
        all["after"],
        json!({ "recorded": 0, "unroutable": 0 }),
        "no count of them"
    );
}

#[tokio::test]
async fn an_answer_of_an_employee_is_recorded_once_whatever_else_its_id_is_sent_with() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let at = "{ blueprint(by: { key: \"bp-employee\" }) { phases { touchpoints { id } } } }";
    let id = ann.ask(at, json!({})).await["blueprint"]["phases"][0]["touchpoints"][0]["id"].take();
    let record = "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) {
        recorded unchanged userErrors { code } } }";
    let said = |pulse: usize, score: i32| {
        json!({ "scale": "ENPS", "score": score, "touchpointId": id,
        "answeredOn": "2025-03-04", "externalId": format!("pulse-{pulse}") })
    };
    let scores = [10, 9, 8, 3, 9];
    let all: Vec<Value> = scores
        .iter()
        .enumerate()
        .map(|(at, score)| said(at, *score))
        .collect();
    let done = ann.does(record, batch(&all)).await;
    assert_eq!(
        (&done["recorded"], &done["unchanged"]),
        (&json!(5), &json!(0))
    );
    let again = async |actor: &Actor<'_>| {
        for score in [0, 3, 10] {
            let done = actor.does(record, batch(&[said(3, score)])).await;
            let told = (done["recorded"].clone(), done["unchanged"].clone());
            assert_eq!(told, (json!(0), json!(1)), "no score is told from another");
        }
    };
    again(&ann).await;
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let ann = world.sign_in_anew("ann-cx").await;
    again(&ann).await;
    let summary =
        "query($id: ID!) { feedbackSummary(filter: { touchpointId: $id }) { answers enps } }";
    let told = ann.ask(summary, json!({ "id": id })).await["feedbackSummary"].take();
    assert_eq!(told, json!({ "answers": 5, "enps": 40.0 }));
    let db = &world.db().clone();
    let waiting = employee_answer::Entity::find().count(db).await;
    assert_eq!(waiting, Ok(0), "no answer is kept behind its cell");
    let receipts = employee_receipt::Entity::find().all(db).await;
    let receipts = receipts.expect("receipts");
    assert_eq!(receipts.len(), 5);
    assert!(receipts.iter().all(|one| !one.digest.contains("pulse")));
}

#[tokio::test]
async fn a_month_that_has_closed_stays_closed_whatever_a_clock_says() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let at = "{ blueprint(by: { key: \"bp-employee\" }) { phases { touchpoints { id } } } }";
    let id = ann.ask(at, json!({})).await["blueprint"]["phases"][0]["touchpoints"][0]["id"].take();
    let enps = |score: i32| json!({ "scale": "ENPS", "score": score, "touchpointId": id, "answeredOn": "2025-03-04" });
    let summary =
        "query($id: ID!) { feedbackSummary(filter: { touchpointId: $id }) { answers enps } }";
    let told = async |actor: &Actor<'_>| {
        actor.ask(summary, json!({ "id": id })).await["feedbackSummary"].take()
    };
    ann.does(
        RECORD,
        batch(&[enps(10), enps(9), enps(8), enps(3), enps(9)]),
    )
    .await;
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    // A clock that was set right again, or another server whose clock is behind.
    world.clock.advance(chrono::Duration::days(-31));
    let ann = world.sign_in_anew("ann-cx").await;
    let five = json!({ "answers": 5, "enps": 40.0 });
    assert_eq!(told(&ann).await, five);
    ann.does(RECORD, batch(&[enps(0)])).await;
    world.close_months().await;
    assert_eq!(
        told(&ann).await,
        five,
        "one more answer in a month that is told"
    );
    world.clock.advance(chrono::Duration::days(70));
    world.close_months().await;
    let ann = world.sign_in_anew("ann-cx").await;
    assert_eq!(told(&ann).await, five, "one answer is not told alone");
}

#[tokio::test]
async fn whoever_may_read_little_is_told_of_a_place_what_is_of_it_alone() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let [one, other] = two_places(&ann).await;
    let enps = |at: &Value, score: i32| json!({ "scale": "ENPS", "score": score, "touchpointId": at, "answeredOn": "2025-03-04" });
    let mut answers: Vec<Value> = [10, 9, 9, 7, 0].map(|score| enps(&one, score)).to_vec();
    answers.extend([10, 0, 0, 0, 1, 8].map(|score| enps(&other, score)));
    ann.does(RECORD, batch(&answers)).await;
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let summary = "query($id: ID!) { feedbackSummary(filter: { touchpointId: $id }) { answers enps }
        none: feedbackSummary(filter: { touchpointId: $id, to: \"2020-01-01\" }) { answers withheld }
        node(id: $id) { ... on Touchpoint { feedback { answers enps } } } }";
    for login in ["ann-cx", "eva-viewer", "dan-contrib-campus"] {
        let actor = world.sign_in_anew(login).await;
        let told = actor.ask(summary, json!({ "id": one })).await;
        let five = json!({ "answers": 5, "enps": 40.0 });
        assert_eq!(told["feedbackSummary"], five, "{login}");
        assert_eq!(told["node"]["feedback"], five, "{login}");
        let none = json!({ "answers": null, "withheld": true });
        assert_eq!(told["none"], none, "{login}");
    }
}

#[tokio::test]

async fn what_employees_say_of_the_organisation_as_a_whole_is_a_part_of_all_feedback() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let enps = |score: i32| json!({ "scale": "ENPS", "score": score, "answeredOn": "2025-03-04" });
    manager
        .does(RECORD, batch(&[10, 9, 9, 7, 0].map(enps)))
        .await;
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let manager = world.sign_in_anew("cx-manager").await;
    let summary = "{ feedbackSummary { answers enps withheld } }";
    let told = manager.ask(summary, json!({})).await["feedbackSummary"].take();
    let five = json!({ "answers": 5, "enps": 40.0, "withheld": false });
    assert_eq!(told, five);
}

#[tokio::test]
async fn employees_are_not_asked_about_a_journey_that_was_never_published() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let persona = "{ blueprint(by: { key: \"bp-employee\" }) { persona { id } } }";
    let persona = ann.ask(persona, json!({})).await["blueprint"]["persona"]["id"].take();
    let create = "mutation($input: BlueprintCreateInput!) { blueprintCreate(input: $input) {
        blueprint { id version } userErrors { code message } } }";
    let draft = json!({ "title": "To come", "subject": "EMPLOYEE", "personaId": persona, "ownerDepartmentId": ids["b-hr"] });
    let draft = ann.does(create, draft).await["blueprint"].take();
    let said = json!({ "scale": "ENPS", "score": 9, "blueprintId": draft["id"], "answeredOn": "2025-03-04" });
    let errors = ann.tries(RECORD, batch(&[said])).await["userErrors"].take();
    assert_eq!(errors[0]["field"], json!(["feedback", "0", "blueprintId"]));
    let message = errors[0]["message"].as_str().expect("a message");
    assert!(message.ends_with("Publish it first."), "{message}");
    let delete = "mutation($input: AtVersionInput!) { blueprintDelete(input: $input) { userErrors { code } } }";
    let at = json!({ "id": draft["id"], "expectedVersion": draft["version"] });
    ann.does(delete, at).await;
}

#[tokio::test]
async fn nobody_is_told_in_which_month_a_place_was_answered_first() {
    let summary = "query($id: ID!, $from: Date!) {
        feedbackSummary(filter: { touchpointId: $id, from: $from }) { answers withheld } }";
    let mut told = Vec::new();
    for early in [1, 0] {
        let world = World::demo().await;
        let ann = world.sign_in("ann-cx").await;
        let [place, _] = two_places(&ann).await;
        let enps = |score: i32| json!({ "scale": "ENPS", "score": score, "touchpointId": place, "answeredOn": "2025-03-04" });
        let (first, then) = [10, 9, 9, 7, 0, 2].split_at(early);
        let mut month = None;
        for scores in [first, then] {
            let ann = world.sign_in_anew("ann-cx").await;
            month = chrono::Datelike::with_day(&world.clock.now().date_naive(), 1);
            let scores: Vec<Value> = scores.iter().map(|score| enps(*score)).collect();
            ann.does(RECORD, batch(&scores)).await;
            world.clock.advance(chrono::Duration::days(32));
            world.close_months().await;
        }
        let ann = world.sign_in_anew("ann-cx").await;
        let asked = json!({ "id": place, "from": month.expect("a day").to_string() });
        told.push(ann.ask(summary, asked).await["feedbackSummary"].take());
    }
    assert_eq!(told[0], told[1]);
}
