//! The drawn organisation, written into a database.

use super::*;

pub(super) async fn store(world: &World, organisation: &Organisation) -> Stored {
    let (db, now) = (world.db(), world.clock.now());
    let ids = Stored {
        departments: organisation.departments.iter().map(|_| id::new()).collect(),
        blueprints: organisation.blueprints.iter().map(|_| id::new()).collect(),
        kpis: organisation.kpis.iter().map(|_| id::new()).collect(),
        people: organisation
            .people
            .iter()
            .map(|_| (id::new(), id::new()))
            .collect(),
    };
    for (at, (parent, partner)) in organisation.departments.iter().enumerate() {
        let row = department::ActiveModel {
            id: Set(ids.departments[at]),
            key: Set(format!("d{at}")),
            name: Set(format!("Department {at}")),
            kind: Set(if *partner {
                DepartmentKind::Partner
            } else {
                DepartmentKind::Internal
            }),
            parent_id: Set(parent.map(|parent| ids.departments[parent])),
            successor_id: Set(None),
            created_at: Set(now),
            archived_at: Set(None),
            version: Set(1),
        };
        department::Entity::insert(row)
            .exec_without_returning(&db)
            .await
            .expect("a department");
    }
    let persona: PersonaId = id::new();
    let row = persona::ActiveModel {
        id: Set(persona),
        key: Set("p".into()),
        name: Set("Persona".into()),
        subject: Set(Subject::Customer),
        context: Set(Texts::default()),
        max_contacts_per_month: Set(None),
        created_at: Set(now),
        archived_at: Set(None),
        version: Set(1),
    };
    persona::Entity::insert(row)
        .exec_without_returning(&db)
        .await
        .expect("a persona");
    for (at, drawn) in organisation.blueprints.iter().enumerate() {
        store_blueprint(world, &ids, persona, at, drawn).await;
    }
    for (at, person) in organisation.people.iter().enumerate() {
        store_person(world, &ids, at, person).await;
    }
    for (at, measured) in organisation.kpis.iter().enumerate() {
        store_kpi(world, &ids, organisation, at, measured).await;
    }
    ids
}

async fn store_blueprint(
    world: &World,
    ids: &Stored,
    persona: PersonaId,
    at: usize,
    drawn: &Drawn,
) {
    let (db, now) = (world.db(), world.clock.now());
    let blueprint = ids.blueprints[at];
    let row = blueprint::ActiveModel {
        template_id: Set(None),
        copied_from_id: Set(None),
        id: Set(blueprint),
        key: Set(format!("b{at}")),
        title: Set(format!("Blueprint {at}")),
        subject: Set(Subject::Customer),
        state: Set(BlueprintState::Current),
        status: Set(drawn.status),
        archived_from: Set(drawn.archived_from),
        visibility: Set(drawn.visibility),
        persona_id: Set(persona),
        owner_department_id: Set(ids.departments[drawn.owner]),
        next_review_on: Set(None),
        sent_back_reason: Set(None),
        published_number: Set(None),
        published_revision: Set(None),
        created_at: Set(now),
        archived_at: Set((drawn.status == BlueprintStatus::Archived).then_some(now)),
        version: Set(1),
        revision: Set(1),
    };
    blueprint::Entity::insert(row)
        .exec_without_returning(&db)
        .await
        .expect("a blueprint");
    let (phase, touchpoint): (PhaseId, TouchpointId) = (id::new(), id::new());
    let row = phase::ActiveModel {
        copied_from_id: Set(None),
        id: Set(phase),
        blueprint_id: Set(blueprint),
        key: Set("only".into()),
        name: Set("Only".into()),
        position: Set(1),
        stage: Set(Stage::Goal),
        customer_goal: Set(None),
        timing: Set(None),
        prompt: Set(None),
        created_at: Set(now),
        archived_at: Set(None),
        version: Set(1),
    };
    phase::Entity::insert(row)
        .exec_without_returning(&db)
        .await
        .expect("a phase");
    let row = touchpoint::ActiveModel {
        id: Set(touchpoint),
        blueprint_id: Set(blueprint),
        phase_id: Set(phase),
        key: Set("t".into()),
        name: Set("Touchpoint".into()),
        position: Set(1),
        lane: Set(Lane::Frontstage),
        usage: Set(Usage::Unknown),
        moment_of_truth: Set(false),
        essential: Set(false),
        basis: Set(Basis::Assumed),
        evidence: Set(EvidenceList::default()),
        systems: Set(Texts::default()),
        created_at: Set(now),
        version: Set(1),
        ..Default::default()
    };
    touchpoint::Entity::insert(row)
        .exec_without_returning(&db)
        .await
        .expect("a touchpoint");
    let roles = [Role::Consulted, Role::Informed, Role::Responsible];
    for ((department, status), role) in drawn.held.iter().zip(roles) {
        let row = responsibility::ActiveModel {
            id: Set(id::new()),
            blueprint_id: Set(blueprint),
            touchpoint_id: Set(touchpoint),
            department_id: Set(ids.departments[*department]),
            role: Set(role),
            status: Set(*status),
            tasks: Set(Texts::default()),
            proposed_at: Set(now),
            created_at: Set(now),
            version: Set(1),
            ..Default::default()
        };
        responsibility::Entity::insert(row)
            .exec_without_returning(&db)
            .await
            .expect("a responsibility");
    }
}

async fn store_person(world: &World, ids: &Stored, at: usize, person: &Somebody) {
    let (db, now) = (world.db(), world.clock.now());
    let (account, session) = ids.people[at];
    let row = account::ActiveModel {
        id: Set(account),
        key: Set(format!("a{at}")),
        name: Set(format!("Account {at}")),
        service: Set(false),
        role: Set(person.role),
        password_hash: Set(None),
        created_at: Set(now),
        archived_at: Set(None),
        version: Set(1),
    };
    account::Entity::insert(row)
        .exec_without_returning(&db)
        .await
        .expect("an account");
    let row = session::ActiveModel {
        id: Set(session),
        account_id: Set(account),
        user_agent: Set(None),
        created_at: Set(now),
        last_used_at: Set(now),
        expires_at: Set(now + chrono::Duration::days(1)),
        ended_at: Set(None),
    };
    session::Entity::insert(row)
        .exec_without_returning(&db)
        .await
        .expect("a session");
    let token = id::new();
    let row = service_token::ActiveModel {
        id: Set(token),
        account_id: Set(account),
        name: Set("Token".into()),
        hash: Set(hash(at)),
        scopes: Set(TokenScopes(person.token.scopes.clone())),
        created_at: Set(now),
        expires_at: Set(now + chrono::Duration::days(1)),
        last_used_at: Set(Some(now)),
        ..Default::default()
    };
    service_token::Entity::insert(row)
        .exec_without_returning(&db)
        .await
        .expect("a service token");
    for (limit, position) in person.token.limits.iter().zip(1..) {
        let row = service_token_department::ActiveModel {
            service_token_id: Set(token),
            department_id: Set(ids.departments[*limit]),
            position: Set(position),
        };
        service_token_department::Entity::insert(row)
            .exec_without_returning(&db)
            .await
            .expect("a limit");
    }
    for (department, role) in &person.memberships {
        let row = membership::ActiveModel {
            id: Set(id::new()),
            account_id: Set(account),
            department_id: Set(ids.departments[*department]),
            role: Set(*role),
            created_at: Set(now),
        };
        membership::Entity::insert(row)
            .exec_without_returning(&db)
            .await
            .expect("a membership");
    }
}

async fn store_kpi(
    world: &World,
    ids: &Stored,
    organisation: &Organisation,
    at: usize,
    measured: &Measured,
) {
    let (db, now) = (world.db(), world.clock.now());
    let row = kpi::ActiveModel {
        id: Set(ids.kpis[at]),
        key: Set(format!("k{at}")),
        name: Set(format!("KPI {at}")),
        description: Set(None),
        kpi_type: Set(KpiType::Cost),
        unit: Set(Unit::Count),
        currency: Set(None),
        decimals: Set(0),
        direction: Set(Direction::Lower),
        aggregation: Set(Aggregation::Sum),
        cadence: Set(Cadence::Monthly),
        owner_department_id: Set(ids.departments[measured.owner]),
        sensitivity: Set(measured.sensitivity),
        scope: Set(KpiScope::Transactional),
        fed_from: Set(None),
        minimum_sample: Set(None),
        across_parts: Set(AcrossParts::None),
        series_revision: Set(0),
        created_at: Set(now),
        archived_at: Set(None),
        version: Set(1),
    };
    kpi::Entity::insert(row)
        .exec_without_returning(&db)
        .await
        .expect("a KPI");
    let row = measurement::ActiveModel {
        id: Set(id::new()),
        kpi_id: Set(ids.kpis[at]),
        measured_on: Set(NaiveDate::from_ymd_opt(2025, 1, 31).expect("a day")),
        value: Set(1.0),
        recorded_at: Set(now),
        ..Default::default()
    };
    measurement::Entity::insert(row)
        .exec_without_returning(&db)
        .await
        .expect("a measurement");
    let analysts = organisation
        .people
        .iter()
        .zip(&ids.people)
        .filter(|(person, _)| person.role == OrganisationRole::Analyst);
    for (_, (analyst, _)) in analysts.filter(|_| measured.granted) {
        let row = kpi_grant::ActiveModel {
            id: Set(id::new()),
            kpi_id: Set(ids.kpis[at]),
            account_id: Set(*analyst),
            created_at: Set(now),
        };
        kpi_grant::Entity::insert(row)
            .exec_without_returning(&db)
            .await
            .expect("a grant");
    }
}
