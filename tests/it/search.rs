//! Finding things by their words: what is found, in which order, and for whom; and that the index is always what
//! reading everything again would make of it.

mod index;
mod random;
mod texts;

use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

const SEARCH: &str = "query($text: String!, $kinds: [SearchKind!], $blueprintId: ID, $includeArchived: Boolean, $first: Int, $after: String) {
    search(text: $text, kinds: $kinds, blueprintId: $blueprintId, includeArchived: $includeArchived, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes { kind matches { field cutBefore cutAfter pieces { text matched } } node {
            __typename
            ... on Blueprint { id name: title } ... on Phase { id name } ... on Touchpoint { id name }
            ... on Scenario { id name } ... on Insight { id name: text } ... on Source { id name: title }
            ... on CustomerPromise { id name: text } ... on Improvement { id name: title }
            ... on Persona { id name } ... on Department { id name } ... on Kpi { id name }
        } }
    }
}";

const NOTE: &str = "mutation($input: InsightCreateInput!) { insightCreate(input: $input) { insight { id } userErrors { code } } }";

/// What somebody finds, whole.
async fn search(actor: &Actor<'_>, variables: Value) -> Value {
    actor.ask(SEARCH, variables).await["search"].take()
}

/// The names of what somebody finds, in order.
async fn names(actor: &Actor<'_>, variables: Value) -> Vec<String> {
    let found = search(actor, variables).await;
    let nodes = found["nodes"].as_array().expect("nodes").iter();
    let names: Vec<String> = nodes
        .map(|hit| hit["node"]["name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(found["totalCount"], json!(names.len()), "the count");
    names
}

async fn found(actor: &Actor<'_>, text: &str) -> Vec<String> {
    names(actor, json!({ "text": text })).await
}

/// A match as a text: the field, and the words found in brackets.
fn shown(hit: &Value) -> Vec<String> {
    let matches = hit["matches"].as_array().expect("matches").iter();
    let shown = matches.map(|one| {
        let pieces = one["pieces"].as_array().expect("pieces").iter();
        let pieces: String = pieces
            .map(|piece| {
                let text = piece["text"].as_str().expect("a text");
                match piece["matched"] == json!(true) {
                    true => format!("[{text}]"),
                    false => text.to_owned(),
                }
            })
            .collect();
        let cut = |side: &str| if one[side] == json!(true) { "…" } else { "" };
        let field = one["field"].as_str().expect("a field");
        format!("{field}: {}{pieces}{}", cut("cutBefore"), cut("cutAfter"))
    });
    shown.collect()
}

/// Notes texts at a place, in this order.
async fn notes(actor: &Actor<'_>, place: &str, id: &str, texts: &[&str]) {
    for text in texts {
        actor
            .does(NOTE, json!({ place: id, "kind": "PAIN", "text": text }))
            .await;
    }
}

#[tokio::test]
async fn every_kind_is_found_by_each_of_its_texts() {
    let world = World::small().await;
    let (cx, admin) = (
        world.sign_in("cx-manager").await,
        world.sign_in("admin").await,
    );
    let ids = Ids::of(&world).await;
    let touchpoint = json!({ "id": ids["T2"], "expectedVersion": 1, "customerAction": "rings bravo", "note": "a charlie",
        "evidence": [{ "label": "Delta letter", "link": "https://example.org/hidden" }], "systems": ["Echo", "Foxtrot"] });
    let (open, phase) = (&ids["open"], &ids["open/goal"]);
    for (who, mutation, input_type, input) in [
        (
            &cx,
            "blueprintUpdate",
            "BlueprintUpdateInput",
            json!({ "id": open, "expectedVersion": 1, "title": "I alpha" }),
        ),
        (&cx, "touchpointUpdate", "TouchpointUpdateInput", touchpoint),
        (
            &cx,
            "phaseUpdate",
            "PhaseUpdateInput",
            json!({ "id": phase, "expectedVersion": 1, "customerGoal": "to golf" }),
        ),
        (
            &cx,
            "insightCreate",
            "InsightCreateInput",
            json!({ "phaseId": phase, "kind": "QUESTION", "text": "Hotel?", "whys": ["India", "Juliett"] }),
        ),
        (
            &cx,
            "insightCreate",
            "InsightCreateInput",
            json!({ "phaseId": phase, "kind": "INFORMATION_NEED", "text": "Where?", "answer": "In Kilo" }),
        ),
        (
            &cx,
            "scenarioCreate",
            "ScenarioCreateInput",
            json!({ "blueprintId": open, "name": "Lima", "kind": "HAPPY", "note": "by mike", "touchpointIds": [] }),
        ),
        (
            &cx,
            "sourceCreate",
            "SourceCreateInput",
            json!({ "blueprintId": open, "title": "November", "kind": "SURVEY", "note": "Oscar" }),
        ),
        (
            &cx,
            "promiseCreate",
            "PromiseCreateInput",
            json!({ "touchpointId": ids["T2"], "text": "Uniform" }),
        ),
        (
            &cx,
            "improvementCreate",
            "ImprovementCreateInput",
            json!({ "blueprintId": open, "title": "Victor", "description": "Whiskey", "state": "DONE",
                "result": "Yankee", "ownerDepartmentId": ids["sales"] }),
        ),
        (
            &cx,
            "personaCreate",
            "PersonaCreateInput",
            json!({ "name": "Papa", "context": ["Quebec"], "needs": [{ "text": "Romeo" }] }),
        ),
        (
            &admin,
            "departmentCreate",
            "DepartmentCreateInput",
            json!({ "name": "Sierra" }),
        ),
        (
            &cx,
            "kpiUpdate",
            "KpiUpdateInput",
            json!({ "id": ids["PRICE"], "expectedVersion": 1, "description": "Tango" }),
        ),
    ] {
        let document = format!(
            "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ userErrors {{ code field message }} }} }}"
        );
        who.does(&document, input).await;
    }
    for (text, kind, node, field) in [
        ("alph", "BLUEPRINT", "Blueprint", "title: I [alpha]"),
        (
            "ask pri",
            "TOUCHPOINT",
            "Touchpoint",
            "name: [Asks] for a [price]",
        ),
        (
            "bravo",
            "TOUCHPOINT",
            "Touchpoint",
            "customerAction: rings [bravo]",
        ),
        ("charlie", "TOUCHPOINT", "Touchpoint", "note: a [charlie]"),
        (
            "delta",
            "TOUCHPOINT",
            "Touchpoint",
            "evidence: [Delta] letter",
        ),
        ("foxtrot", "TOUCHPOINT", "Touchpoint", "systems: [Foxtrot]"),
        ("golf", "PHASE", "Phase", "customerGoal: to [golf]"),
        ("hotel", "INSIGHT", "Insight", "text: [Hotel]?"),
        ("juli", "INSIGHT", "Insight", "whys: [Juliett]"),
        ("kilo", "INSIGHT", "Insight", "answer: In [Kilo]"),
        ("lima", "SCENARIO", "Scenario", "name: [Lima]"),
        ("mike", "SCENARIO", "Scenario", "note: by [mike]"),
        ("november", "SOURCE", "Source", "title: [November]"),
        ("oscar", "SOURCE", "Source", "note: [Oscar]"),
        ("uniform", "PROMISE", "CustomerPromise", "text: [Uniform]"),
        ("victor", "IMPROVEMENT", "Improvement", "title: [Victor]"),
        (
            "whiskey",
            "IMPROVEMENT",
            "Improvement",
            "description: [Whiskey]",
        ),
        ("yankee", "IMPROVEMENT", "Improvement", "result: [Yankee]"),
        ("papa", "PERSONA", "Persona", "name: [Papa]"),
        ("quebec", "PERSONA", "Persona", "context: [Quebec]"),
        ("romeo", "PERSONA", "Persona", "needs: [Romeo]"),
        ("sierra", "DEPARTMENT", "Department", "name: [Sierra]"),
        ("tango", "KPI", "Kpi", "description: [Tango]"),
        ("margin", "KPI", "Kpi", "name: [Margin]"),
    ] {
        let found = search(&cx, json!({ "text": text })).await;
        let nodes = found["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.len(), 1, "{text}: {found}");
        assert_eq!(
            (&nodes[0]["kind"], &nodes[0]["node"]["__typename"]),
            (&json!(kind), &json!(node))
        );
        assert_eq!(shown(&nodes[0]), [field], "{text}");
        assert!(
            names(&cx, json!({ "text": text, "kinds": [kind] }))
                .await
                .len()
                == 1
        );
        let others: Vec<&str> = entity::words::SearchKind::ALL
            .iter()
            .map(|kind| kind.as_str())
            .filter(|other| *other != kind)
            .collect();
        assert!(
            names(&cx, json!({ "text": text, "kinds": others }))
                .await
                .is_empty()
        );
    }
    assert!(
        names(&cx, json!({ "text": "alpha", "kinds": [] }))
            .await
            .is_empty()
    );
    assert!(found(&cx, "hidden").await.is_empty(), "a link is no text");
}

#[tokio::test]
async fn every_spelling_finds_every_other() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    let places = [
        ["Århus", "Aarhus", "Arhus", "ÅRHUS"],
        ["Københavns", "Koebenhavns", "Kobenhavns", "KØBENHAVNS"],
        ["Ærøskøbing", "Aeroeskoebing", "Aroskobing", "ÄRÖSKÖBING"],
        ["Göteborg", "Goeteborg", "Goteborg", "GØTEBORG"],
        ["Züge", "Zuege", "Zuge", "ZÜGE"],
        ["Grüße", "Gruesse", "Grusse", "GRÜSSE"],
        ["Crème", "creme", "crémé", "CREME"],
    ];
    for spellings in &places {
        notes(&cx, "blueprintId", &ids["open"], spellings).await;
    }
    for spellings in &places {
        for spelling in spellings {
            let mut there = found(&cx, spelling).await;
            there.sort_unstable();
            let mut all = spellings.to_vec();
            all.sort_unstable();
            assert_eq!(there, all, "{spelling}");
            let letters = spelling.chars().count();
            for length in 1..letters {
                let beginning: String = spelling.chars().take(length).collect();
                let there = found(&cx, &beginning).await;
                assert!(
                    spellings
                        .iter()
                        .all(|spelling| there.contains(&(*spelling).to_owned())),
                    "{beginning}"
                );
            }
        }
    }
    let here = search(&cx, json!({ "text": "aarh" })).await;
    assert_eq!(
        shown(&here["nodes"][0]),
        ["text: [Århus]"],
        "shown as it is written"
    );
}

#[tokio::test]
async fn the_best_come_first_page_after_page() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    let whys = |text: &str, whys: &[&str]| json!({ "blueprintId": ids["open"], "kind": "QUESTION", "text": text, "whys": whys });
    for (text, because) in [
        ("Why the rest?", &["a boat"][..]),
        ("Why not?", &["boats"]),
        ("Why?", &["Boat and boats"]),
        ("Boats are slow", &["a boat"]),
        ("A boat is slow", &[]),
        ("Boat", &[]),
        ("boat", &[]),
        ("Slow", &["as a boat"]),
        ("Lifeboat", &[]),
    ] {
        cx.does(NOTE, whys(text, because)).await;
    }
    // A whole word in the name, one that begins so, a whole word elsewhere, one that begins so; the shorter name first.
    let order = [
        "Boat",
        "boat",
        "A boat is slow",
        "Boats are slow",
        "Why?",
        "Slow",
        "Why the rest?",
        "Why not?",
    ];
    assert_eq!(found(&cx, "boat").await, order);
    assert_eq!(found(&cx, "BOAT, boat!").await, order, "a word counts once");
    // Both words: 0 + 0, 1 + 0, 2 + 0.
    assert_eq!(
        found(&cx, "slow boat").await,
        ["A boat is slow", "Boats are slow", "Slow"]
    );
    assert_eq!(
        found(&cx, "boat slow").await,
        ["A boat is slow", "Boats are slow", "Slow"]
    );

    let mut read = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = search(
            &cx,
            json!({ "text": "b", "kinds": ["INSIGHT"], "first": 3, "after": after }),
        )
        .await;
        assert_eq!(page["totalCount"], json!(8));
        let nodes = page["nodes"].as_array().expect("nodes").iter();
        read.extend(nodes.map(|hit| hit["node"]["name"].as_str().expect("a name").to_owned()));
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(
        read,
        names(&cx, json!({ "text": "b", "kinds": ["INSIGHT"] })).await
    );
    assert_eq!(read.len(), 8);
    for variables in [
        json!({ "text": "b", "first": 0 }),
        json!({ "text": "b", "after": "bm90IG9uZQ" }),
    ] {
        let refused = cx.send(SEARCH, variables).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn what_is_hidden_is_neither_found_nor_counted_and_moves_nothing() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    notes(
        &cx,
        "blueprintId",
        &ids["open"],
        &["The ferry is late", "Ferries", "A very late ferry"],
    )
    .await;
    let everybody = [
        "stranger",
        "viewer",
        "contributor",
        "lead",
        "neighbour",
        "treasurer",
        "chair",
        "partner",
        "analyst",
        "auditor",
        "cx-manager",
        "admin",
    ];
    // Who sees the draft of sales, the one of service, and what is for the participants of service's only.
    let sees = |login: &str| -> (bool, bool, bool) {
        match login {
            "viewer" | "contributor" | "lead" => (true, false, false),
            "neighbour" => (false, true, true),
            "chair" | "auditor" | "cx-manager" => (true, true, true),
            "analyst" | "admin" => (false, false, true),
            _ => (false, false, false),
        }
    };
    let mut before = Vec::new();
    for login in everybody {
        before.push(
            search(
                &world.sign_in(login).await,
                json!({ "text": "late ferr", "first": 2 }),
            )
            .await,
        );
    }
    let hidden = [
        "Ferry ferry late late",
        "late ferry",
        "ferry late, ferry later",
        "Late",
    ];
    for blueprint in ["draft", "future", "closed"] {
        notes(&cx, "blueprintId", &ids[blueprint], &hidden).await;
    }
    for (login, before) in everybody.iter().zip(before) {
        let actor = world.sign_in(login).await;
        let (draft, future, closed) = sees(login);
        let sees_more = [draft, future, closed]
            .into_iter()
            .filter(|sees| *sees)
            .count();
        let after = search(&actor, json!({ "text": "late ferr", "first": 2 })).await;
        assert_eq!(after["totalCount"], json!(2 + 3 * sees_more), "{login}");
        if sees_more == 0 {
            assert_eq!(after, before, "{login}");
        }
        for (blueprint, sees) in [("draft", draft), ("future", future), ("closed", closed)] {
            let inside = json!({ "text": "ferry", "blueprintId": ids[blueprint] });
            assert_eq!(
                names(&actor, inside).await.len(),
                if sees { 3 } else { 0 },
                "{login} {blueprint}"
            );
        }
    }
    // A partner sees what it takes part in, and of the rest of the organisation what belongs to that.
    let (partner, stranger) = (
        world.sign_in("partner").await,
        world.sign_in("stranger").await,
    );
    assert_eq!(found(&stranger, "colleague").await, ["Colleague"]);
    assert!(found(&partner, "colleague").await.is_empty());
    assert_eq!(found(&partner, "buyer").await, ["Buyer"]);
    assert_eq!(found(&partner, "courier").await, ["Courier"]);
    assert_eq!(
        found(&partner, "margin").await,
        ["Margin"],
        "names of confidential KPIs are open"
    );
}

#[tokio::test]
async fn archived_things_are_left_out_unless_asked_for() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    notes(
        &cx,
        "touchpointId",
        &ids["T1"],
        &["Glimmer at the touchpoint"],
    )
    .await;
    notes(
        &cx,
        "blueprintId",
        &ids["closed"],
        &["Glimmer of the closed"],
    )
    .await;
    let archive = |what: &str| {
        format!(
            "mutation($input: AtVersionInput!) {{ {what}Archive(input: $input) {{ userErrors {{ code }} }} }}"
        )
    };
    assert_eq!(found(&cx, "glimmer").await.len(), 2);
    cx.does(
        &archive("touchpoint"),
        json!({ "id": ids["T1"], "expectedVersion": 1 }),
    )
    .await;
    cx.does(
        &archive("blueprint"),
        json!({ "id": ids["closed"], "expectedVersion": 1 }),
    )
    .await;
    cx.does(
        &archive("kpi"),
        json!({ "id": ids["SECRET"], "expectedVersion": 1 }),
    )
    .await;
    for text in ["glimmer", "looks", "complain", "letter", "margin"] {
        assert!(found(&cx, text).await.is_empty(), "{text}");
        let there = names(&cx, json!({ "text": text, "includeArchived": true })).await;
        assert_eq!(there.len(), if text == "glimmer" { 2 } else { 1 }, "{text}");
    }
}

#[tokio::test]
async fn a_page_takes_no_more_statements_than_there_are_kinds() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let mut ran = Vec::new();
    for first in [1, 60] {
        let before = world.store.statement_count();
        let page = search(&ann, json!({ "text": "a", "first": first })).await;
        assert_eq!(page["nodes"].as_array().expect("nodes").len(), first);
        ran.push(world.store.statement_count() - before);
    }
    // Who calls, the count and the page; a statement a kind, and one for the needs of personas.
    assert!(ran.iter().all(|ran| *ran <= 3 + 9 + 1), "{ran:?}");
}
