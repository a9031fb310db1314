//! decide ⇔ scope: over organisations made at random, a row is in the filtered SELECT exactly when the policy allows
//! it, and when a third reading of the access table, written here without either, says so.

mod store;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use chrono::NaiveDate;
use cx_blueprint::{
    access::{self, Caller},
    id,
    policy::{Action, Relation, RowTies},
};
use entity::{
    account, blueprint, department,
    id::{
        AccountId, BlueprintId, DepartmentId, KpiId, PersonaId, PhaseId, SessionId, TouchpointId,
    },
    json::{EvidenceList, Texts, TokenScopes},
    kpi, kpi_grant, measurement, membership, persona, phase, responsibility, service_token,
    service_token_department, session, touchpoint,
    words::{
        AcrossParts, Aggregation, Basis, BlueprintState, BlueprintStatus, Cadence, DepartmentKind,
        DepartmentRole, Direction, KpiScope, KpiType, Lane, OrganisationRole, ResponsibilityStatus,
        Role, Sensitivity, Stage, Subject, TokenScope, Unit, Usage, Visibility,
    },
};
use proptest::{
    collection::{btree_set, vec},
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use sea_orm::{EntityTrait, Set};

use self::store::store;
use crate::world::World;

const DEPARTMENTS: usize = 6;

/// A blueprint: its status, what it was archived from, its visibility, its owner, and who holds or is offered what.
#[derive(Clone, Debug)]
struct Drawn {
    status: BlueprintStatus,
    archived_from: Option<BlueprintStatus>,
    visibility: Visibility,
    owner: usize,
    held: Vec<(usize, ResponsibilityStatus)>,
}

/// A KPI: its owner, its sensitivity, whether every analyst has a grant.
#[derive(Clone, Debug)]
struct Measured {
    owner: usize,
    sensitivity: Sensitivity,
    granted: bool,
}

/// Somebody: a role in the organisation and roles in departments, and a service token that stands for them.
#[derive(Clone, Debug)]
struct Somebody {
    role: OrganisationRole,
    memberships: Vec<(usize, DepartmentRole)>,
    token: Narrow,
}

/// What a service token is for, and the departments that it is limited to; with none of them it is not limited.
#[derive(Clone, Debug)]
struct Narrow {
    scopes: BTreeSet<TokenScope>,
    limits: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
struct Organisation {
    /// The parent of each department, further up the list, and whether it is a partner.
    departments: Vec<(Option<usize>, bool)>,
    blueprints: Vec<Drawn>,
    kpis: Vec<Measured>,
    people: Vec<Somebody>,
}

fn of<T: Copy + std::fmt::Debug + 'static>(words: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(words)
}

/// Every status, the one that splits in three more often.
const STATUSES: &[BlueprintStatus] = &[
    BlueprintStatus::Draft,
    BlueprintStatus::InReview,
    BlueprintStatus::Published,
    BlueprintStatus::Archived,
    BlueprintStatus::Archived,
    BlueprintStatus::Archived,
];

/// Every status of a handshake, the two that tie more often.
const HANDSHAKES: &[ResponsibilityStatus] = &[
    ResponsibilityStatus::Proposed,
    ResponsibilityStatus::Proposed,
    ResponsibilityStatus::Accepted,
    ResponsibilityStatus::Accepted,
    ResponsibilityStatus::Declined,
    ResponsibilityStatus::Ended,
];

prop_compose! {
    fn drawn()(
        status in of(STATUSES),
        from in of(&[BlueprintStatus::Draft, BlueprintStatus::InReview, BlueprintStatus::Published]),
        visibility in of(Visibility::ALL),
        owner in 0..DEPARTMENTS,
        held in vec((0..DEPARTMENTS, of(HANDSHAKES)), 0..=3),
    ) -> Drawn {
        let archived_from = (status == BlueprintStatus::Archived).then_some(from);
        Drawn { status, archived_from, visibility, owner, held }
    }
}

prop_compose! {
    fn somebody()(
        role in of(OrganisationRole::ALL),
        memberships in vec((0..DEPARTMENTS, of(DepartmentRole::ALL)), 0..=3),
        scopes in btree_set(of(TokenScope::ALL), 1..=2),
        limits in btree_set(0..DEPARTMENTS, 0..=2),
    ) -> Somebody {
        let none = matches!(role, OrganisationRole::Analyst | OrganisationRole::Auditor);
        let mut memberships = if none { Vec::new() } else { memberships };
        memberships.sort_by_key(|(department, _)| *department);
        memberships.dedup_by_key(|(department, _)| *department);
        Somebody { role, memberships, token: Narrow { scopes, limits } }
    }
}

prop_compose! {
    fn organisation()(
        parents in vec((any::<proptest::sample::Index>(), any::<bool>(), prop::bool::weighted(0.4)), DEPARTMENTS),
        blueprints in vec(drawn(), 24),
        kpis in vec((0..DEPARTMENTS, of(Sensitivity::ALL), any::<bool>()), 5),
        people in vec(somebody(), 24),
    ) -> Organisation {
        let departments = parents.iter().enumerate().map(|(at, (parent, rooted, partner))| {
            ((at > 0 && !rooted).then(|| parent.index(at.max(1))), *partner)
        });
        let kpis = kpis.into_iter().map(|(owner, sensitivity, granted)| Measured { owner, sensitivity, granted });
        Organisation { departments: departments.collect(), blueprints, kpis: kpis.collect(), people }
    }
}

/// The organisation in a database, with the ids that it got there.
struct Stored {
    departments: Vec<DepartmentId>,
    blueprints: Vec<BlueprintId>,
    kpis: Vec<KpiId>,
    people: Vec<(AccountId, SessionId)>,
}

/// The hash of the service token of the person in this place.
fn hash(at: usize) -> Vec<u8> {
    at.to_be_bytes().to_vec()
}

/// The third reading of the access table.
struct Reading<'o> {
    organisation: &'o Organisation,
    person: &'o Somebody,
    /// Whether it is their service token that reads.
    by_token: bool,
}

impl Reading<'_> {
    /// Whether the token opens a reading, by the scopes that do.
    fn opens(&self, scopes: &[TokenScope]) -> bool {
        let token = &self.person.token.scopes;
        !self.by_token || scopes.iter().any(|scope| token.contains(scope))
    }

    /// The departments that the token is limited to, with all below; none where nothing limits it.
    fn limits(&self) -> Option<BTreeSet<usize>> {
        let limits = &self.person.token.limits;
        (self.by_token && !limits.is_empty()).then(|| self.with_below(limits.clone()))
    }

    /// Whether one of the departments that count for a token takes part: any of its limits for what the account reads
    /// everywhere, else those of its own that it is limited to.
    fn takes_part(&self, everywhere: bool, takes_part: impl Fn(&BTreeSet<usize>) -> bool) -> bool {
        match (everywhere, self.limits()) {
            (true, None) => true,
            (true, Some(limits)) => takes_part(&limits),
            (false, None) => takes_part(&self.own()),
            (false, Some(limits)) => takes_part(&(&self.own() & &limits)),
        }
    }

    /// Departments with all below them.
    fn with_below(&self, mut own: BTreeSet<usize>) -> BTreeSet<usize> {
        // Parents stand further up the list, so one walk down reaches everything below.
        for (at, (parent, _)) in self.organisation.departments.iter().enumerate() {
            if parent.is_some_and(|parent| own.contains(&parent)) {
                own.insert(at);
            }
        }
        own
    }

    /// The departments in which one has a role; a LEAD's with all below.
    fn departments(&self, role: DepartmentRole) -> BTreeSet<usize> {
        let own: BTreeSet<usize> = self
            .person
            .memberships
            .iter()
            .filter(|(_, has)| *has == role)
            .map(|(department, _)| *department)
            .collect();
        match role {
            DepartmentRole::Lead => self.with_below(own),
            DepartmentRole::Contributor | DepartmentRole::Viewer => own,
        }
    }

    fn own(&self) -> BTreeSet<usize> {
        DepartmentRole::ALL
            .iter()
            .flat_map(|role| self.departments(*role))
            .collect()
    }

    fn is_partner(&self) -> bool {
        self.person.role == OrganisationRole::Member
            && !self.person.memberships.is_empty()
            && self
                .person
                .memberships
                .iter()
                .all(|(department, _)| self.organisation.departments[*department].1)
    }

    fn reads(&self, drawn: &Drawn) -> bool {
        use OrganisationRole::{Admin, Analyst, Auditor, CxManager};
        let role = self.person.role;
        let (everywhere, opened) = match (was_in_force(drawn), drawn.visibility) {
            (true, Visibility::Organisation) => (!self.is_partner(), true),
            (true, Visibility::Participants) => {
                (matches!(role, Admin | Analyst | Auditor | CxManager), true)
            }
            (false, _) => (
                matches!(role, Auditor | CxManager),
                self.opens(&[TokenScope::Read]),
            ),
        };
        let participates = |own: &BTreeSet<usize>| {
            let holds = |(department, status): &(usize, ResponsibilityStatus)| {
                open(*status) && own.contains(department)
            };
            own.contains(&drawn.owner) || drawn.held.iter().any(holds)
        };
        opened && self.takes_part(everywhere, participates)
    }

    fn reads_values(&self, measured: &Measured) -> bool {
        use OrganisationRole::{Analyst, Auditor, CxManager};
        let within = |departments: &BTreeSet<usize>| departments.contains(&measured.owner);
        let limited = self.limits();
        let confidential = matches!(self.person.role, Auditor | CxManager)
            || [DepartmentRole::Lead, DepartmentRole::Contributor]
                .iter()
                .any(|role| within(&self.departments(*role)));
        let granted = self.person.role == Analyst && measured.granted && limited.is_none();
        measured.sensitivity == Sensitivity::Open
            || self.opens(&[TokenScope::Read, TokenScope::Bi])
                && (granted || confidential && limited.as_ref().is_none_or(within))
    }

    /// Whether the KPI itself may be seen. A partner and a limited token read only the KPIs of what they take part in;
    /// here none is linked, so only those that their departments own.
    fn reads_definition(&self, measured: &Measured) -> bool {
        self.takes_part(!self.is_partner(), |own| own.contains(&measured.owner))
    }
}

fn open(status: ResponsibilityStatus) -> bool {
    matches!(
        status,
        ResponsibilityStatus::Proposed | ResponsibilityStatus::Accepted
    )
}

fn was_in_force(drawn: &Drawn) -> bool {
    drawn.status == BlueprintStatus::Published
        || drawn.archived_from == Some(BlueprintStatus::Published)
}

/// What the policy itself says of a blueprint, given its ties.
fn allowed(caller: &Caller, ids: &Stored, drawn: &Drawn) -> bool {
    let holders = drawn
        .held
        .iter()
        .filter(|(_, status)| open(*status))
        .map(|(department, _)| ids.departments[*department]);
    let owner = ids.departments[drawn.owner];
    let ties = RowTies::none()
        .with_departments(Relation::OwnsBlueprint, [owner])
        .with_departments(Relation::Participates, holders.chain([owner]));
    let action = match (was_in_force(drawn), drawn.visibility) {
        (true, Visibility::Organisation) => Action::ReadPublished,
        (true, Visibility::Participants) => Action::ReadRestricted,
        (false, _) => Action::ReadDraft,
    };
    caller.may(action, &ties)
}

/// What came up: how often, by what it was.
type Met = RefCell<BTreeMap<String, usize>>;

fn meet(met: &Met, what: String) {
    *met.borrow_mut().entry(what).or_default() += 1;
}

fn relation(reading: &Reading<'_>, role: DepartmentRole, drawn: &Drawn) -> &'static str {
    let own = reading.departments(role);
    let holds = |wanted| {
        drawn
            .held
            .iter()
            .any(|(department, status)| *status == wanted && own.contains(department))
    };
    if own.contains(&drawn.owner) {
        "owns"
    } else if holds(ResponsibilityStatus::Accepted) {
        "holds"
    } else if holds(ResponsibilityStatus::Proposed) {
        "is offered"
    } else {
        "nothing"
    }
}

fn status(drawn: &Drawn) -> String {
    drawn.archived_from.map_or_else(
        || drawn.status.as_str().to_owned(),
        |from| format!("ARCHIVED from {}", from.as_str()),
    )
}

async fn check(organisation: &Organisation, met: &Met) -> Result<(), TestCaseError> {
    let world = World::new().await;
    let ids = store(&world, organisation).await;
    let people = 0..organisation.people.len();
    for (at, by_token) in people.flat_map(|at| [(at, false), (at, true)]) {
        let (person, (account, session)) = (&organisation.people[at], ids.people[at]);
        let (store, clock) = (&world.store, &world.clock);
        let caller = match by_token {
            false => access::identify_session(store, clock, session, account, "test".into()).await,
            true => access::identify_service_token(store, clock, hash(at), "test".into()).await,
        };
        let caller = caller.expect("somebody signed in");
        let reading = Reading {
            organisation,
            person,
            by_token,
        };
        let seen: BTreeSet<BlueprintId> = caller
            .select::<blueprint::Entity>()
            .all(caller.connection())
            .await
            .expect("blueprints")
            .into_iter()
            .map(|row| row.id)
            .collect();
        let inside: BTreeSet<BlueprintId> = caller
            .select::<touchpoint::Entity>()
            .all(caller.connection())
            .await
            .expect("touchpoints")
            .into_iter()
            .map(|row| row.blueprint_id)
            .collect();
        for (drawn, id) in organisation.blueprints.iter().zip(&ids.blueprints) {
            prop_assert_eq!(
                seen.contains(id),
                allowed(&caller, &ids, drawn),
                "scope and policy: {:?} {:?}",
                person,
                drawn
            );
            prop_assert_eq!(
                seen.contains(id),
                reading.reads(drawn),
                "scope and table: {:?} {:?}",
                person,
                drawn
            );
            prop_assert_eq!(
                seen.contains(id),
                inside.contains(id),
                "inside as outside: {:?} {:?}",
                person,
                drawn
            );
            if by_token {
                let limited = reading.limits().map_or("not limited", |_| "limited");
                for scope in &person.token.scopes {
                    let (status, scope) = (status(drawn), scope.as_str());
                    meet(met, format!("{status} by {scope}, {limited}"));
                }
                continue;
            }
            for role in person.memberships.iter().map(|(_, role)| *role) {
                let relation = relation(&reading, role, drawn);
                meet(
                    met,
                    format!(
                        "{} {} {} {relation}",
                        status(drawn),
                        drawn.visibility.as_str(),
                        role.as_str()
                    ),
                );
            }
            meet(
                met,
                format!(
                    "{} {} {}",
                    status(drawn),
                    drawn.visibility.as_str(),
                    person.role.as_str()
                ),
            );
        }
        check_values(&caller, organisation, &ids, &reading, met).await?;
    }
    Ok(())
}

async fn check_values(
    caller: &Caller,
    organisation: &Organisation,
    ids: &Stored,
    reading: &Reading<'_>,
    met: &Met,
) -> Result<(), TestCaseError> {
    let seen: BTreeSet<KpiId> = caller
        .select::<measurement::Entity>()
        .all(caller.connection())
        .await
        .expect("measurements")
        .into_iter()
        .map(|row| row.kpi_id)
        .collect();
    for (measured, id) in organisation.kpis.iter().zip(&ids.kpis) {
        let definition = reading.reads_definition(measured);
        let values = reading.reads_values(measured);
        prop_assert_eq!(
            seen.contains(id),
            definition && values,
            "{:?} {:?}",
            reading.person,
            measured
        );
        if reading.by_token {
            let limited = reading.limits().map_or("not limited", |_| "limited");
            for scope in &reading.person.token.scopes {
                let sensitivity = measured.sensitivity.as_str();
                meet(
                    met,
                    format!("{sensitivity} by {}, {limited}", scope.as_str()),
                );
            }
        }
        let mut ties =
            RowTies::none().with_departments(Relation::OwnsKpi, [ids.departments[measured.owner]]);
        if measured.granted {
            let analysts = organisation.people.iter().zip(&ids.people);
            let analysts = analysts.filter(|(person, _)| person.role == OrganisationRole::Analyst);
            ties.granted
                .extend(analysts.map(|(_, (account, _))| *account));
        }
        let allowed = measured.sensitivity == Sensitivity::Open
            || caller.may(Action::ReadConfidential, &ties);
        prop_assert_eq!(
            values,
            allowed,
            "table and policy: {:?} {:?}",
            reading.person,
            measured
        );
        let granted = if measured.granted {
            "granted"
        } else {
            "not granted"
        };
        meet(
            met,
            format!(
                "{} {} {granted}",
                measured.sensitivity.as_str(),
                reading.person.role.as_str()
            ),
        );
        for (_, role) in &reading.person.memberships {
            let owns = if reading.departments(*role).contains(&measured.owner) {
                "owns"
            } else {
                "nothing"
            };
            meet(
                met,
                format!("{} {} {owns}", measured.sensitivity.as_str(), role.as_str()),
            );
        }
    }
    Ok(())
}

/// Every combination that has to come up.
fn wanted() -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    let statuses = [
        "DRAFT",
        "IN_REVIEW",
        "PUBLISHED",
        "ARCHIVED from DRAFT",
        "ARCHIVED from IN_REVIEW",
        "ARCHIVED from PUBLISHED",
    ];
    for status in statuses {
        for visibility in Visibility::ALL {
            for role in OrganisationRole::ALL {
                wanted.insert(format!(
                    "{status} {} {}",
                    visibility.as_str(),
                    role.as_str()
                ));
            }
            for role in DepartmentRole::ALL {
                for relation in ["owns", "holds", "is offered", "nothing"] {
                    wanted.insert(format!(
                        "{status} {} {} {relation}",
                        visibility.as_str(),
                        role.as_str()
                    ));
                }
            }
        }
    }
    for sensitivity in Sensitivity::ALL {
        for role in OrganisationRole::ALL {
            for granted in ["granted", "not granted"] {
                wanted.insert(format!(
                    "{} {} {granted}",
                    sensitivity.as_str(),
                    role.as_str()
                ));
            }
        }
        for role in DepartmentRole::ALL {
            for owns in ["owns", "nothing"] {
                wanted.insert(format!("{} {} {owns}", sensitivity.as_str(), role.as_str()));
            }
        }
    }
    let things = statuses.into_iter();
    for thing in things.chain(Sensitivity::ALL.iter().map(|one| one.as_str())) {
        for scope in TokenScope::ALL {
            for limited in ["limited", "not limited"] {
                wanted.insert(format!("{thing} by {}, {limited}", scope.as_str()));
            }
        }
    }
    wanted
}

#[test]
fn a_row_is_in_the_filtered_select_exactly_when_the_policy_allows_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let met = Met::default();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new_with_rng(config, rng).run(&organisation(), |organisation| {
        runtime.block_on(check(&organisation, &met))
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let met = met.into_inner();
    let missing: Vec<String> = wanted()
        .into_iter()
        .filter(|what| !met.contains_key(what))
        .collect();
    assert!(missing.is_empty(), "never came up: {missing:?}");
}
