//! Loads the document of an organisation into an empty database: all of it or nothing, every fault with its place.

use std::collections::HashMap;

use entity::{
    account, blueprint, channel, department,
    id::{
        BlueprintId, ChannelId, DepartmentId, KpiId, PersonaId, PhaseId, SegmentId, TouchpointId,
    },
    json::{EvidenceList, Texts},
    kpi, kpi_link, kpi_target, measurement, membership, persona, persona_need, persona_segment,
    phase, publication, responsibility, segment, touchpoint, touchpoint_channel,
    touchpoint_segment, transition,
    words::{BlueprintStatus, ResponsibilityStatus, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set};

use super::{
    blueprint::Document,
    organisation::{self as document, FORMAT, Organisation},
};
use crate::{
    access::{Caller, Permit},
    audit::Event,
    canvas::whole::Whole,
    error::Error,
    id,
    input::Faults,
};

/// Why a document was not loaded, as sentences with the place in the document.
#[derive(Debug)]
pub enum LoadError {
    /// The text is no such document.
    Unreadable(String),
    /// Faults, each with its path in the document.
    Faults(Vec<String>),
    /// The database holds something already.
    NotEmpty,
    /// The database failed.
    Failed(Error),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(sentence) => f.write_str(sentence),
            Self::Faults(faults) => f.write_str(&faults.join("\n")),
            Self::NotEmpty => f.write_str("The database holds something already; a whole organisation is loaded into an empty one only."),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

impl<E: Into<Error>> From<E> for LoadError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Reads the text of a document.
pub fn read(text: &str) -> Result<Organisation, LoadError> {
    let organisation: Organisation = serde_json::from_str(text)
        .map_err(|error| LoadError::Unreadable(format!("This is not an organisation: {error}.")))?;
    if organisation.format == FORMAT {
        Ok(organisation)
    } else {
        Err(LoadError::Unreadable(format!(
            "format: this program reads \"{FORMAT}\" and the document says \"{}\".",
            organisation.format
        )))
    }
}

/// Loads an organisation; people get the password whose hash is given, services none.
pub async fn load(
    caller: &Caller,
    organisation: &Organisation,
    password_hash: Option<&str>,
) -> Result<(), LoadError> {
    let mut loader = Loader::new(caller, password_hash);
    loader.organisation(organisation);
    let rows = loader.finish()?;
    let mut permit = caller.begin().await?;
    if account::Entity::find().count(permit.tx()).await?
        + department::Entity::find().count(permit.tx()).await?
        > 0
    {
        return Err(LoadError::NotEmpty);
    }
    rows.insert(&permit).await?;
    publish(&permit).await?;
    permit.note(Event::import(serde_json::json!({
        "departments": organisation.departments.len(),
        "accounts": organisation.accounts.len(),
        "blueprints": organisation.blueprints.len(),
        "kpis": organisation.kpis.len(),
    })));
    Ok(permit.commit().await?)
}

/// Keeps what is published as a publication.
async fn publish(permit: &Permit<'_>) -> Result<(), LoadError> {
    let caller = permit.caller;
    let published = blueprint::Entity::find()
        .filter(blueprint::Column::Status.eq(BlueprintStatus::Published))
        .order_by_asc(blueprint::Column::Id)
        .all(permit.tx())
        .await?;
    let mut publications = Vec::new();
    for row in published {
        let whole = Whole::read(caller, permit.tx(), row.clone(), caller.today).await?;
        let text = serde_json::to_string(&Document::of(&whole)).map_err(Error::internal)?;
        publications.push(publication::ActiveModel {
            id: Set(id::new()),
            blueprint_id: Set(row.id),
            number: Set(row.published_number),
            label: Set(None),
            revision: Set(row.revision),
            document: Set(text),
            made_by_account_id: Set(caller.account()),
            created_at: Set(caller.now),
        });
    }
    Ok(permit
        .insert_all::<publication::Entity>(publications)
        .await?)
}

/// What a document becomes, table by table, in the order in which it can be inserted.
#[derive(Default)]
struct Rows {
    departments: Vec<department::ActiveModel>,
    accounts: Vec<account::ActiveModel>,
    memberships: Vec<membership::ActiveModel>,
    channels: Vec<channel::ActiveModel>,
    segments: Vec<segment::ActiveModel>,
    personas: Vec<persona::ActiveModel>,
    needs: Vec<persona_need::ActiveModel>,
    persona_segments: Vec<persona_segment::ActiveModel>,
    blueprints: Vec<blueprint::ActiveModel>,
    phases: Vec<phase::ActiveModel>,
    touchpoints: Vec<touchpoint::ActiveModel>,
    touchpoint_channels: Vec<touchpoint_channel::ActiveModel>,
    touchpoint_segments: Vec<touchpoint_segment::ActiveModel>,
    transitions: Vec<transition::ActiveModel>,
    responsibilities: Vec<responsibility::ActiveModel>,
    kpis: Vec<kpi::ActiveModel>,
    targets: Vec<kpi_target::ActiveModel>,
    links: Vec<kpi_link::ActiveModel>,
    measurements: Vec<measurement::ActiveModel>,
}

impl Rows {
    async fn insert(self, permit: &Permit<'_>) -> Result<(), Error> {
        permit
            .insert_all::<department::Entity>(self.departments)
            .await?;
        permit.insert_all::<account::Entity>(self.accounts).await?;
        permit
            .insert_all::<membership::Entity>(self.memberships)
            .await?;
        permit.insert_all::<channel::Entity>(self.channels).await?;
        permit.insert_all::<segment::Entity>(self.segments).await?;
        permit.insert_all::<persona::Entity>(self.personas).await?;
        permit
            .insert_all::<persona_need::Entity>(self.needs)
            .await?;
        permit
            .insert_all::<persona_segment::Entity>(self.persona_segments)
            .await?;
        permit
            .insert_all::<blueprint::Entity>(self.blueprints)
            .await?;
        permit.insert_all::<phase::Entity>(self.phases).await?;
        permit
            .insert_all::<touchpoint::Entity>(self.touchpoints)
            .await?;
        permit
            .insert_all::<touchpoint_channel::Entity>(self.touchpoint_channels)
            .await?;
        permit
            .insert_all::<touchpoint_segment::Entity>(self.touchpoint_segments)
            .await?;
        permit
            .insert_all::<transition::Entity>(self.transitions)
            .await?;
        permit
            .insert_all::<responsibility::Entity>(self.responsibilities)
            .await?;
        permit.insert_all::<kpi::Entity>(self.kpis).await?;
        permit
            .insert_all::<kpi_target::Entity>(self.targets)
            .await?;
        permit.insert_all::<kpi_link::Entity>(self.links).await?;
        permit
            .insert_all::<measurement::Entity>(self.measurements)
            .await
    }
}

/// Turns a document into rows, looking up keys and collecting faults on the way.
struct Loader<'c> {
    caller: &'c Caller,
    password_hash: Option<&'c str>,
    faults: Faults,
    rows: Rows,
    departments: HashMap<String, DepartmentId>,
    channels: HashMap<String, ChannelId>,
    segments: HashMap<String, SegmentId>,
    personas: HashMap<String, (PersonaId, entity::words::Subject)>,
    blueprints: HashMap<String, BlueprintId>,
    phases: HashMap<(BlueprintId, String), PhaseId>,
    touchpoints: HashMap<(BlueprintId, String), TouchpointId>,
    taken: HashMap<String, String>,
}

impl<'c> Loader<'c> {
    fn new(caller: &'c Caller, password_hash: Option<&'c str>) -> Self {
        Self {
            caller,
            password_hash,
            faults: Faults::default(),
            rows: Rows::default(),
            departments: HashMap::new(),
            channels: HashMap::new(),
            segments: HashMap::new(),
            personas: HashMap::new(),
            blueprints: HashMap::new(),
            phases: HashMap::new(),
            touchpoints: HashMap::new(),
            taken: HashMap::new(),
        }
    }

    fn finish(self) -> Result<Rows, LoadError> {
        match self.faults.check() {
            Ok(()) => Ok(self.rows),
            Err(Error::Refused(faults)) => Err(LoadError::Faults(
                faults
                    .into_iter()
                    .map(|fault| format!("{}: {}", fault.field.join("."), fault.message))
                    .collect(),
            )),
            Err(other) => Err(LoadError::Failed(other)),
        }
    }

    fn organisation(&mut self, organisation: &Organisation) {
        for (at, department) in organisation.departments.iter().enumerate() {
            self.department(&format!("departments.{at}"), department);
        }
        for (at, account) in organisation.accounts.iter().enumerate() {
            self.account(&format!("accounts.{at}"), account);
        }
        for (at, channel) in organisation.channels.iter().enumerate() {
            self.channel(&format!("channels.{at}"), channel);
        }
        for (at, segment) in organisation.segments.iter().enumerate() {
            self.segment(&format!("segments.{at}"), segment);
        }
        for (at, persona) in organisation.personas.iter().enumerate() {
            self.persona(&format!("personas.{at}"), persona);
        }
        for (at, blueprint) in organisation.blueprints.iter().enumerate() {
            self.blueprint(&format!("blueprints.{at}"), blueprint);
        }
        for (at, kpi) in organisation.kpis.iter().enumerate() {
            self.kpi(&format!("kpis.{at}"), kpi);
        }
        for (at, proposal) in organisation.proposals.iter().enumerate() {
            self.proposal(&format!("proposals.{at}"), proposal);
        }
    }

    fn wrong(&mut self, path: &str, message: impl Into<String>) {
        self.faults
            .add(path, crate::error::UserErrorCode::Invalid, None, message);
    }

    /// A key, which nothing else of the same kind may have.
    fn key(&mut self, path: &str, kind: &str, key: &str) -> String {
        let path = format!("{path}.key");
        let key = self.faults.key(&path, key);
        let folded = format!("{kind} {}", key.to_ascii_lowercase());
        if let Some(first) = self.taken.insert(folded, path.clone()) {
            self.wrong(&path, format!("The key \"{key}\" is taken at {first}."));
        }
        key
    }

    fn look<I: Copy>(&mut self, path: &str, noun: &str, key: &str, found: Option<I>) -> Option<I> {
        if found.is_none() {
            self.wrong(
                path,
                format!("There is no {noun} \"{key}\" in this document."),
            );
        }
        found
    }

    fn department_at(&mut self, path: &str, key: &str) -> Option<DepartmentId> {
        let found = self.departments.get(&key.to_ascii_lowercase()).copied();
        self.look(path, "department", key, found)
    }

    fn department(&mut self, path: &str, department: &document::Department) {
        let id: DepartmentId = id::new();
        // Only departments further up can be named as a parent: so the tree has no circle.
        let parent = department
            .parent
            .as_ref()
            .and_then(|key| self.department_at(&format!("{path}.parent"), key));
        let key = self.key(path, "department", &department.key);
        self.departments.insert(key.to_ascii_lowercase(), id);
        self.rows.departments.push(department::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(self.faults.name(&format!("{path}.name"), &department.name)),
            kind: Set(department.kind),
            parent_id: Set(parent),
            successor_id: Set(None),
            created_at: Set(self.caller.now),
            archived_at: Set(None),
            version: Set(1),
        });
    }

    fn account(&mut self, path: &str, account: &document::Account) {
        let id = id::new();
        let key = self.key(path, "account", &account.key);
        self.rows.accounts.push(account::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(self.faults.name(&format!("{path}.name"), &account.name)),
            service: Set(account.service),
            role: Set(account.role),
            password_hash: Set(self
                .password_hash
                .filter(|_| !account.service)
                .map(str::to_owned)),
            created_at: Set(self.caller.now),
            archived_at: Set(None),
            version: Set(1),
        });
        for (at, membership) in account.memberships.iter().enumerate() {
            let path = format!("{path}.memberships.{at}.department");
            if let Some(department) = self.department_at(&path, &membership.department) {
                self.rows.memberships.push(membership::ActiveModel {
                    id: Set(id::new()),
                    account_id: Set(id),
                    department_id: Set(department),
                    role: Set(membership.role),
                    created_at: Set(self.caller.now),
                });
            }
        }
    }

    fn channel(&mut self, path: &str, channel: &document::Channel) {
        let id: ChannelId = id::new();
        let key = self.key(path, "channel", &channel.key);
        self.channels.insert(key.to_ascii_lowercase(), id);
        self.rows.channels.push(channel::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(self.faults.name(&format!("{path}.name"), &channel.name)),
            medium: Set(channel.medium),
            created_at: Set(self.caller.now),
            version: Set(1),
        });
    }

    fn segment(&mut self, path: &str, segment: &document::Segment) {
        let id: SegmentId = id::new();
        let key = self.key(path, "segment", &segment.key);
        self.segments.insert(key.to_ascii_lowercase(), id);
        self.rows.segments.push(segment::ActiveModel {
            id: Set(id),
            key: Set(key),
            dimension: Set(self
                .faults
                .name(&format!("{path}.dimension"), &segment.dimension)),
            value: Set(self.faults.name(&format!("{path}.value"), &segment.value)),
            created_at: Set(self.caller.now),
            version: Set(1),
        });
    }

    fn segment_at(&mut self, path: &str, key: &str) -> Option<SegmentId> {
        let found = self.segments.get(&key.to_ascii_lowercase()).copied();
        self.look(path, "segment", key, found)
    }

    fn persona(&mut self, path: &str, persona: &document::Persona) {
        let id: PersonaId = id::new();
        let key = self.key(path, "persona", &persona.key);
        self.personas
            .insert(key.to_ascii_lowercase(), (id, persona.subject));
        let most = format!("{path}.maxContactsPerMonth");
        self.rows.personas.push(persona::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(self.faults.name(&format!("{path}.name"), &persona.name)),
            subject: Set(persona.subject),
            context: Set(Texts(
                self.faults
                    .texts(&format!("{path}.context"), &persona.context),
            )),
            max_contacts_per_month: Set(self.faults.within(
                &most,
                persona.max_contacts_per_month,
                0..=i32::MAX,
            )),
            created_at: Set(self.caller.now),
            archived_at: Set(None),
            version: Set(1),
        });
        let needs = self.faults.texts(&format!("{path}.needs"), &persona.needs);
        self.rows
            .needs
            .extend(
                needs
                    .into_iter()
                    .zip(1..)
                    .map(|(text, position)| persona_need::ActiveModel {
                        id: Set(id::new()),
                        persona_id: Set(id),
                        position: Set(position),
                        text: Set(text),
                    }),
            );
        for (key, position) in persona.segments.iter().zip(1..) {
            if let Some(segment) =
                self.segment_at(&format!("{path}.segments.{}", position - 1), key)
            {
                self.rows
                    .persona_segments
                    .push(persona_segment::ActiveModel {
                        persona_id: Set(id),
                        segment_id: Set(segment),
                        position: Set(position),
                    });
            }
        }
    }

    fn blueprint(&mut self, path: &str, blueprint: &document::Blueprint) {
        let id: BlueprintId = id::new();
        let key = self.key(path, "blueprint", &blueprint.key);
        self.blueprints.insert(key.to_ascii_lowercase(), id);
        let persona = self
            .personas
            .get(&blueprint.persona.to_ascii_lowercase())
            .copied();
        let persona = self.look(
            &format!("{path}.persona"),
            "persona",
            &blueprint.persona,
            persona,
        );
        if persona.is_some_and(|(_, subject)| subject != blueprint.subject) {
            self.wrong(
                &format!("{path}.persona"),
                "The persona is of another subject than the blueprint.",
            );
        }
        let owner = self.department_at(
            &format!("{path}.ownerDepartment"),
            &blueprint.owner_department,
        );
        let title = self.faults.name(&format!("{path}.title"), &blueprint.title);
        if blueprint.status == BlueprintStatus::Archived {
            self.wrong(
                &format!("{path}.status"),
                "An archived blueprint is not loaded.",
            );
        }
        let published = (blueprint.status == BlueprintStatus::Published).then_some(1);
        if let (Some((persona, _)), Some(owner)) = (persona, owner) {
            self.rows.blueprints.push(blueprint::ActiveModel {
                id: Set(id),
                key: Set(key),
                title: Set(title),
                subject: Set(blueprint.subject),
                state: Set(blueprint.state),
                status: Set(blueprint.status),
                archived_from: Set(None),
                visibility: Set(blueprint.visibility),
                persona_id: Set(persona),
                owner_department_id: Set(owner),
                next_review_on: Set(blueprint.next_review_on),
                published_number: Set(published),
                published_revision: Set(published),
                created_at: Set(self.caller.now),
                copied_from_id: Set(None),
                archived_at: Set(None),
                version: Set(1),
                revision: Set(1),
            });
        }
        for (phase, position) in blueprint.phases.iter().zip(1..) {
            self.phase(
                &format!("{path}.phases.{}", position - 1),
                id,
                phase,
                position,
            );
        }
        let mut positions: HashMap<PhaseId, i32> = HashMap::new();
        for (at, touchpoint) in blueprint.touchpoints.iter().enumerate() {
            self.touchpoint(
                &format!("{path}.touchpoints.{at}"),
                id,
                touchpoint,
                &mut positions,
            );
        }
        for (at, transition) in blueprint.transitions.iter().enumerate() {
            self.transition(&format!("{path}.transitions.{at}"), id, transition);
        }
    }

    fn phase(
        &mut self,
        path: &str,
        blueprint: BlueprintId,
        phase: &document::Phase,
        position: i32,
    ) {
        let id: PhaseId = id::new();
        let key = self.key(path, &format!("phase of {blueprint}"), &phase.key);
        self.phases
            .insert((blueprint, key.to_ascii_lowercase()), id);
        let goal = phase.customer_goal.as_deref();
        self.rows.phases.push(phase::ActiveModel {
            id: Set(id),
            blueprint_id: Set(blueprint),
            key: Set(key),
            name: Set(self.faults.name(&format!("{path}.name"), &phase.name)),
            position: Set(position),
            stage: Set(phase.stage),
            customer_goal: Set(self
                .faults
                .optional_text(&format!("{path}.customerGoal"), goal)),
            created_at: Set(self.caller.now),
            copied_from_id: Set(None),
            archived_at: Set(None),
            version: Set(1),
        });
    }

    fn touchpoint(
        &mut self,
        path: &str,
        blueprint: BlueprintId,
        touchpoint: &document::Touchpoint,
        positions: &mut HashMap<PhaseId, i32>,
    ) {
        let id: TouchpointId = id::new();
        let key = self.key(path, &format!("touchpoint of {blueprint}"), &touchpoint.key);
        self.touchpoints
            .insert((blueprint, key.to_ascii_lowercase()), id);
        let phase = self
            .phases
            .get(&(blueprint, touchpoint.phase.to_ascii_lowercase()))
            .copied();
        let Some(phase) = self.look(&format!("{path}.phase"), "phase", &touchpoint.phase, phase)
        else {
            return;
        };
        let position = positions
            .entry(phase)
            .and_modify(|last| *last += 1)
            .or_insert(1);
        let position = *position;
        let at = |field: &str| format!("{path}.{field}");
        let faults = &mut self.faults;
        let importance = touchpoint.importance_organisation;
        let contacts = faults.finite(&at("contactsPerMonth"), touchpoint.contacts_per_month);
        self.rows.touchpoints.push(touchpoint::ActiveModel {
            id: Set(id),
            blueprint_id: Set(blueprint),
            phase_id: Set(phase),
            key: Set(key),
            name: Set(faults.name(&at("name"), &touchpoint.name)),
            position: Set(position),
            lane: Set(touchpoint.lane),
            customer_action: Set(
                faults.optional_text(&at("customerAction"), touchpoint.customer_action.as_deref())
            ),
            initiator: Set(touchpoint.initiator),
            contacts_per_month: Set(contacts),
            emotion: Set(faults.within(&at("emotion"), touchpoint.emotion, -2..=2)),
            employee_emotion: Set(faults.within(
                &at("employeeEmotion"),
                touchpoint.employee_emotion,
                -2..=2,
            )),
            importance_customer: Set(faults.within(
                &at("importanceCustomer"),
                touchpoint.importance_customer,
                1..=5,
            )),
            importance_organisation: Set(faults.within(
                &at("importanceOrganisation"),
                importance,
                1..=5,
            )),
            usage: Set(touchpoint.usage),
            usage_reason: Set(
                faults.optional_text(&at("usageReason"), touchpoint.usage_reason.as_deref())
            ),
            moment_of_truth: Set(touchpoint.moment_of_truth),
            essential: Set(touchpoint.essential),
            expected_minutes: Set(faults.within(
                &at("expectedMinutes"),
                touchpoint.expected_minutes,
                0..=i32::MAX,
            )),
            basis: Set(touchpoint.basis),
            evidence: Set(EvidenceList::default()),
            systems: Set(Texts::default()),
            note: Set(faults.optional_text(&at("note"), touchpoint.note.as_deref())),
            created_at: Set(self.caller.now),
            copied_from_id: Set(None),
            archived_at: Set(None),
            version: Set(1),
        });
        self.parts(path, id, touchpoint);
        self.responsibilities(path, blueprint, id, touchpoint);
    }

    fn parts(&mut self, path: &str, id: TouchpointId, touchpoint: &document::Touchpoint) {
        for (key, position) in touchpoint.channels.iter().zip(1..) {
            let found = self.channels.get(&key.to_ascii_lowercase()).copied();
            let path = format!("{path}.channels.{}", position - 1);
            if let Some(channel) = self.look(&path, "channel", key, found) {
                self.rows
                    .touchpoint_channels
                    .push(touchpoint_channel::ActiveModel {
                        touchpoint_id: Set(id),
                        channel_id: Set(channel),
                        position: Set(position),
                    });
            }
        }
        for (key, position) in touchpoint.audience.iter().zip(1..) {
            if let Some(segment) =
                self.segment_at(&format!("{path}.audience.{}", position - 1), key)
            {
                self.rows
                    .touchpoint_segments
                    .push(touchpoint_segment::ActiveModel {
                        touchpoint_id: Set(id),
                        segment_id: Set(segment),
                        position: Set(position),
                    });
            }
        }
    }

    fn responsibilities(
        &mut self,
        path: &str,
        blueprint: BlueprintId,
        touchpoint: TouchpointId,
        said: &document::Touchpoint,
    ) {
        let mut accountable = false;
        for (at, held) in said.responsibilities.iter().enumerate() {
            let path = format!("{path}.responsibilities.{at}");
            if held.role == Role::Accountable && std::mem::replace(&mut accountable, true) {
                self.wrong(
                    &path,
                    "A touchpoint has one ACCOUNTABLE department at the most.",
                );
            }
            let tasks = self.faults.texts(&format!("{path}.tasks"), &held.tasks);
            if let Some(department) =
                self.department_at(&format!("{path}.department"), &held.department)
            {
                let row = self.responsibility(blueprint, touchpoint, department, held.role);
                self.rows
                    .responsibilities
                    .push(responsibility::ActiveModel {
                        status: Set(ResponsibilityStatus::Accepted),
                        tasks: Set(Texts(tasks)),
                        ..row
                    });
            }
        }
    }

    fn responsibility(
        &self,
        blueprint: BlueprintId,
        touchpoint: TouchpointId,
        department: DepartmentId,
        role: Role,
    ) -> responsibility::ActiveModel {
        responsibility::ActiveModel {
            id: Set(id::new()),
            blueprint_id: Set(blueprint),
            touchpoint_id: Set(touchpoint),
            department_id: Set(department),
            role: Set(role),
            status: Set(ResponsibilityStatus::Proposed),
            tasks: Set(Texts::default()),
            person_id: Set(None),
            note: Set(None),
            proposed_by_department_id: Set(None),
            proposed_by_account_id: Set(None),
            proposed_at: Set(self.caller.now),
            replaces_id: Set(None),
            reason: Set(None),
            decided_at: Set(None),
            decided_by_account_id: Set(None),
            valid_from: Set(None),
            valid_to: Set(None),
            created_at: Set(self.caller.now),
            version: Set(1),
        }
    }

    fn touchpoint_at(
        &mut self,
        path: &str,
        blueprint: BlueprintId,
        key: &str,
    ) -> Option<TouchpointId> {
        let found = self
            .touchpoints
            .get(&(blueprint, key.to_ascii_lowercase()))
            .copied();
        self.look(path, "touchpoint", key, found)
    }

    fn transition(
        &mut self,
        path: &str,
        blueprint: BlueprintId,
        transition: &document::Transition,
    ) {
        let from = transition
            .from
            .as_ref()
            .map(|key| self.touchpoint_at(&format!("{path}.from"), blueprint, key));
        let to = transition
            .to
            .as_ref()
            .map(|key| self.touchpoint_at(&format!("{path}.to"), blueprint, key));
        let (Some(from), Some(to)) = (
            from.map_or(Some(None), |id| id.map(Some)),
            to.map_or(Some(None), |id| id.map(Some)),
        ) else {
            return;
        };
        crate::touchpoint::transition::check_shape(
            &mut self.faults,
            path,
            from,
            to,
            transition.end,
        );
        let condition = transition.condition.as_deref();
        self.rows.transitions.push(transition::ActiveModel {
            id: Set(id::new()),
            blueprint_id: Set(blueprint),
            kind: Set(transition.kind),
            end: Set(transition.end),
            from_touchpoint_id: Set(from),
            to_touchpoint_id: Set(to),
            condition: Set(self
                .faults
                .optional_text(&format!("{path}.condition"), condition)),
            max_wait_minutes: Set(None),
            basis: Set(transition.basis),
            created_at: Set(self.caller.now),
            version: Set(1),
        });
    }

    fn kpi(&mut self, path: &str, kpi: &document::Kpi) {
        let id: KpiId = id::new();
        let key = self.key(path, "kpi", &kpi.key);
        let owner = self.department_at(&format!("{path}.ownerDepartment"), &kpi.owner_department);
        let name = self.faults.name(&format!("{path}.name"), &kpi.name);
        let description = self
            .faults
            .optional_text(&format!("{path}.description"), kpi.description.as_deref());
        self.faults
            .within(&format!("{path}.decimals"), Some(kpi.decimals), 0..=6);
        let Some(owner) = owner else { return };
        self.rows.kpis.push(kpi::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(name),
            description: Set(description),
            kpi_type: Set(kpi.r#type),
            unit: Set(kpi.unit),
            currency: Set(kpi.currency.clone()),
            decimals: Set(kpi.decimals),
            direction: Set(kpi.direction),
            aggregation: Set(kpi.aggregation),
            cadence: Set(kpi.cadence),
            owner_department_id: Set(owner),
            sensitivity: Set(kpi.sensitivity),
            scope: Set(kpi.scope),
            created_at: Set(self.caller.now),
            archived_at: Set(None),
            version: Set(1),
        });
        for (at, target) in kpi.targets.iter().enumerate() {
            let value = self
                .faults
                .finite(&format!("{path}.targets.{at}.value"), target.value);
            let warning = self
                .faults
                .finite(&format!("{path}.targets.{at}.warning"), target.warning);
            self.rows.targets.push(kpi_target::ActiveModel {
                id: Set(id::new()),
                kpi_id: Set(id),
                valid_from: Set(target.valid_from),
                value: Set(value),
                warning: Set(warning),
                created_at: Set(self.caller.now),
                version: Set(1),
            });
        }
        for (at, place) in kpi.links.iter().enumerate() {
            self.link(&format!("{path}.links.{at}"), id, place);
        }
        for (at, measurement) in kpi.measurements.iter().enumerate() {
            let path = format!("{path}.measurements.{at}");
            self.faults
                .finite(&format!("{path}.value"), Some(measurement.value));
            let source = self
                .faults
                .optional_text(&format!("{path}.source"), measurement.source.as_deref());
            self.rows.measurements.push(measurement::ActiveModel {
                id: Set(id::new()),
                kpi_id: Set(id),
                touchpoint_id: Set(None),
                channel_id: Set(None),
                segment_id: Set(None),
                measured_on: Set(measurement.measured_on),
                value: Set(measurement.value),
                numerator: Set(measurement.numerator),
                denominator: Set(measurement.denominator),
                sample_size: Set(measurement.sample_size),
                source: Set(source),
                recorded_at: Set(self.caller.now),
                recorded_by_account_id: Set(None),
                superseded_by_id: Set(None),
            });
        }
    }

    fn link(&mut self, path: &str, kpi: KpiId, place: &document::Place) {
        let blueprint = self
            .blueprints
            .get(&place.blueprint.to_ascii_lowercase())
            .copied();
        let Some(blueprint) = self.look(
            &format!("{path}.blueprint"),
            "blueprint",
            &place.blueprint,
            blueprint,
        ) else {
            return;
        };
        let phase = place.phase.as_ref().and_then(|key| {
            let found = self
                .phases
                .get(&(blueprint, key.to_ascii_lowercase()))
                .copied();
            self.look(&format!("{path}.phase"), "phase", key, found)
        });
        let touchpoint = place
            .touchpoint
            .as_ref()
            .and_then(|key| self.touchpoint_at(&format!("{path}.touchpoint"), blueprint, key));
        if phase.is_some() && touchpoint.is_some() {
            self.wrong(
                path,
                "A link leads to a phase or to a touchpoint, not to both.",
            );
        }
        self.rows.links.push(kpi_link::ActiveModel {
            id: Set(id::new()),
            kpi_id: Set(kpi),
            blueprint_id: Set(blueprint),
            phase_id: Set(phase),
            touchpoint_id: Set(touchpoint),
            valid_from: Set(None),
            valid_to: Set(None),
            weight: Set(None),
            created_at: Set(self.caller.now),
            version: Set(1),
        });
    }

    fn proposal(&mut self, path: &str, proposal: &document::Proposal) {
        let blueprint = self
            .blueprints
            .get(&proposal.blueprint.to_ascii_lowercase())
            .copied();
        let Some(blueprint) = self.look(
            &format!("{path}.blueprint"),
            "blueprint",
            &proposal.blueprint,
            blueprint,
        ) else {
            return;
        };
        let touchpoint = self.touchpoint_at(
            &format!("{path}.touchpoint"),
            blueprint,
            &proposal.touchpoint,
        );
        let department = self.department_at(&format!("{path}.department"), &proposal.department);
        let proposer = proposal
            .proposed_by_department
            .as_ref()
            .and_then(|key| self.department_at(&format!("{path}.proposedByDepartment"), key));
        if !matches!(
            proposal.status,
            ResponsibilityStatus::Proposed | ResponsibilityStatus::Declined
        ) {
            self.wrong(
                &format!("{path}.status"),
                "A proposal is PROPOSED or DECLINED.",
            );
        }
        let (Some(touchpoint), Some(department)) = (touchpoint, department) else {
            return;
        };
        let holder = self.rows.responsibilities.iter().find(|row| {
            row.touchpoint_id == Set(touchpoint)
                && row.role == Set(Role::Accountable)
                && row.status == Set(ResponsibilityStatus::Accepted)
        });
        let replaces = holder
            .filter(|_| proposal.role == Role::Accountable)
            .and_then(|holder| holder.id.try_as_ref().copied());
        let decided =
            (proposal.status == ResponsibilityStatus::Declined).then_some(self.caller.now);
        let row = self.responsibility(blueprint, touchpoint, department, proposal.role);
        self.rows
            .responsibilities
            .push(responsibility::ActiveModel {
                status: Set(proposal.status),
                proposed_by_department_id: Set(proposer),
                replaces_id: Set(replaces),
                decided_at: Set(decided),
                ..row
            });
    }
}
