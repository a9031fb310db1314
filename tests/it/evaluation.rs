//! Evaluations: how people found a touchpoint, need by need, and whether it says what others say.

use serde_json::{Value, json};

use crate::{ids::Ids, world::World};

const CREATE: &str = "mutation($input: EvaluationCreateInput!) { evaluationCreate(input: $input) {
    evaluation { id version heldOn byName byAccount { key } messages conflict conflictsWith { key }
        verdicts { need { id } verdict } }
    userErrors { code field }
} }";

const UPDATE: &str = "mutation($input: EvaluationUpdateInput!) { evaluationUpdate(input: $input) {
    evaluation { id version byName byAccount { key } messages conflictsWith { key } verdicts { verdict } }
    userErrors { code field }
} }";

/// What the renter needs: a car ready at the agreed time, and help on the road.
async fn needs(world: &World) -> [Value; 2] {
    let ann = world.sign_in("ann-cx").await;
    let document = "{ blueprint(by: { key: \"bp-rental\" }) { persona { needs { id } } } }";
    let found = ann.ask(document, json!({})).await["blueprint"]["persona"]["needs"].take();
    [found[0]["id"].clone(), found[1]["id"].clone()]
}

#[tokio::test]
async fn a_touchpoint_is_tried_against_the_needs_of_the_persona() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let [car, help] = needs(&world).await;
    let input = json!({
        "touchpointId": ids["R03"], "heldOn": "2025-03-01", "byAccountId": ids["ann-cx"],
        "verdicts": [{ "needId": help, "verdict": "FAILS" }, { "needId": car, "verdict": "PARTLY" }],
    });
    let made = ann.does(CREATE, input.clone()).await["evaluation"].take();
    assert_eq!(made["byAccount"], json!({ "key": "ann-cx" }));
    assert_eq!(
        made["verdicts"],
        json!([{ "need": { "id": help }, "verdict": "FAILS" }, { "need": { "id": car }, "verdict": "PARTLY" }])
    );
    let mut by_two = input.clone();
    by_two["byName"] = json!("A mystery shopper");
    let mut by_nobody = input.clone();
    by_nobody["byAccountId"] = Value::Null;
    for unclear in [by_two, by_nobody] {
        let errors = ann.tries(CREATE, unclear).await["userErrors"].take();
        assert_eq!(errors, json!([{ "code": "INVALID", "field": ["byName"] }]));
    }
    let mut twice = input.clone();
    twice["verdicts"] =
        json!([{ "needId": car, "verdict": "MEETS" }, { "needId": car, "verdict": "FAILS" }]);
    assert_eq!(ann.refused(CREATE, twice).await, ["DUPLICATE"]);
    let mut of_another = input;
    of_another["touchpointId"] = json!(ids["F01"]);
    let errors = ann.tries(CREATE, of_another).await["userErrors"].take();
    assert_eq!(
        errors[0]["code"], "NOT_FOUND",
        "the flight's persona has no such need"
    );
    assert_eq!(errors[0]["field"], json!(["verdicts", "0", "needId"]));

    let better = json!({ "id": made["id"], "expectedVersion": 1, "byAccountId": null, "byName": "A mystery shopper",
        "verdicts": [{ "needId": car, "verdict": "MEETS" }] });
    let changed = ann.does(UPDATE, better).await["evaluation"].take();
    assert_eq!(changed["byName"], json!("A mystery shopper"));
    assert_eq!(changed["verdicts"], json!([{ "verdict": "MEETS" }]));
    assert_eq!(changed["version"], json!(2));
}

#[tokio::test]
async fn messages_in_conflict_name_the_other_touchpoint_and_say_what_differs() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let tried = json!({ "touchpointId": ids["R03"], "heldOn": "2025-03-01", "byName": "Somebody" });
    let with = |more: Value| {
        let mut input = tried.clone();
        for (key, value) in more.as_object().expect("an object") {
            input[key] = value.clone();
        }
        input
    };
    for (half, field) in [
        (
            json!({ "messages": "CONFLICTING", "conflict": "hours" }),
            "conflictsWithId",
        ),
        (
            json!({ "messages": "CONFLICTING", "conflictsWithId": ids["R01"] }),
            "conflict",
        ),
        (
            json!({ "messages": "COHERENT", "conflict": "hours" }),
            "conflict",
        ),
        (json!({ "conflict": "hours" }), "conflict"),
        (
            json!({ "messages": "CONFLICTING", "conflict": "hours", "conflictsWithId": ids["R03"] }),
            "conflictsWithId",
        ),
    ] {
        let errors = ann.tries(CREATE, with(half)).await["userErrors"].take();
        assert_eq!(errors, json!([{ "code": "INVALID", "field": [field] }]));
    }
    let conflict =
        json!({ "messages": "CONFLICTING", "conflict": "hours", "conflictsWithId": ids["F01"] });
    assert_eq!(ann.refused(CREATE, with(conflict)).await, ["NOT_FOUND"]);
    let conflict =
        json!({ "messages": "CONFLICTING", "conflict": "hours", "conflictsWithId": ids["R01"] });
    let made = ann.does(CREATE, with(conflict)).await["evaluation"].take();
    assert_eq!(made["conflictsWith"], json!({ "key": "R01" }));
    let solved = json!({ "id": made["id"], "expectedVersion": 1, "messages": "COHERENT", "conflictsWithId": null, "conflict": null });
    let solved = ann.does(UPDATE, solved).await["evaluation"].take();
    assert_eq!(solved["conflictsWith"], Value::Null);
}

#[tokio::test]
async fn what_was_found_about_a_need_goes_with_the_need() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let [car, help] = needs(&world).await;
    let input = json!({
        "touchpointId": ids["R03"], "heldOn": "2025-03-01", "byName": "Somebody",
        "verdicts": [{ "needId": car, "verdict": "MEETS" }, { "needId": help, "verdict": "FAILS" }],
    });
    let made = ann.does(CREATE, input).await["evaluation"].take();
    let only_kept = json!({
        "touchpointId": ids["R03"], "heldOn": "2025-03-01", "byName": "Somebody else",
        "verdicts": [{ "needId": car, "verdict": "PARTLY" }],
    });
    let untouched = ann.does(CREATE, only_kept).await["evaluation"].take();
    let rental = "{ blueprint(by: { key: \"bp-rental\" }) { revision persona { id version } } }";
    let mut before = ann.ask(rental, json!({})).await["blueprint"].take();
    let renter = before["persona"].take();
    let update = "mutation($input: PersonaUpdateInput!) { personaUpdate(input: $input) { userErrors { code } } }";
    let keep = json!({ "id": renter["id"], "expectedVersion": renter["version"], "needs": [{ "id": car, "text": "a car" }] });
    ann.does(update, keep).await;
    let document = "query($id: ID!) { node(id: $id) { ... on Evaluation {
        version verdicts { need { text } verdict } } } }";
    let left = ann.ask(document, json!({ "id": made["id"] })).await["node"].take();
    let verdicts = json!([{ "need": { "text": "a car" }, "verdict": "MEETS" }]);
    assert_eq!(left["verdicts"], verdicts);
    assert_eq!(left["version"], json!(2), "whoever has read it is told");
    let after = ann.ask(rental, json!({})).await["blueprint"].take();
    assert_ne!(after["revision"], before["revision"]);
    let left = ann.ask(document, json!({ "id": untouched["id"] })).await["node"].take();
    assert_eq!(left["version"], json!(1), "nothing was taken from it");
}

#[tokio::test]
async fn needs_of_a_persona_are_told_apart_by_their_letters() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let create = "mutation($input: PersonaCreateInput!) { personaCreate(input: $input) { userErrors { code field } } }";
    let texts = |texts: &[&str]| {
        json!(
            texts
                .iter()
                .map(|text| json!({ "text": text }))
                .collect::<Vec<_>>()
        )
    };
    let input = json!({ "name": "Somebody", "subject": "CUSTOMER", "needs": texts(&["quick", "cheap", " Quick", "QUICK"]) });
    let errors = ann.tries(create, input).await["userErrors"].take();
    let twice = |at: &str| json!({ "code": "DUPLICATE", "field": ["needs", at, "text"] });
    assert_eq!(errors, json!([twice("2"), twice("3")]));
    let persona = "{ persona(by: { key: \"p-renter\" }) { id version } }";
    let renter = ann.ask(persona, json!({})).await["persona"].take();
    let update = "mutation($input: PersonaUpdateInput!) { personaUpdate(input: $input) { userErrors { code field } } }";
    let change = json!({ "id": renter["id"], "expectedVersion": renter["version"], "needs": texts(&["Ærlig", "ærlig"]) });
    let errors = ann.tries(update, change).await["userErrors"].take();
    assert_eq!(errors, json!([twice("1")]));
}
