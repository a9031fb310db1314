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

use self::model::{Account, Act, Answer, Deed, Model, Naming, Role, Status};
use crate::{
    handshake::{ACCEPT, END, PROPOSE},
    world::{PASSWORD, World, said},
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

fn accept(row: usize) -> Deed {
    Deed::Answer(Answer::Accept, row)
}

/// What can be tried, and how often it is.
fn deeds() -> Vec<(u32, BoxedStrategy<Deed>)> {
    let (dept, at) = (0..DEPARTMENTS, 0..STEPS);
    let named = (dept.clone(), role(), at.clone());
    let named = named
        .prop_map(|(to, role, at)| Naming { to, role, at })
        .boxed();
    let yes = any::<bool>();
    let answer = select(vec![
        Answer::Accept,
        Answer::Accept,
        Answer::Accept,
        Answer::Decline,
        Answer::Withdraw,
        Answer::End,
        Answer::Confirm,
    ]);
    let propose = (named.clone(), option::of(dept.clone()));
    let import = (named.clone(), any::<bool>(), any::<bool>());
    vec![
        (
            8,
            propose
                .prop_map(|(named, name)| Deed::Propose(named, name))
                .boxed(),
        ),
        (
            8,
            (answer, 0..20_usize)
                .prop_map(|(answer, row)| Deed::Answer(answer, row))
                .boxed(),
        ),
        (2, at.clone().prop_map(Deed::Archive).boxed()),
        (2, at.clone().prop_map(Deed::Unarchive).boxed()),
        (
            3,
            import
                .clone()
                .prop_map(|(named, accepted, back)| Deed::Import {
                    named,
                    accepted,
                    back,
                })
                .boxed(),
        ),
        (
            2,
            import
                .prop_map(|(named, accepted, complete)| Deed::Sheet {
                    named,
                    accepted,
                    complete,
                })
                .boxed(),
        ),
        (
            1,
            (at, yes)
                .prop_map(|(at, sheet)| Deed::Prune { at, sheet })
                .boxed(),
        ),
        (
            1,
            (dept.clone(), dept)
                .prop_map(|(from, into)| Deed::Merge { from, into })
                .boxed(),
        ),
        (1, yes.prop_map(|away| Deed::Phase { away }).boxed()),
        (1, Just(Deed::Restore).boxed()),
        (1, select(vec![14, 31]).prop_map(Deed::Wait).boxed()),
    ]
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
        let who = 0..state.accounts.len();
        let anybody = deeds().into_iter().map(|(weight, what)| {
            let act = (who.clone(), what).prop_map(|(who, what)| Act { who, what });
            (weight, act.boxed())
        });
        // What anybody tries is mostly refused. Most of what people try is allowed, and comes in pairs.
        let aimed = [
            (10, state.answerable(), accept as fn(usize) -> Deed),
            (4, state.archivable(), Deed::Archive),
            (8, state.resumable(), Deed::Unarchive),
        ];
        let aimed = aimed.into_iter().filter(|(_, may, _)| !may.is_empty());
        let aimed = aimed.map(|(weight, may, deed)| {
            let act = select(may).prop_map(move |(who, at)| Act {
                who,
                what: deed(at),
            });
            (weight, act.boxed())
        });
        Union::new_weighted(anybody.chain(aimed).collect()).boxed()
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
    fn answer(&mut self, login: &str, answer: Answer, row: usize) -> Value {
        if self.open.is_empty() {
            return json!(["nothing is open"]);
        }
        let document = match answer {
            Answer::Accept => ACCEPT,
            Answer::Decline => DECLINE,
            Answer::Withdraw => WITHDRAW,
            Answer::End => END,
            Answer::Confirm => CONFIRM,
        };
        let row = &self.open[row % self.open.len()];
        let input = json!({ "id": row["id"], "expectedVersion": row["version"] });
        self.does(login, document, input)
    }

    fn act(&mut self, act: &Act) -> Value {
        let login = login(act.who);
        match act.what {
            Deed::Propose(Naming { to, role, at }, name) => {
                let mut input = json!({ "touchpointId": self.steps[at], "departmentId": self.departments[to], "role": word(role) });
                if let Some(name) = name {
                    input["onBehalfOf"] = self.departments[name].clone();
                }
                self.does(&login, PROPOSE, input)
            }
            Deed::Answer(answer, row) => self.answer(&login, answer, row),
            Deed::Archive(at) => {
                let input = self.at(at);
                self.does(&login, ARCHIVE, input)
            }
            Deed::Unarchive(at) => {
                let input = self.at(at);
                self.does(&login, UNARCHIVE, input)
            }
            Deed::Import {
                named: Naming { to, role, at },
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
                self.does(&login, IMPORT, json!({ "document": document }))
            }
            Deed::Sheet {
                named: Naming { to, role, at },
                accepted,
                complete,
            } => {
                let column = word(role).to_lowercase();
                let mark = if accepted { "!" } else { "" };
                let mut input = json!({ "blueprint": { "key": "way" }, "csv": format!("key,name,phase,lane,{column}\nS{at},Step {at},all,FRONTSTAGE,d{to}{mark}\n") });
                if complete {
                    input["complete"] = json!([word(role)]);
                }
                self.does(&login, SHEET, input)
            }
            Deed::Prune { at, sheet } => self.prune(&login, at, sheet),
            Deed::Merge { from, into } => {
                let from = self.department(from);
                let input = json!({ "departments": [from], "successorId": self.departments[into] });
                self.does("admin", MERGE, input)
            }
            Deed::Phase { away } => {
                let ask = "query($id: ID!) { phase(by: { id: $id }) { id version } }";
                let found = self.ask("auditor", ask, json!({ "id": self.phase }));
                let input =
                    json!({ "id": self.phase, "expectedVersion": found["phase"]["version"] });
                self.does(&login, if away { PHASE_AWAY } else { PHASE_BACK }, input)
            }
            Deed::Restore => self.restore(&login),
            Deed::Wait(days) => {
                self.world.clock.advance(chrono::Duration::days(days));
                self.tokens.clear();
                json!([])
            }
        }
    }

    /// What somebody may answer after an act is what they are shown.
    fn check_waiting(&mut self, model: &Model, act: &Act) {
        let ask = "{ viewer { awaitingAnswer(first: 100) { nodes { id } } } }";
        let found = self.ask(&login(act.who), ask, json!({}));
        let nodes = found["viewer"]["awaitingAnswer"]["nodes"].as_array();
        let nodes = nodes.expect("nodes").iter();
        let listed: BTreeSet<String> = nodes.map(|node| node["id"].to_string()).collect();
        let open = model.open();
        let place = |row| open.iter().position(|open| *open == row);
        let waits = model.waits_for(act.who).into_iter();
        let waits = waits.map(|row| self.open[place(row).expect("it is open")]["id"].to_string());
        assert_eq!(
            listed,
            waits.collect(),
            "what waits for {} after {act:?}",
            act.who
        );
    }

    fn prune(&mut self, login: &str, at: usize, sheet: bool) -> Value {
        let stay = (0..STEPS).filter(|other| *other != at);
        if sheet {
            let lines = stay.map(|at| format!("S{at},Step {at},all,FRONTSTAGE\n"));
            let csv = format!("key,name,phase,lane\n{}", lines.collect::<String>());
            let input = json!({ "blueprint": { "key": "way" }, "csv": csv, "prune": true });
            return self.does(login, SHEET, input);
        }
        let stay: Vec<Value> = stay.map(step).collect();
        let document =
            json!({ "format": "cx-blueprint/blueprint@1", "key": "way", "touchpoints": stay });
        self.does(
            login,
            IMPORT,
            json!({ "document": document, "prune": true }),
        )
    }

    fn restore(&mut self, login: &str) -> Value {
        let ask = "{ blueprint(by: { key: \"way\" }) { id version } }";
        let found = self.ask("auditor", ask, json!({}))["blueprint"].take();
        let ask = "query($id: ID!) { publications(blueprintId: $id, first: 1) { nodes { id } } }";
        let first = self.ask("auditor", ask, json!({ "id": found["id"] }));
        let first = &first["publications"]["nodes"][0]["id"];
        let input = json!({ "id": found["id"], "expectedVersion": found["version"], "publicationId": first });
        self.does(login, RESTORE, input)
    }
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Accountable => "ACCOUNTABLE",
        Role::Responsible => "RESPONSIBLE",
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
        program.check_waiting(model, &act);
        program
    }
}

fn cases() -> u32 {
    said("HANDSHAKE_CASES").unwrap_or(12)
}

prop_state_machine! {
    #![proptest_config(Config { cases: cases(), max_shrink_iters: 100, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_program_and_the_model_agree_after_every_act(sequential 5..30 => Handshake);
}
