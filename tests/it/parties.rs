//! Two consents, tried through the front door: seats, parties, holders, departments without a lead, imports, and what
//! comes back.

use serde_json::{Value, json};

use crate::{
    handshake::{ACCEPT, END, Keys, PROPOSE, at, propose, reasons},
    world::{Actor, PASSWORD, World, faults},
};

const GRANT: &str = "mutation($input: MembershipGrantInput!) { membershipGrant(input: $input) {
    membership { id } userErrors { code message } } }";
const IMPORT: &str = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) {
    changes { kind identity after } userErrors { field message code reason } } }";
const SHEET: &str =
    "mutation($input: BlueprintSheetImportInput!) { blueprintSheetImport(input: $input) {
    changes { kind identity } userErrors { field message code reason } } }";
const ARCHIVE: &str = "mutation($input: AtVersionInput!) { touchpointArchive(input: $input) {
    touchpoint { id version } userErrors { field message code reason } } }";
const UNARCHIVE: &str = "mutation($input: AtVersionInput!) { touchpointUnarchive(input: $input) {
    touchpoint { id version position } userErrors { field message code reason } } }";
const CONFIRM: &str = "mutation($input: AtVersionInput!) { responsibilityConfirm(input: $input) {
    responsibility { id version unasked status decidedByAccount { key } } userErrors { field message code reason } } }";
const DEPARTMENT: &str =
    "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) {
    department { id version } userErrors { message } } }";

/// Somebody new, with memberships as LEAD.
async fn hire<'w>(world: &'w World, key: &str, role: &str, leads: &[&str]) -> Actor<'w> {
    let admin = world.sign_in("admin").await;
    let create = "mutation($input: AccountCreateInput!) { accountCreate(input: $input) {
        account { id } userErrors { message } } }";
    let made = json!({ "key": key, "name": key, "role": role, "password": PASSWORD });
    let account = admin.does(create, made).await["account"]["id"].take();
    let keys = Keys::of(&admin, "open").await;
    for department in leads {
        let grant = json!({ "accountId": account, "departmentId": keys.departments[*department], "role": "LEAD" });
        admin.does(GRANT, grant).await;
    }
    world.sign_in_anew(key).await
}

/// What stands at a touchpoint of `open`, as `role department status`.
async fn held(actor: &Actor<'_>, touchpoint: &str) -> Vec<String> {
    let rows = rows(actor, touchpoint).await;
    let told = rows.iter().map(|row| {
        format!(
            "{} {} {}",
            row["role"].as_str().expect("a role"),
            row["department"]["key"].as_str().expect("a key"),
            row["status"].as_str().expect("a status")
        )
    });
    told.collect()
}

async fn rows(actor: &Actor<'_>, touchpoint: &str) -> Vec<Value> {
    let ask = "query($key: String!) { touchpoint(by: { key: { blueprint: \"open\", key: $key } }) { version
        responsibilities { id version role status unasked department { key } resumes { id status reason }
            decidedByAccount { key } awaits { departments { key } holderFirst noLeadYet } viewerPermissions } } }";
    let found = actor.ask(ask, json!({ "key": touchpoint })).await;
    let rows = found["touchpoint"]["responsibilities"].as_array();
    rows.expect("responsibilities").clone()
}

async fn one(actor: &Actor<'_>, touchpoint: &str, department: &str, role: &str) -> Value {
    let rows = rows(actor, touchpoint).await;
    let found = rows
        .into_iter()
        .find(|row| row["department"]["key"] == department && row["role"] == role);
    found.unwrap_or_else(|| panic!("{department} {role} at {touchpoint}"))
}

async fn step(actor: &Actor<'_>, touchpoint: &str) -> Value {
    let ask = "query($key: String!) { touchpoint(by: { key: { blueprint: \"open\", key: $key } }) { id version position } }";
    actor.ask(ask, json!({ "key": touchpoint })).await["touchpoint"].take()
}

/// The keys of the departments whose list of what waits names a proposal.
async fn waiting_lists(actor: &Actor<'_>, proposal: &Value) -> Vec<String> {
    let ask =
        "{ departments(first: 50) { nodes { key awaitingAnswer(first: 50) { nodes { id } } } } }";
    let found = actor.ask(ask, json!({})).await;
    let departments = found["departments"]["nodes"].as_array().expect("nodes");
    let lists = departments.iter().filter(|department| {
        let nodes = department["awaitingAnswer"]["nodes"].as_array();
        nodes
            .expect("nodes")
            .iter()
            .any(|node| node["id"] == proposal["id"])
    });
    lists
        .map(|department| department["key"].as_str().expect("a key").to_owned())
        .collect()
}

async fn waits_for(actor: &Actor<'_>, proposal: &Value) -> bool {
    let ask = "{ viewer { awaitingAnswer(first: 100) { nodes { id } } } }";
    let found = actor.ask(ask, json!({})).await;
    let nodes = found["viewer"]["awaitingAnswer"]["nodes"]
        .as_array()
        .expect("nodes")
        .clone();
    nodes.iter().any(|node| node["id"] == proposal["id"])
}

fn document(responsibilities: &Value) -> Value {
    json!({ "document": { "format": "cx-blueprint/blueprint@1", "key": "open", "responsibilities": responsibilities } })
}

fn holds(touchpoint: &str, department: &str, role: &str) -> Value {
    json!({ "touchpoint": touchpoint, "department": department, "role": role, "status": "ACCEPTED" })
}

#[tokio::test]
async fn two_leads_of_one_department_do_not_take_anything_by_a_childs_name() {
    let world = World::small().await;
    let first = hire(&world, "first", "MEMBER", &["service"]).await;
    let second = world.sign_in("neighbour").await;
    let admin = world.sign_in("admin").await;
    let keys = Keys::of(&admin, "open").await;
    let child = json!({ "name": "Back office", "kind": "INTERNAL", "parentId": keys.departments["service"] });
    let child = admin.does(DEPARTMENT, child).await["department"]["id"].take();
    let first = world.sign_in_anew(&first.login).await;
    for (touchpoint, role) in [
        ("T4", "RESPONSIBLE"),
        ("T5", "ACCOUNTABLE"),
        ("T2", "INFORMED"),
    ] {
        let mut offer = keys.offer(touchpoint, "service", role);
        offer["onBehalfOf"] = child.clone();
        let offered = propose(&first, offer).await;
        for alone in [&first, &second] {
            let refused = alone.tries(ACCEPT, at(&offered)).await;
            assert_eq!(
                reasons(&refused),
                ["FORBIDDEN OWN_PROPOSAL"],
                "{}",
                alone.login
            );
        }
        assert_eq!(
            waiting_lists(&admin, &offered).await,
            ["sales"],
            "{touchpoint}"
        );
        assert!(!waits_for(&second, &offered).await);
        let lead = world.sign_in("lead").await;
        assert!(waits_for(&lead, &offered).await);
        lead.does(ACCEPT, at(&offered)).await;
    }
}

#[tokio::test]
async fn a_head_assigns_at_home_and_the_departments_own_lead_answers() {
    let world = World::small().await;
    let own = hire(&world, "north", "MEMBER", &["sales-north"]).await;
    let lead = world.sign_in("lead").await;
    let keys = Keys::of(&lead, "open").await;
    let offered = propose(&lead, keys.offer("T4", "sales-north", "RESPONSIBLE")).await;
    assert_eq!(lead.refused(ACCEPT, at(&offered)).await, ["FORBIDDEN"]);
    assert_eq!(
        waiting_lists(&lead, &offered).await,
        ["board", "sales-north"],
        "the own lead, or for the owner somebody above who is not the proposer's party"
    );
    own.does(ACCEPT, at(&offered)).await;
    let row = one(&lead, "T4", "sales-north", "RESPONSIBLE").await;
    assert_eq!(row["decidedByAccount"]["key"], "north");
}

#[tokio::test]
async fn what_nobody_could_ever_answer_is_refused_when_it_is_proposed() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let keys = Keys::of(&admin, "open").await;
    let courier = &keys.departments["courier"];
    let child = json!({ "key": "vans", "name": "Vans", "kind": "PARTNER", "parentId": courier });
    admin.does(DEPARTMENT, child).await;
    let vans = hire(&world, "vans-lead", "MEMBER", &["vans"]).await;
    let cx = world.sign_in("cx-manager").await;
    let here = json!([holds("T3", "vans", "INFORMED")]);
    cx.does(IMPORT, document(&here)).await;
    let refused = vans
        .tries(PROPOSE, keys.offer("T3", "courier", "CONSULTED"))
        .await;
    assert_eq!(reasons(&refused), ["INVALID PROPOSES_ITSELF"]);
    let message = refused["userErrors"][0]["message"]
        .as_str()
        .expect("a sentence");
    assert!(message.contains("Let Courier propose it"), "{message}");
}

#[tokio::test]
async fn over_a_holder_the_holder_is_asked_first_and_then_the_department() {
    let world = World::small().await;
    let (lead, treasurer, neighbour) = (
        world.sign_in("lead").await,
        world.sign_in("treasurer").await,
        world.sign_in("neighbour").await,
    );
    let keys = Keys::of(&lead, "open").await;
    let offered = propose(&lead, keys.offer("T3", "finance", "ACCOUNTABLE")).await;
    let refused = treasurer.tries(ACCEPT, at(&offered)).await;
    assert_eq!(reasons(&refused), ["FORBIDDEN TAKEOVER_NOT_OFFERED"]);
    let row = one(&lead, "T3", "finance", "ACCOUNTABLE").await;
    let first =
        json!({ "departments": [{ "key": "service" }], "holderFirst": true, "noLeadYet": false });
    assert_eq!(row["awaits"], first);
    assert_eq!(waiting_lists(&lead, &offered).await, ["service"]);
    let handed = neighbour.does(ACCEPT, at(&offered)).await["responsibility"].take();
    assert_eq!(
        (&handed["status"], &handed["version"]),
        (&json!("PROPOSED"), &json!(2))
    );
    let row = one(&lead, "T3", "finance", "ACCOUNTABLE").await;
    assert_eq!(row["awaits"]["departments"], json!([{ "key": "finance" }]));
    assert_eq!(waiting_lists(&lead, &offered).await, ["finance"]);
    assert!(!waits_for(&neighbour, &offered).await && waits_for(&treasurer, &offered).await);
    let done = treasurer.does(ACCEPT, at(&handed)).await;
    assert_eq!(done["ended"]["status"], "ENDED");
}

#[tokio::test]
async fn a_department_without_a_lead_waits_and_cx_managers_and_admins_see_the_list() {
    let world = World::small().await;
    let (lead, admin) = (world.sign_in("lead").await, world.sign_in("admin").await);
    let alone = json!({ "key": "alone", "name": "Alone", "kind": "INTERNAL" });
    admin.does(DEPARTMENT, alone).await;
    let keys = Keys::of(&admin, "open").await;
    let offered = propose(&lead, keys.offer("T4", "alone", "CONSULTED")).await;
    let ask = "{ responsibilities(filter: { noLeadYet: true }) { nodes { id awaits { noLeadYet departments { key } } } } }";
    for who in ["cx-manager", "admin"] {
        let found = world.sign_in(who).await.ask(ask, json!({})).await;
        let nodes = found["responsibilities"]["nodes"]
            .as_array()
            .expect("nodes")
            .clone();
        assert_eq!(nodes.len(), 1, "{who}");
        assert_eq!(nodes[0]["id"], offered["id"]);
        let awaits = json!({ "noLeadYet": true, "departments": [{ "key": "alone" }] });
        assert_eq!(nodes[0]["awaits"], awaits);
    }
    world
        .sign_in("cx-manager")
        .await
        .does(ACCEPT, at(&offered))
        .await;
}

#[tokio::test]
async fn a_cx_manager_who_leads_the_department_settles_nothing_for_it() {
    let world = World::small().await;
    let cx = hire(&world, "both", "CX_MANAGER", &["finance"]).await;
    let other = world.sign_in("cx-manager").await;
    let keys = Keys::of(&other, "open").await;
    let offered = propose(&cx, keys.offer("T5", "finance", "ACCOUNTABLE")).await;
    let refused = cx.tries(ACCEPT, at(&offered)).await;
    assert_eq!(reasons(&refused), ["FORBIDDEN OWN_PROPOSAL"]);
    let said = json!([
        holds("T5", "finance", "ACCOUNTABLE"),
        holds("T4", "finance", "RESPONSIBLE"),
        holds("T4", "service", "INFORMED"),
    ]);
    cx.does(IMPORT, document(&said)).await;
    cx.does(
        SHEET,
        json!({ "blueprint": { "key": "open" }, "csv": "key,informed\nT1,finance! | service!\n" }),
    )
    .await;
    let proposed = |row: &Value| row["status"] == "PROPOSED";
    for (touchpoint, department, role, asked) in [
        ("T5", "finance", "ACCOUNTABLE", true),
        ("T4", "finance", "RESPONSIBLE", true),
        ("T1", "finance", "INFORMED", true),
        ("T4", "service", "INFORMED", false),
        ("T1", "service", "INFORMED", false),
    ] {
        let row = one(&other, touchpoint, department, role).await;
        assert_eq!(proposed(&row), asked, "{touchpoint} {department} {role}");
        assert_eq!(row["unasked"], json!(!asked));
    }
    let treasurer = world.sign_in("treasurer").await;
    let own = one(&other, "T4", "finance", "RESPONSIBLE").await;
    assert_eq!(treasurer.refused(ACCEPT, at(&own)).await, ["FORBIDDEN"]);
    other.does(ACCEPT, at(&own)).await;
}

#[tokio::test]
async fn nobody_answers_what_they_proposed_be_they_cx_manager() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let keys = Keys::of(&cx, "open").await;
    let offered = propose(&cx, keys.offer("T5", "finance", "RESPONSIBLE")).await;
    let refused = cx.tries(ACCEPT, at(&offered)).await;
    assert_eq!(reasons(&refused), ["FORBIDDEN OWN_PROPOSAL"]);
    let row = one(&cx, "T5", "finance", "RESPONSIBLE").await;
    let may = row["viewerPermissions"]
        .as_array()
        .expect("permissions")
        .clone();
    assert!(!may.contains(&json!("ACCEPT_RESPONSIBILITY")), "{may:?}");
    hire(&world, "second", "CX_MANAGER", &[])
        .await
        .does(ACCEPT, at(&offered))
        .await;
}

#[tokio::test]
async fn an_import_proposes_unless_it_says_accepted_and_that_is_listed_until_it_is_confirmed() {
    let world = World::small().await;
    let (cx, neighbour) = (
        world.sign_in("cx-manager").await,
        world.sign_in("neighbour").await,
    );
    let said = json!([
        { "touchpoint": "T1", "department": "service", "role": "INFORMED" },
        { "touchpoint": "T2", "department": "sales", "role": "ACCOUNTABLE" },
        holds("T4", "service", "CONSULTED"),
    ]);
    cx.does(IMPORT, document(&said)).await;
    let ask = "{ department(by: { key: \"service\" }) { givenUnasked(first: 10) { nodes { touchpoint { key } } } } }";
    let listed =
        async || neighbour.ask(ask, json!({})).await["department"]["givenUnasked"]["nodes"].take();
    assert_eq!(listed().await, json!([{ "touchpoint": { "key": "T4" } }]));
    assert_eq!(
        one(&cx, "T1", "service", "INFORMED").await["status"],
        "PROPOSED"
    );
    assert_eq!(
        one(&cx, "T2", "sales", "ACCOUNTABLE").await["status"],
        "ACCEPTED"
    );
    let given = one(&neighbour, "T4", "service", "CONSULTED").await;
    let may = given["viewerPermissions"].as_array().expect("permissions");
    assert!(may.contains(&json!("ACCEPT_RESPONSIBILITY")));
    for other in ["lead", "cx-manager"] {
        let refused = world
            .sign_in(other)
            .await
            .refused(CONFIRM, at(&given))
            .await;
        assert_eq!(refused, ["FORBIDDEN"], "{other}");
    }
    let confirmed = neighbour.does(CONFIRM, at(&given)).await["responsibility"].take();
    assert_eq!(
        (&confirmed["unasked"], &confirmed["status"]),
        (&json!(false), &json!("ACCEPTED"))
    );
    assert_eq!(confirmed["decidedByAccount"]["key"], "neighbour");
    assert_eq!(listed().await, json!([]));
    assert_eq!(
        neighbour.refused(CONFIRM, at(&confirmed)).await,
        ["CONFLICT"]
    );
}

#[tokio::test]
async fn an_empty_cell_ends_nothing_unless_the_column_is_complete() {
    let world = World::small().await;
    let (cx, lead) = (
        world.sign_in("cx-manager").await,
        world.sign_in("lead").await,
    );
    let mut input = json!({ "blueprint": { "key": "open" }, "csv": "key,consulted,responsible\nT2,,finance\n" });
    lead.does(SHEET, input.clone()).await;
    assert_eq!(
        held(&cx, "T2").await,
        [
            "ACCOUNTABLE sales ACCEPTED",
            "RESPONSIBLE sales ACCEPTED",
            "CONSULTED finance ACCEPTED",
            "RESPONSIBLE finance PROPOSED",
        ]
    );
    input["complete"] = json!(["CONSULTED"]);
    assert_eq!(lead.refused(SHEET, input.clone()).await, ["FORBIDDEN"]);
    cx.does(SHEET, input).await;
    assert_eq!(
        held(&cx, "T2").await,
        [
            "ACCOUNTABLE sales ACCEPTED",
            "RESPONSIBLE sales ACCEPTED",
            "RESPONSIBLE finance PROPOSED",
        ]
    );
}

#[tokio::test]
async fn the_owner_does_not_strip_another_department_by_archiving_a_published_step() {
    let world = World::small().await;
    let (lead, neighbour) = (
        world.sign_in("lead").await,
        world.sign_in("neighbour").await,
    );
    let cx = world.sign_in("cx-manager").await;
    // No KPI judges it, so that nothing else stands in the way.
    cx.does(
        IMPORT,
        document(&json!([holds("T4", "service", "ACCOUNTABLE")])),
    )
    .await;
    let there = step(&lead, "T4").await;
    let refused = lead.tries(ARCHIVE, at(&there)).await;
    assert_eq!(reasons(&refused), ["FORBIDDEN ACCOUNTABLE_ON_PUBLISHED"]);
    let pruning = json!({
        "document": { "format": "cx-blueprint/blueprint@1", "key": "open",
            "touchpoints": [{ "key": "T1" }, { "key": "T2" }, { "key": "T3" }, { "key": "T5" }] },
        "prune": true,
    });
    let refused = lead.tries(IMPORT, pruning).await;
    assert_eq!(reasons(&refused), ["FORBIDDEN ACCOUNTABLE_ON_PUBLISHED"]);
    let sheet =
        json!({ "blueprint": { "key": "open" }, "csv": "key\nT1\nT2\nT3\nT5\n", "prune": true });
    let refused = lead.tries(SHEET, sheet).await;
    assert_eq!(reasons(&refused), ["FORBIDDEN ACCOUNTABLE_ON_PUBLISHED"]);
    let ask = "query($id: ID!) { touchpointArchiveImpact(id: $id) { obstacles { reason } } }";
    let impact = lead.ask(ask, json!({ "id": there["id"] })).await;
    let obstacles = json!([{ "reason": "ACCOUNTABLE_ON_PUBLISHED" }]);
    assert_eq!(impact["touchpointArchiveImpact"]["obstacles"], obstacles);
    // The department itself has no business with the structure: a CX manager archives it.
    assert_eq!(neighbour.refused(ARCHIVE, at(&there)).await, ["FORBIDDEN"]);
    world
        .sign_in("cx-manager")
        .await
        .does(ARCHIVE, at(&there))
        .await;
}

#[tokio::test]
async fn what_was_suspended_resumes_in_its_old_place_and_after_a_month_is_proposed() {
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let before = held(&cx, "T3").await;
    let was = step(&cx, "T3").await;
    let gone = cx.does(ARCHIVE, at(&was)).await["touchpoint"].take();
    world.clock.advance(chrono::Duration::days(29));
    let cx = world.sign_in_anew("cx-manager").await;
    let back = cx.does(UNARCHIVE, at(&gone)).await["touchpoint"].take();
    assert_eq!(back["position"], was["position"]);
    assert_eq!(held(&cx, "T3").await, before);
    for row in rows(&cx, "T3").await {
        let was = (&row["resumes"]["status"], &row["resumes"]["reason"]);
        assert_eq!(was, (&json!("ENDED"), &json!("SUSPENDED")));
    }
    let gone = cx.does(ARCHIVE, at(&back)).await["touchpoint"].take();
    world.clock.advance(chrono::Duration::days(31));
    let cx = world.sign_in_anew("cx-manager").await;
    cx.does(UNARCHIVE, at(&gone)).await;
    let late: Vec<String> = before
        .iter()
        .map(|row| row.replace("ACCEPTED", "PROPOSED"))
        .collect();
    assert_eq!(held(&cx, "T3").await, late);
}

#[tokio::test]
async fn what_was_suspended_is_proposed_to_the_successor_of_an_archived_department() {
    let world = World::small().await;
    let (cx, admin) = (
        world.sign_in("cx-manager").await,
        world.sign_in("admin").await,
    );
    let keys = Keys::of(&admin, "open").await;
    let was = step(&cx, "T3").await;
    let gone = cx.does(ARCHIVE, at(&was)).await["touchpoint"].take();
    let archive = "mutation($input: DepartmentArchiveInput!) { departmentArchive(input: $input) { userErrors { message } } }";
    let away = json!({ "id": keys.departments["service"], "expectedVersion": 1, "successorId": keys.departments["finance"] });
    admin.does(archive, away).await;
    cx.does(UNARCHIVE, at(&gone)).await;
    assert_eq!(
        held(&cx, "T3").await,
        [
            "ACCOUNTABLE finance PROPOSED",
            "RESPONSIBLE courier ACCEPTED"
        ]
    );
}

#[tokio::test]
async fn a_step_that_an_import_brings_back_resumes_too() {
    let world = World::small().await;
    let (cx, lead) = (
        world.sign_in("cx-manager").await,
        world.sign_in("lead").await,
    );
    let before = held(&cx, "T3").await;
    let was = step(&cx, "T3").await;
    cx.does(ARCHIVE, at(&was)).await;
    let back = json!({ "document": { "format": "cx-blueprint/blueprint@1", "key": "open",
        "touchpoints": [{ "key": "T3", "name": "Is served", "phase": "goal", "lane": "FRONTSTAGE" }],
        "responsibilities": [{ "touchpoint": "T3", "department": "finance", "role": "ACCOUNTABLE", "status": "ACCEPTED" }] } });
    lead.does(IMPORT, back).await;
    let mut now = held(&cx, "T3").await;
    let proposal = now.pop();
    assert_eq!(now, before);
    assert_eq!(proposal.as_deref(), Some("ACCOUNTABLE finance PROPOSED"));
}

#[tokio::test]
async fn the_person_is_one_of_the_departments_own_and_can_ask_what_they_are_named_for() {
    let world = World::small().await;
    let (lead, contributor) = (
        world.sign_in("lead").await,
        world.sign_in("contributor").await,
    );
    let people = lead
        .ask("{ accounts(first: 50) { nodes { id key } } }", json!({}))
        .await;
    let id = |key: &str| {
        let nodes = people["accounts"]["nodes"].as_array().expect("nodes");
        nodes
            .iter()
            .find(|node| node["key"] == key)
            .expect("an account")["id"]
            .clone()
    };
    let row = one(&lead, "T2", "sales", "RESPONSIBLE").await;
    let update =
        "mutation($input: ResponsibilityUpdateInput!) { responsibilityUpdate(input: $input) {
        responsibility { id version person { key } } userErrors { field message code reason } } }";
    let mut input = at(&row);
    for stranger in ["neighbour", "stranger", "cx-manager"] {
        input["personId"] = id(stranger);
        let refused = lead.tries(update, input.clone()).await;
        assert_eq!(reasons(&refused), ["INVALID NOT_OWN_PEOPLE"], "{stranger}");
    }
    let said = json!([{ "touchpoint": "T2", "department": "sales", "role": "RESPONSIBLE", "person": "neighbour" }]);
    let refused = lead.tries(IMPORT, document(&said)).await;
    assert_eq!(faults(&refused), ["responsibilities.0.person INVALID"]);
    let mut offer = Keys::of(&lead, "open")
        .await
        .offer("T5", "finance", "INFORMED");
    offer["personId"] = id("contributor");
    assert_eq!(lead.refused(PROPOSE, offer).await, ["INVALID"]);
    for own in ["chair", "contributor"] {
        input["personId"] = id(own);
        let done = lead.does(update, input.clone()).await["responsibility"].take();
        input["expectedVersion"] = done["version"].clone();
    }
    let named = "{ viewer { responsibilities(first: 10) { nodes { id } } } }";
    let mine = contributor.ask(named, json!({})).await;
    assert_eq!(
        mine["viewer"]["responsibilities"]["nodes"],
        json!([{ "id": row["id"] }])
    );
    let filtered =
        "query($id: ID!) { responsibilities(filter: { personId: $id }) { nodes { id } } }";
    let theirs = lead.ask(filtered, json!({ "id": id("contributor") })).await;
    assert_eq!(
        theirs["responsibilities"]["nodes"],
        json!([{ "id": row["id"] }])
    );
}

#[tokio::test]
async fn a_lead_ends_what_was_given_and_a_department_that_does_not_exist_is_no_name() {
    let world = World::small().await;
    let (cx, neighbour) = (
        world.sign_in("cx-manager").await,
        world.sign_in("neighbour").await,
    );
    cx.does(
        IMPORT,
        document(&json!([holds("T1", "service", "INFORMED")])),
    )
    .await;
    let given = one(&cx, "T1", "service", "INFORMED").await;
    neighbour.does(END, at(&given)).await;
    let mut offer = Keys::of(&cx, "open")
        .await
        .offer("T1", "service", "INFORMED");
    offer["onBehalfOf"] = json!("dep_01980000000070008000000000000000");
    assert_eq!(cx.refused(PROPOSE, offer).await, ["NOT_FOUND"]);
}
