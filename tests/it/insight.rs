//! What is known: noted by those who deliver, resting on sources, asked by place, kind and persona.

use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

const CREATE: &str = "mutation($input: InsightCreateInput!) { insightCreate(input: $input) {
    insight { id key version basis sources { title } } userErrors { code field }
} }";

const UPDATE: &str = "mutation($input: InsightUpdateInput!) { insightUpdate(input: $input) {
    insight { id version basis answeredBy { key } sources { title } } userErrors { code field }
} }";

const DELETE: &str =
    "mutation($input: AtVersionInput!) { insightDelete(input: $input) { userErrors { code } } }";

const SOURCE: &str = "mutation($input: SourceCreateInput!) { sourceCreate(input: $input) {
    source { id version } userErrors { code field }
} }";

async fn source(actor: &Actor<'_>, ids: &Ids, title: &str) -> Value {
    let input = json!({
        "blueprintId": ids["bp-rental"], "title": title, "kind": "INTERVIEW",
        "heldOn": "2025-02-01", "sampleSize": 12,
    });
    actor.does(SOURCE, input).await["source"].take()
}

fn with(mut input: Value, more: Value) -> Value {
    for (key, value) in more.as_object().expect("an object") {
        input[key] = value.clone();
    }
    input
}

/// The keys of insights that a filter finds, beside those that the demo has of old.
async fn found(actor: &Actor<'_>, filter: Value) -> Vec<String> {
    let document = "query($filter: InsightFilter) { insights(filter: $filter) { nodes { key } } }";
    let answer = actor.ask(document, json!({ "filter": filter })).await;
    let nodes = answer["insights"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter();
    let keys = nodes.map(|node| node["key"].as_str().expect("a key").to_owned());
    let of_old = |key: &String| (1..=12).any(|number| *key == format!("I{number}"));
    keys.filter(|key| !of_old(key)).collect()
}

#[tokio::test]
async fn what_is_observed_rests_on_a_source() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let calls = source(&ann, &ids, "Calls in February").await;
    let wait = json!({ "touchpointId": ids["R03"], "kind": "WAIT", "text": "Twenty minutes at noon", "basis": "OBSERVED" });
    assert_eq!(
        ann.tries(CREATE, wait.clone()).await["userErrors"],
        json!([{ "code": "INVALID", "field": ["basis"] }])
    );
    let made = ann
        .does(CREATE, with(wait, json!({ "sourceIds": [calls["id"]] })))
        .await["insight"]
        .take();
    assert_eq!(made["key"], json!("twenty-minutes-at-noon"));
    assert_eq!(made["sources"], json!([{ "title": "Calls in February" }]));

    let bare = json!({ "id": made["id"], "expectedVersion": 1, "sourceIds": [] });
    assert_eq!(
        ann.tries(UPDATE, bare.clone()).await["userErrors"],
        json!([{ "code": "INVALID", "field": ["basis"] }])
    );
    let delete =
        "mutation($input: AtVersionInput!) { sourceDelete(input: $input) { userErrors { code } } }";
    let at = json!({ "id": calls["id"], "expectedVersion": 1 });
    assert_eq!(
        ann.refused(delete, at.clone()).await,
        ["CONFLICT"],
        "an insight rests on it"
    );
    let assumed = ann
        .does(UPDATE, with(bare, json!({ "basis": "ASSUMED" })))
        .await;
    assert_eq!(assumed["insight"]["sources"], json!([]));
    assert_eq!(assumed["insight"]["version"], json!(2));
    ann.does(delete, at).await;
}

#[tokio::test]
async fn a_question_is_open_until_another_insight_answers_it() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let rental = json!({ "blueprintId": ids["bp-rental"] });
    let question = with(
        rental.clone(),
        json!({
            "key": "why", "kind": "QUESTION", "text": "Why do they leave?", "whys": ["They wait", "Nobody is there at noon"],
        }),
    );
    let question = ann.does(CREATE, question).await["insight"].take();
    let need = with(
        rental.clone(),
        json!({ "key": "need", "kind": "INFORMATION_NEED", "text": "What does it cost?" }),
    );
    let need = ann.does(CREATE, need).await["insight"].take();
    let doubt = json!({ "phaseId": ids["bp-rental/r2"], "key": "doubt", "kind": "DOUBT", "text": "Is it insured?" });
    let doubt = ann.does(CREATE, doubt).await["insight"].take();
    assert_eq!(
        found(&ann, json!({ "unanswered": true })).await,
        ["why", "need"]
    );

    let answer =
        json!({ "id": need["id"], "expectedVersion": 1, "answer": "The price list on the site" });
    ann.does(UPDATE, answer).await;
    let answered =
        json!({ "id": question["id"], "expectedVersion": 1, "answeredById": doubt["id"] });
    let answered = ann.does(UPDATE, answered).await["insight"].take();
    assert_eq!(answered["answeredBy"], json!({ "key": "doubt" }));
    assert!(found(&ann, json!({ "unanswered": true })).await.is_empty());

    let deeper = with(
        rental.clone(),
        json!({ "key": "deeper", "kind": "QUESTION", "text": "Why then?", "answeredById": question["id"] }),
    );
    let deeper = ann.does(CREATE, deeper).await["insight"].take();
    for (id, field, value) in [
        (&doubt["id"], "whys", json!(["because"])),
        (&doubt["id"], "answer", json!("so")),
        (&doubt["id"], "answeredById", need["id"].clone()),
        (&question["id"], "answeredById", question["id"].clone()),
        (&question["id"], "answeredById", deeper["id"].clone()),
    ] {
        let version = if *id == question["id"] { 2 } else { 1 };
        let change = json!({ "id": id, "expectedVersion": version, field: value });
        let errors = ann.tries(UPDATE, change).await["userErrors"].take();
        assert_eq!(errors, json!([{ "code": "INVALID", "field": [field] }]));
    }
    ann.does(DELETE, json!({ "id": doubt["id"], "expectedVersion": 1 }))
        .await;
    assert_eq!(
        found(&ann, json!({ "unanswered": true })).await,
        ["why"],
        "open again"
    );
}

#[tokio::test]
async fn the_lens_sorts_by_phase_kind_and_persona() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let persona = ann
        .ask(
            "{ blueprint(by: { key: \"bp-rental\" }) { persona { id } } }",
            json!({}),
        )
        .await;
    let renter = &persona["blueprint"]["persona"]["id"];
    for (place, id, key, kind, of) in [
        ("touchpointId", &ids["R03"], "a", "PAIN", Value::Null),
        ("phaseId", &ids["bp-rental/r3"], "b", "PAIN", Value::Null),
        ("touchpointId", &ids["R03"], "c", "PAIN", renter.clone()),
        ("touchpointId", &ids["R02"], "d", "GAIN", Value::Null),
        ("blueprintId", &ids["bp-rental"], "e", "POLICY", Value::Null),
    ] {
        let input = json!({ place: id, "key": key, "kind": kind, "text": key, "personaId": of });
        ann.does(CREATE, input).await;
    }
    let document = "{ blueprint(by: { key: \"bp-rental\" }) {
        lens { phase { key } kind personaId insights { key } }
    } }";
    let answer = ann.ask(document, json!({})).await;
    let cell = |phase: Value, kind: &str, persona: Value, keys: &[&str]| {
        let insights: Vec<Value> = keys.iter().map(|key| json!({ "key": key })).collect();
        json!({ "phase": phase, "kind": kind, "personaId": persona, "insights": insights })
    };
    let expected = [
        cell(Value::Null, "POLICY", Value::Null, &["e"]),
        cell(json!({ "key": "r2" }), "GAIN", Value::Null, &["d"]),
        cell(json!({ "key": "r3" }), "PAIN", Value::Null, &["a", "b"]),
        cell(json!({ "key": "r3" }), "PAIN", renter.clone(), &["c"]),
    ];
    assert_eq!(answer["blueprint"]["lens"], json!(expected));
    assert_eq!(found(&ann, json!({ "personaId": renter })).await, ["c"]);
    assert_eq!(
        found(
            &ann,
            json!({ "kinds": ["PAIN"], "touchpointId": ids["R03"] })
        )
        .await,
        ["a", "c"]
    );
}

#[tokio::test]
async fn what_is_known_lies_in_its_blueprint_and_sleeps_with_its_touchpoint() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let pain = json!({ "key": "pain", "kind": "PAIN", "text": "It hurts" });
    let nowhere = ann.tries(CREATE, pain.clone()).await["userErrors"].take();
    assert_eq!(nowhere[0]["code"], "INVALID");
    let both = with(
        pain.clone(),
        json!({ "touchpointId": ids["R03"], "phaseId": ids["bp-rental/r3"] }),
    );
    assert_eq!(ann.refused(CREATE, both).await, ["INVALID"]);
    let calls = source(&ann, &ids, "Calls").await;
    let elsewhere = with(
        pain.clone(),
        json!({ "touchpointId": ids["F01"], "sourceIds": [calls["id"]] }),
    );
    let errors = ann.tries(CREATE, elsewhere).await["userErrors"].take();
    assert_eq!(
        errors,
        json!([{ "code": "NOT_FOUND", "field": ["sourceIds", "0"] }])
    );

    ann.does(CREATE, with(pain, json!({ "touchpointId": ids["R07"] })))
        .await;
    assert_eq!(found(&ann, json!({})).await, ["pain"]);
    let archive = "mutation($input: AtVersionInput!) { touchpointArchive(input: $input) { userErrors { code } } }";
    ann.does(archive, json!({ "id": ids["R07"], "expectedVersion": 1 }))
        .await;
    assert!(found(&ann, json!({})).await.is_empty());
}

#[tokio::test]
async fn a_draft_goes_with_what_is_known_of_it() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let persona = ann
        .ask(
            "{ blueprint(by: { key: \"bp-rental\" }) { persona { id } } }",
            json!({}),
        )
        .await;
    let draft = "mutation($input: BlueprintCreateInput!) { blueprintCreate(input: $input) { blueprint { id } userErrors { code } } }";
    let owner = &ids["r-web"];
    let input = json!({ "title": "New", "personaId": persona["blueprint"]["persona"]["id"], "ownerDepartmentId": owner });
    let blueprint = ann.does(draft, input).await["blueprint"]["id"].take();
    let phase = "mutation($input: PhaseCreateInput!) { phaseCreate(input: $input) { phase { id } userErrors { code } } }";
    let input = json!({ "blueprintId": blueprint, "name": "Before", "stage": "BEFORE" });
    let phase = ann.does(phase, input).await["phase"]["id"].take();
    let step = "mutation($input: TouchpointCreateInput!) { touchpointCreate(input: $input) { touchpoint { id } userErrors { code } } }";
    let input = json!({ "phaseId": phase, "name": "Looks", "lane": "FRONTSTAGE" });
    let step = ann.does(step, input).await["touchpoint"]["id"].take();
    let way = "mutation($input: ScenarioCreateInput!) { scenarioCreate(input: $input) { userErrors { code } } }";
    let input = json!({ "blueprintId": blueprint, "name": "Usual", "kind": "HAPPY", "touchpointIds": [step] });
    ann.does(way, input).await;
    let pain = json!({ "touchpointId": step, "kind": "PAIN", "text": "It hurts" });
    ann.does(CREATE, pain).await;
    let calls = json!({ "blueprintId": blueprint, "title": "Calls", "kind": "CALL_LISTENING" });
    let calls = ann.does(SOURCE, calls).await["source"]["id"].take();
    let gain = json!({ "blueprintId": blueprint, "kind": "GAIN", "text": "Good", "basis": "OBSERVED", "sourceIds": [calls] });
    let gain = ann.does(CREATE, gain).await["insight"]["id"].take();
    let question = json!({ "blueprintId": blueprint, "kind": "QUESTION", "text": "Why?", "answeredById": gain });
    ann.does(CREATE, question).await;
    let promise = "mutation($input: PromiseCreateInput!) { promiseCreate(input: $input) { userErrors { code } } }";
    let input = json!({ "touchpointId": step, "text": "Good", "deliveredAtIds": [step] });
    ann.does(promise, input).await;
    let tried = "mutation($input: EvaluationCreateInput!) { evaluationCreate(input: $input) { userErrors { code } } }";
    let need = ann
        .ask(
            "{ blueprint(by: { key: \"bp-rental\" }) { persona { needs { id } } } }",
            json!({}),
        )
        .await["blueprint"]["persona"]["needs"][0]["id"]
        .take();
    let input = json!({ "touchpointId": step, "heldOn": "2025-03-01", "byName": "I", "verdicts": [{ "needId": need, "verdict": "MEETS" }] });
    ann.does(tried, input).await;
    let better = "mutation($input: ImprovementCreateInput!) { improvementCreate(input: $input) { userErrors { code } } }";
    let input = json!({ "blueprintId": blueprint, "title": "Better", "ownerDepartmentId": owner, "touchpointIds": [step], "kpiIds": [ids["KR1"]] });
    ann.does(better, input).await;
    let delete = "mutation($input: AtVersionInput!) { blueprintDelete(input: $input) { userErrors { code } } }";
    ann.does(delete, json!({ "id": blueprint, "expectedVersion": 1 }))
        .await;
    assert!(found(&ann, json!({})).await.is_empty());
}

/// Each department keeps its own part true and nothing else: what hangs on the whole blueprint is its owner's.
#[tokio::test]
async fn who_delivers_at_one_touchpoint_says_nothing_of_the_whole_and_nothing_about_what_others_rest_on()
 {
    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let contributor = world.sign_in("contributor").await;
    let update_source = "mutation($input: SourceUpdateInput!) { sourceUpdate(input: $input) {
        source { version } userErrors { code field } } }";
    let delete_source =
        "mutation($input: AtVersionInput!) { sourceDelete(input: $input) { userErrors { code } } }";
    let source = async |actor: &Actor<'_>, title: &str| {
        let input = json!({ "blueprintId": ids["open"], "title": title, "kind": "SURVEY" });
        actor.does(SOURCE, input).await["source"]["id"].clone()
    };
    let insight = async |actor: &Actor<'_>, place: Value, sources: &[&Value]| {
        let input = with(
            place,
            json!({ "kind": "PAIN", "text": "It hurts", "sourceIds": sources }),
        );
        actor.does(CREATE, input).await["insight"]["id"].clone()
    };
    let change = |id: &Value| json!({ "id": id, "expectedVersion": 1, "sampleSize": 4000 });
    let of_whole = || json!({ "blueprintId": ids["open"] });
    let (own_place, other_place) = (
        json!({ "touchpointId": ids["T2"] }),
        json!({ "touchpointId": ids["T3"] }),
    );

    let wide = insight(&cx, of_whole(), &[]).await;
    let forbidden = ["FORBIDDEN"];
    let words = json!({ "id": wide, "expectedVersion": 1, "text": "It does not" });
    assert_eq!(contributor.refused(UPDATE, words).await, forbidden);
    let at = json!({ "id": wide, "expectedVersion": 1 });
    assert_eq!(contributor.refused(DELETE, at).await, forbidden);
    let input = with(of_whole(), json!({ "kind": "PAIN", "text": "It hurts" }));
    assert_eq!(contributor.refused(CREATE, input).await, forbidden);

    let unused = source(&cx, "Of others, unused").await;
    assert_eq!(
        contributor.refused(update_source, change(&unused)).await,
        forbidden
    );
    let at = json!({ "id": unused, "expectedVersion": 1 });
    assert_eq!(contributor.refused(delete_source, at).await, forbidden);
    let used = source(&cx, "Of others, used").await;
    insight(&cx, other_place, &[&used]).await;
    assert_eq!(
        contributor.refused(update_source, change(&used)).await,
        forbidden
    );
    insight(&contributor, own_place.clone(), &[&used]).await;
    assert_eq!(
        contributor.refused(update_source, change(&used)).await,
        forbidden,
        "by resting on it, too"
    );

    let own = source(&contributor, "Of their own").await;
    contributor.does(update_source, change(&own)).await;
    insight(&contributor, own_place, &[&own]).await;
    let again = json!({ "id": own, "expectedVersion": 2, "sampleSize": 41 });
    contributor.does(update_source, again).await;
    insight(&cx, of_whole(), &[&own]).await;
    let again = json!({ "id": own, "expectedVersion": 3, "sampleSize": 42 });
    assert_eq!(
        contributor.refused(update_source, again.clone()).await,
        forbidden
    );
    cx.does(update_source, again).await;
}
