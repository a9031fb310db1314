//! Many accounts over a random tree of departments take on, hand over, archive, import and merge, in any order: the
//! program and a model of the handshake agree after every act. `HANDSHAKE_CASES` says how many histories are tried.

mod model;

use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::select,
    strategy::Union,
    test_runner::Config,
};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use self::model::{Account, Act, Model, Role, Status};
use crate::{
    handshake::{ACCEPT, END, PROPOSE},
    world::{PASSWORD, World},
};

const DEPARTMENTS: usize = 6;
const STEPS: usize = 2;
const LEADS: usize = 6;

const DECLINE: &str = "mutation($input: ResponsibilityDeclineInput!) { responsibilityDecline(input: $input) { userErrors { code reason message } } }";
const WITHDRAW: &str = "mutation($input: AtVersionInput!) { responsibilityWithdraw(input: $input) { userErrors { code reason message } } }";
const CONFIRM: &str = "mutation($input: AtVersionInput!) { responsibilityConfirm(input: $input) { userErrors { code reason message } } }";
const ARCHIVE: &str = "mutation($input: AtVersionInput!) { touchpointArchive(input: $input) { userErrors { code reason message } } }";
const UNARCHIVE: &str = "mutation($input: AtVersionInput!) { touchpointUnarchive(input: $input) { userErrors { code reason message } } }";
const IMPORT: &str = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) { userErrors { field code reason message } } }";
const SHEET: &str = "mutation($input: BlueprintSheetImportInput!) { blueprintSheetImport(input: $input) { userErrors { field code reason message } } }";
const PHASE_AWAY: &str = "mutation($input: AtVersionInput!) { phaseArchive(input: $input) { userErrors { code reason message } } }";
const PHASE_BACK: &str = "mutation($input: AtVersionInput!) { phaseUnarchive(input: $input) { userErrors { code reason message } } }";
const RESTORE: &str = "mutation($input: BlueprintRestoreInput!) { blueprintRestore(input: $input) { userErrors { code reason message } } }";
const MERGE: &str = "mutation($input: DepartmentMergeInput!) { departmentMerge(input: $input) { userErrors { code reason message } } }";

/// The model, as what is tried is drawn from it.
struct Reference;

fn role() -> impl Strategy<Value = Role> {
    select(vec![
        Role::Accountable,
        Role::Accountable,
        Role::Responsible,
    ])
}

impl ReferenceStateMachine for Reference {
    type State = Model;
    type Transition = Act;

    fn init_state() -> BoxedStrategy<Model> {
        let parents = vec(
            option::weighted(0.7, any::<prop::sample::Index>()),
            DEPARTMENTS,
        );
        let seats = vec(btree_set(0..DEPARTMENTS, 1..=2), LEADS);
        let of_cx_manager = option::of(0..DEPARTMENTS);
        let holders = vec(option::weighted(0.6, 0..DEPARTMENTS), STEPS);
        (parents, seats, of_cx_manager, 0..DEPARTMENTS, holders)
            .prop_map(|(parents, seats, of_cx_manager, owner, holders)| {
                let parents = parents
                    .into_iter()
                    .enumerate()
                    .map(|(at, parent)| parent.filter(|_| at > 0).map(|parent| parent.index(at)));
                let parents: Vec<Option<usize>> = parents.collect();
                let cx_manager = |leads| Account {
                    cx_manager: true,
                    leads,
                };
                let mut accounts = vec![
                    cx_manager(BTreeSet::new()),
                    cx_manager(of_cx_manager.into_iter().collect()),
                ];
                accounts.extend(seats.into_iter().map(|leads| Account {
                    cx_manager: false,
                    leads,
                }));
                Model::new(&parents, accounts, owner, STEPS).held_by(&holders)
            })
            .boxed()
    }

    fn transitions(state: &Model) -> BoxedStrategy<Act> {
        let who = || 0..state.accounts.len();
        let (dept, at, row) = (|| 0..DEPARTMENTS, || 0..STEPS, || 0..20_usize);
        let answer = |make: fn(usize, usize) -> Act| {
            (who(), row())
                .prop_map(move |(who, row)| make(who, row))
                .boxed()
        };
        // Most of what people try is allowed: of those who may, somebody.
        let answerable = match state.answerable() {
            none if none.is_empty() => vec![(0, 0)],
            some => some,
        };
        let shapers = state.shapers();
        Union::new_weighted(vec![
            (
                8,
                select(answerable)
                    .prop_map(|(who, row)| Act::Accept { who, row })
                    .boxed(),
            ),
            (
                2,
                (select(shapers.clone()), at())
                    .prop_map(|(who, at)| Act::Archive { who, at })
                    .boxed(),
            ),
            (
                4,
                (select(shapers), at())
                    .prop_map(|(who, at)| Act::Unarchive { who, at })
                    .boxed(),
            ),
            (
                8,
                (who(), option::of(dept()), dept(), role(), at())
                    .prop_map(|(who, name, to, role, at)| Act::Propose {
                        who,
                        name,
                        to,
                        role,
                        at,
                    })
                    .boxed(),
            ),
            (6, answer(|who, row| Act::Accept { who, row })),
            (1, answer(|who, row| Act::Decline { who, row })),
            (1, answer(|who, row| Act::Withdraw { who, row })),
            (1, answer(|who, row| Act::End { who, row })),
            (1, answer(|who, row| Act::Confirm { who, row })),
            (
                2,
                (who(), at())
                    .prop_map(|(who, at)| Act::Archive { who, at })
                    .boxed(),
            ),
            (
                3,
                (who(), at())
                    .prop_map(|(who, at)| Act::Unarchive { who, at })
                    .boxed(),
            ),
            (
                3,
                (who(), at(), dept(), role(), any::<bool>(), any::<bool>())
                    .prop_map(|(who, at, to, role, accepted, back)| Act::Import {
                        who,
                        at,
                        to,
                        role,
                        accepted,
                        back,
                    })
                    .boxed(),
            ),
            (
                2,
                (who(), at(), dept(), role(), any::<bool>(), any::<bool>())
                    .prop_map(|(who, at, to, role, accepted, complete)| Act::Sheet {
                        who,
                        at,
                        to,
                        role,
                        accepted,
                        complete,
                    })
                    .boxed(),
            ),
            (
                1,
                (who(), at(), any::<bool>())
                    .prop_map(|(who, at, sheet)| Act::Prune { who, at, sheet })
                    .boxed(),
            ),
            (
                1,
                (dept(), dept())
                    .prop_map(|(from, into)| Act::Merge { from, into })
                    .boxed(),
            ),
            (
                1,
                (who(), any::<bool>())
                    .prop_map(|(who, away)| Act::Phase { who, away })
                    .boxed(),
            ),
            (1, who().prop_map(|who| Act::Restore { who }).boxed()),
            (
                1,
                select(vec![14, 31])
                    .prop_map(|days| Act::Wait { days })
                    .boxed(),
            ),
        ])
        .boxed()
    }

    fn apply(state: Model, act: &Act) -> Model {
        state.after(act)
    }
}

/// The program, with what is known of it.
struct Program {
    runtime: Runtime,
    world: World,
    tokens: BTreeMap<String, String>,
    departments: Vec<Value>,
    steps: Vec<Value>,
    phase: Value,
    /// What was open before the act, in the model's order, and whose turn it was.
    open: Vec<Value>,
}

fn login(who: usize) -> String {
    format!("account-{who}")
}

/// A touchpoint as a document names it.
fn step(at: usize) -> Value {
    json!({ "key": format!("S{at}"), "name": format!("Step {at}"), "phase": "all", "lane": "FRONTSTAGE" })
}

fn organisation(model: &Model) -> String {
    let departments = model
        .departments
        .iter()
        .enumerate()
        .map(|(at, department)| {
            json!({ "key": format!("d{at}"), "name": format!("Department {at}"), "kind": "INTERNAL",
            "parent": department.parent.map(|parent| format!("d{parent}")) })
        });
    let people = model.accounts.iter().enumerate().map(|(who, account)| {
        let leads = account.leads.iter();
        let leads = leads.map(|dept| json!({ "department": format!("d{dept}"), "role": "LEAD" }));
        json!({ "key": login(who), "name": login(who), "memberships": leads.collect::<Vec<_>>(),
            "role": if account.cx_manager { "CX_MANAGER" } else { "MEMBER" } })
    });
    let others = [("admin", "ADMIN"), ("auditor", "AUDITOR")];
    let others = others.map(|(key, role)| json!({ "key": key, "name": key, "role": role }));
    let steps = (0..STEPS).map(step);
    let held = model.rows.iter().map(|row| {
        json!({ "touchpoint": format!("S{}", row.at), "department": format!("d{}", row.dept),
            "role": word(row.role), "status": "ACCEPTED" })
    });
    let blueprint = json!({
        "format": "cx-blueprint/blueprint@1", "key": "way", "title": "A way", "subject": "CUSTOMER", "state": "CURRENT",
        "ownerDepartment": format!("d{}", model.owner), "persona": "somebody", "visibility": "ORGANISATION",
        "phases": [{ "key": "all", "name": "All of it", "stage": "GOAL" }], "touchpoints": steps.collect::<Vec<_>>(),
    });
    json!({
        "format": "cx-blueprint/demonstration@1",
        "people": people.chain(others).collect::<Vec<_>>(),
        "organisation": {
            "format": "cx-blueprint/organisation@1",
            "departments": departments.collect::<Vec<_>>(),
            "personas": [{ "key": "somebody", "name": "Somebody", "subject": "CUSTOMER", "needs": [] }],
            "blueprints": [{ "status": "PUBLISHED", "document": blueprint, "responsibilities": held.collect::<Vec<_>>() }],
        },
    })
    .to_string()
}

impl Program {
    fn new(model: &Model) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let world = runtime.block_on(async {
            let world = World::new().await;
            world
                .load(&organisation(model))
                .await
                .expect("the organisation loads");
            world
        });
        let mut program = Self {
            runtime,
            world,
            tokens: BTreeMap::new(),
            departments: Vec::new(),
            steps: Vec::new(),
            phase: Value::Null,
            open: Vec::new(),
        };
        let ask = "{ departments(first: 50) { nodes { id key } }
            blueprint(by: { key: \"way\" }) { phases { id touchpoints { id key } } } }";
        let found = program.ask("auditor", ask, json!({}));
        let mut departments = found["departments"]["nodes"]
            .as_array()
            .expect("nodes")
            .clone();
        departments.sort_by_key(|node| node["key"].to_string());
        program.departments = departments
            .into_iter()
            .map(|node| node["id"].clone())
            .collect();
        program.phase = found["blueprint"]["phases"][0]["id"].clone();
        let steps = found["blueprint"]["phases"][0]["touchpoints"].as_array();
        program.steps = steps
            .expect("steps")
            .iter()
            .map(|step| step["id"].clone())
            .collect();
        program.open = program.look();
        program
    }

    fn ask(&mut self, login: &str, document: &str, variables: Value) -> Value {
        let (world, tokens) = (&self.world, &mut self.tokens);
        let answer = self.runtime.block_on(async {
            if !tokens.contains_key(login) {
                let body = json!({ "login": login, "password": PASSWORD });
                let (_, answer) = world.post("/auth/login", None, &body).await;
                let token = answer["accessToken"].as_str().expect("a token").to_owned();
                tokens.insert(login.to_owned(), token);
            }
            let body = json!({ "query": document, "variables": variables });
            world
                .post("/graphql", tokens.get(login).map(String::as_str), &body)
                .await
                .1
        });
        assert!(
            answer.get("errors").is_none(),
            "{login} asked {document}: {answer}"
        );
        answer["data"].clone()
    }

    /// The user errors of a mutation.
    fn does(&mut self, login: &str, document: &str, input: Value) -> Value {
        let data = self.ask(login, document, json!({ "input": input }));
        let payload = data.as_object().and_then(|data| data.values().next());
        payload.expect("one root field")["userErrors"].clone()
    }

    fn look(&mut self) -> Vec<Value> {
        let ask =
            "{ responsibilities(first: 100) { nodes { id version status role unasked handedOverAt
            department { key } touchpoint { key } awaits { departments { key } } } } }";
        let found = self.ask("auditor", ask, json!({}));
        let mut open = found["responsibilities"]["nodes"]
            .as_array()
            .expect("nodes")
            .clone();
        open.sort_by_key(|row| {
            (
                row["touchpoint"]["key"].to_string(),
                row["department"]["key"].to_string(),
                row["role"].to_string(),
            )
        });
        open
    }

    fn at(&mut self, step: usize) -> Value {
        let ask = "query($id: ID!) { touchpoint(by: { id: $id }) { id version } }";
        let found = self.ask("auditor", ask, json!({ "id": self.steps[step] }));
        json!({ "id": found["touchpoint"]["id"], "expectedVersion": found["touchpoint"]["version"] })
    }

    fn department(&mut self, dept: usize) -> Value {
        let ask = "query($id: ID!) { department(by: { id: $id }) { id version } }";
        let found = self.ask("auditor", ask, json!({ "id": self.departments[dept] }));
        json!({ "id": found["department"]["id"], "expectedVersion": found["department"]["version"] })
    }

    /// An answer to what is open; nothing open counts as refused.
    fn answer(&mut self, who: usize, row: usize, document: &str) -> Value {
        if self.open.is_empty() {
            return json!(["nothing is open"]);
        }
        let row = &self.open[row % self.open.len()];
        let input = json!({ "id": row["id"], "expectedVersion": row["version"] });
        self.does(&login(who), document, input)
    }

    fn act(&mut self, act: &Act) -> Value {
        match *act {
            Act::Propose {
                who,
                name,
                to,
                role,
                at,
            } => {
                let mut input = json!({ "touchpointId": self.steps[at], "departmentId": self.departments[to], "role": word(role) });
                if let Some(name) = name {
                    input["onBehalfOf"] = self.departments[name].clone();
                }
                self.does(&login(who), PROPOSE, input)
            }
            Act::Accept { who, row } => self.answer(who, row, ACCEPT),
            Act::Decline { who, row } => self.answer(who, row, DECLINE),
            Act::Withdraw { who, row } => self.answer(who, row, WITHDRAW),
            Act::End { who, row } => self.answer(who, row, END),
            Act::Confirm { who, row } => self.answer(who, row, CONFIRM),
            Act::Archive { who, at } => {
                let input = self.at(at);
                self.does(&login(who), ARCHIVE, input)
            }
            Act::Unarchive { who, at } => {
                let input = self.at(at);
                self.does(&login(who), UNARCHIVE, input)
            }
            Act::Import {
                who,
                at,
                to,
                role,
                accepted,
                back,
            } => {
                let mut named = json!({ "touchpoint": format!("S{at}"), "department": format!("d{to}"), "role": word(role) });
                if accepted {
                    named["status"] = json!("ACCEPTED");
                }
                let mut document = json!({ "format": "cx-blueprint/blueprint@1", "key": "way", "responsibilities": [named] });
                if back {
                    document["touchpoints"] = json!([step(at)]);
                }
                self.does(&login(who), IMPORT, json!({ "document": document }))
            }
            Act::Sheet {
                who,
                at,
                to,
                role,
                accepted,
                complete,
            } => {
                let column = word(role).to_lowercase();
                let mark = if accepted { "!" } else { "" };
                let mut input = json!({ "blueprint": { "key": "way" }, "csv": format!("key,name,phase,lane,{column}\nS{at},Step {at},all,FRONTSTAGE,d{to}{mark}\n") });
                if complete {
                    input["complete"] = json!([word(role)]);
                }
                self.does(&login(who), SHEET, input)
            }
            Act::Prune { who, at, sheet } => {
                let stay: Vec<usize> = (0..STEPS).filter(|other| *other != at).collect();
                if sheet {
                    let lines = stay
                        .iter()
                        .map(|at| format!("S{at},Step {at},all,FRONTSTAGE\n"));
                    let csv = format!("key,name,phase,lane\n{}", lines.collect::<String>());
                    let input = json!({ "blueprint": { "key": "way" }, "csv": csv, "prune": true });
                    return self.does(&login(who), SHEET, input);
                }
                let stay: Vec<Value> = stay.into_iter().map(step).collect();
                let document = json!({ "format": "cx-blueprint/blueprint@1", "key": "way", "touchpoints": stay });
                self.does(
                    &login(who),
                    IMPORT,
                    json!({ "document": document, "prune": true }),
                )
            }
            Act::Merge { from, into } => {
                let from = self.department(from);
                let input = json!({ "departments": [from], "successorId": self.departments[into] });
                self.does("admin", MERGE, input)
            }
            Act::Phase { who, away } => {
                let ask = "query($id: ID!) { phase(by: { id: $id }) { id version } }";
                let found = self.ask("auditor", ask, json!({ "id": self.phase }));
                let input =
                    json!({ "id": self.phase, "expectedVersion": found["phase"]["version"] });
                self.does(
                    &login(who),
                    if away { PHASE_AWAY } else { PHASE_BACK },
                    input,
                )
            }
            Act::Restore { who } => {
                let ask = "{ blueprint(by: { key: \"way\" }) { id version } }";
                let found = self.ask("auditor", ask, json!({}))["blueprint"].take();
                let ask =
                    "query($id: ID!) { publications(blueprintId: $id, first: 1) { nodes { id } } }";
                let first = self.ask("auditor", ask, json!({ "id": found["id"] }));
                let first = &first["publications"]["nodes"][0]["id"];
                let input = json!({ "id": found["id"], "expectedVersion": found["version"], "publicationId": first });
                self.does(&login(who), RESTORE, input)
            }
            Act::Wait { days } => {
                self.world.clock.advance(chrono::Duration::days(days));
                self.tokens.clear();
                json!([])
            }
        }
    }
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Accountable => "ACCOUNTABLE",
        Role::Responsible => "RESPONSIBLE",
    }
}

fn actor(act: &Act) -> Option<usize> {
    match *act {
        Act::Propose { who, .. }
        | Act::Accept { who, .. }
        | Act::Decline { who, .. }
        | Act::Withdraw { who, .. }
        | Act::End { who, .. }
        | Act::Confirm { who, .. }
        | Act::Archive { who, .. }
        | Act::Unarchive { who, .. }
        | Act::Import { who, .. }
        | Act::Sheet { who, .. }
        | Act::Prune { who, .. }
        | Act::Phase { who, .. }
        | Act::Restore { who } => Some(who),
        Act::Merge { .. } | Act::Wait { .. } => None,
    }
}

/// What is open, as the model and the program both tell it.
fn told(model: &Model, row: usize) -> String {
    let row = &model.rows[row];
    let status = match row.status {
        Status::Accepted => "ACCEPTED",
        _ => "PROPOSED",
    };
    format!(
        "S{} d{} {} {status} unasked {} handed {}",
        row.at,
        row.dept,
        word(row.role),
        row.unasked,
        row.handed
    )
}

struct Handshake;

impl StateMachineTest for Handshake {
    type SystemUnderTest = Program;
    type Reference = Reference;

    fn init_test(model: &Model) -> Program {
        Program::new(model)
    }

    fn apply(mut program: Program, model: &Model, act: Act) -> Program {
        let errors = program.act(&act);
        assert_eq!(errors == json!([]), model.done, "{act:?} answered {errors}");
        program.open = program.look();
        let there = program.open.iter().map(|row| {
            let part = |value: &Value| value.as_str().expect("a text").to_owned();
            format!(
                "{} {} {} {} unasked {} handed {}",
                part(&row["touchpoint"]["key"]),
                part(&row["department"]["key"]),
                part(&row["role"]),
                part(&row["status"]),
                row["unasked"],
                // Of what is accepted it is history.
                !row["handedOverAt"].is_null()
            )
        });
        let wanted: Vec<String> = model
            .open()
            .into_iter()
            .map(|row| told(model, row))
            .collect();
        assert_eq!(there.collect::<Vec<_>>(), wanted, "after {act:?}");
        if let Some(who) = actor(&act) {
            let ask = "{ viewer { awaitingAnswer(first: 100) { nodes { id } } } }";
            let found = program.ask(&login(who), ask, json!({}));
            let nodes = found["viewer"]["awaitingAnswer"]["nodes"]
                .as_array()
                .expect("nodes");
            let listed: BTreeSet<String> =
                nodes.iter().map(|node| node["id"].to_string()).collect();
            let open = model.open();
            let waits = model.waits_for(who).into_iter().map(|row| {
                let at = open
                    .iter()
                    .position(|open| *open == row)
                    .expect("it is open");
                program.open[at]["id"].to_string()
            });
            assert_eq!(
                listed,
                waits.collect(),
                "what waits for {who} after {act:?}"
            );
        }
        program
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to try is said in the environment"
)]
fn cases() -> u32 {
    let said = std::env::var("HANDSHAKE_CASES").ok();
    said.and_then(|said| said.parse().ok()).unwrap_or(12)
}

prop_state_machine! {
    #![proptest_config(Config { cases: cases(), max_shrink_iters: 100, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_program_and_the_model_agree_after_every_act(sequential 5..30 => Handshake);
}
