//! What a batch of answers names, read at once: whether it is there for the caller, whose journey it is, and who
//! delivers it and was accountable.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use entity::{
    account, blueprint, channel, department,
    id::{BlueprintId, DepartmentId, Id, TouchpointId},
    persona, responsibility, segment, touchpoint,
    words::{BlueprintStatus, FeedbackScale, ResponsibilityStatus, Subject},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

use super::{entry::AnswerEntry, rules::accountable_at};
use crate::{
    access::{Guarded, Permit, scope},
    error::{Error, Forbidden, Reason, Result, UserErrorCode},
    input::Faults,
    kpi::answers::is_scale_asked_of,
    policy::{Action, Relation, RowTies},
    responsibility::in_force::ever_in_force_condition,
};

/// What a batch names, as far as the caller may see it.
pub(super) struct AnswerReferences {
    touchpoints: HashMap<TouchpointId, touchpoint::Model>,
    blueprints: HashMap<BlueprintId, blueprint::Model>,
    personas: HashMap<<persona::Entity as Guarded>::Id, persona::Model>,
    channels: HashMap<<channel::Entity as Guarded>::Id, channel::Model>,
    segments: HashMap<<segment::Entity as Guarded>::Id, segment::Model>,
    /// Who ever did it or answered for it at the touchpoints.
    held: HashMap<TouchpointId, Vec<responsibility::Model>>,
}

impl AnswerReferences {
    pub(super) async fn load(permit: &Permit<'_>, entries: &[AnswerEntry]) -> Result<Self> {
        let touchpoints = load_visible_references::<touchpoint::Entity>(permit, entries, |entry| {
            entry.touchpoint
        })
        .await?;
        let named = entries.iter().filter_map(|entry| entry.blueprint);
        // Two statements one after the other: the blueprints of touchpoints are known only when those are read.
        let inside = touchpoints.values().map(|row| row.blueprint_id);
        let blueprints = load_by_ids::<blueprint::Entity>(permit, named.chain(inside)).await?;
        Ok(Self {
            personas: load_visible_references::<persona::Entity>(permit, entries, |entry| {
                entry.persona
            })
            .await?,
            channels: load_visible_references::<channel::Entity>(permit, entries, |entry| {
                entry.channel
            })
            .await?,
            segments: load_visible_references::<segment::Entity>(permit, entries, |entry| {
                entry.segment
            })
            .await?,
            held: load_delivering_responsibilities(permit, touchpoints.keys().copied()).await?,
            touchpoints,
            blueprints,
        })
    }

    /// Refuses the batch where the caller may see one of its touchpoints and not record there. On the relationship as
    /// a whole nobody delivers. A person who delivers records no answers of employees: those who recorded them know
    /// them, and delivering is done among colleagues.
    pub(super) async fn require_recording_permission(
        &self,
        permit: &mut Permit<'_>,
        entries: &[AnswerEntry],
    ) -> Result<()> {
        let of_employees = |entry: &AnswerEntry| self.who_was_asked(entry) == Subject::Employee;
        // Asked only where it matters: most batches have no answers of employees.
        let of_colleagues =
            entries.iter().any(of_employees) && is_recorded_by_person(permit).await?;
        if of_colleagues || entries.iter().any(|entry| entry.touchpoint.is_none()) {
            let nowhere = permit.require(Action::RecordFeedback, &RowTies::none(), None);
            nowhere.map_err(|error| match error {
                Error::Forbidden(forbidden) if of_colleagues => Error::Forbidden(Forbidden {
                    because: Some((
                        Reason::OfEmployees,
                        "Answers of employees are recorded by service accounts and CX managers.",
                    )),
                    ..forbidden
                }),
                other => other,
            })?;
        }
        for (id, row) in &self.touchpoints {
            let delivering = self.held.get(id).into_iter().flatten();
            let delivering =
                delivering.filter(|held| held.status == ResponsibilityStatus::Accepted);
            let departments = delivering.map(|held| held.department_id);
            let ties = RowTies::none().with_departments(Relation::Delivers, departments);
            let blueprint = self.blueprints.get(&row.blueprint_id);
            if blueprint.is_some_and(|blueprint| blueprint.subject == Subject::Employee) {
                // Shown to the leads who deliver there, the event would tell them when an employee answered.
                permit.require_permission_hiding_audit::<touchpoint::Entity>(
                    Action::RecordFeedback,
                    &ties,
                    row,
                )?;
            } else {
                permit.require_permission_on_row::<touchpoint::Entity>(
                    Action::RecordFeedback,
                    &ties,
                    row,
                )?;
            }
        }
        Ok(())
    }

    /// Finds fault with what is not there for the caller, and with what employees are never asked.
    pub(super) fn add_reference_faults(&self, faults: &mut Faults, entries: &[AnswerEntry]) {
        add_missing_reference_faults::<touchpoint::Entity>(
            faults,
            entries,
            &self.touchpoints,
            "touchpointId",
            |one| one.touchpoint,
        );
        add_missing_reference_faults::<blueprint::Entity>(
            faults,
            entries,
            &self.blueprints,
            "blueprintId",
            |one| one.blueprint,
        );
        add_missing_reference_faults::<persona::Entity>(
            faults,
            entries,
            &self.personas,
            "personaId",
            |one| one.persona,
        );
        add_missing_reference_faults::<channel::Entity>(
            faults,
            entries,
            &self.channels,
            "channelId",
            |one| one.channel,
        );
        add_missing_reference_faults::<segment::Entity>(
            faults,
            entries,
            &self.segments,
            "segmentId",
            |one| one.segment,
        );
        for entry in entries {
            self.add_entry_faults(faults, entry);
        }
    }

    fn add_entry_faults(&self, faults: &mut Faults, entry: &AnswerEntry) {
        let touchpoint = entry.touchpoint.and_then(|id| self.touchpoints.get(&id));
        let inside = touchpoint.map(|row| row.blueprint_id);
        if inside.is_some() && entry.blueprint.is_some() && inside != entry.blueprint {
            let message = "The touchpoint is in another blueprint.";
            faults.add(
                &entry.field_path("blueprintId"),
                UserErrorCode::Invalid,
                None,
                message,
            );
        }
        let (subject, blueprint) = (self.who_was_asked(entry), self.blueprint_of(entry));
        if !is_scale_asked_of(entry.scale, subject) {
            let message = match subject {
                Subject::Customer => {
                    "ENPS is for employees, and this blueprint is about customers."
                }
                Subject::Employee => "NPS is for customers; use ENPS for employees.",
            };
            faults.add(
                &entry.field_path("scale"),
                UserErrorCode::Invalid,
                None,
                message,
            );
        }
        if subject == Subject::Employee {
            let blueprint = blueprint.and_then(|id| self.blueprints.get(&id));
            if blueprint.is_some_and(|blueprint| blueprint.published_number.is_none()) {
                let message = "Employees answer about a journey from its first publication on, as a draft that was \
                    never published can be deleted. Publish it first.";
                let field = if entry.touchpoint.is_some() {
                    "touchpointId"
                } else {
                    "blueprintId"
                };
                faults.add(
                    &entry.field_path(field),
                    UserErrorCode::Invalid,
                    None,
                    message,
                );
            }
            for (field, _) in entry
                .identifying_fields()
                .into_iter()
                .filter(|(_, said)| *said)
            {
                let message =
                    "Employees' answers are anonymous: leave out everything but the score.";
                faults.add(
                    &entry.field_path(field),
                    UserErrorCode::Invalid,
                    None,
                    message,
                );
            }
        }
    }

    /// The journey that the answer is about: the touchpoint's, or the one that it names.
    pub(super) fn blueprint_of(&self, entry: &AnswerEntry) -> Option<BlueprintId> {
        let touchpoint = entry.touchpoint.and_then(|id| self.touchpoints.get(&id));
        touchpoint.map(|row| row.blueprint_id).or(entry.blueprint)
    }

    /// Who was asked: by the journey, the persona, or else the scale.
    pub(super) fn who_was_asked(&self, entry: &AnswerEntry) -> Subject {
        let blueprint = self.blueprint_of(entry);
        let found = blueprint.and_then(|id| self.blueprints.get(&id));
        let persona = entry.persona.and_then(|id| self.personas.get(&id));
        let subject = found.map(|row| row.subject);
        // The journey before the persona: a journey of employees stays one, whoever is named in an answer about it.
        let subject = subject.or_else(|| persona.map(|row| row.subject));
        let by_scale = match entry.scale {
            FeedbackScale::Enps => Subject::Employee,
            FeedbackScale::Nps | FeedbackScale::Csat | FeedbackScale::Ces => Subject::Customer,
        };
        subject.unwrap_or(by_scale)
    }

    /// The department that was accountable at the touchpoint at the contact, in a journey that counts.
    pub(super) fn accountable_department(&self, entry: &AnswerEntry) -> Option<DepartmentId> {
        let touchpoint = entry.touchpoint?;
        self.counting_blueprint(entry)?;
        accountable_at(self.held.get(&touchpoint)?, entry.met_at)
    }

    /// The owner of the journey that the answer is about, where that counts.
    pub(super) fn owner_of_blueprint(&self, entry: &AnswerEntry) -> Option<DepartmentId> {
        let blueprint = self.counting_blueprint(entry);
        blueprint.map(|blueprint| blueprint.owner_department_id)
    }

    /// Whether a journey is published, or was before it was archived.
    pub(super) fn is_or_was_published(&self, blueprint: BlueprintId) -> bool {
        let row = self.blueprints.get(&blueprint);
        row.is_some_and(|row| {
            matches!(
                row.status,
                BlueprintStatus::Published | BlueprintStatus::Archived
            )
        })
    }

    fn counting_blueprint(&self, entry: &AnswerEntry) -> Option<&blueprint::Model> {
        let blueprint = self.blueprints.get(&self.blueprint_of(entry)?)?;
        scope::is_published_current_blueprint(blueprint).then_some(blueprint)
    }
}

/// What the entries name of one kind and the caller may see.
async fn load_visible_references<E: Guarded>(
    permit: &Permit<'_>,
    entries: &[AnswerEntry],
    id: impl Fn(&AnswerEntry) -> Option<E::Id>,
) -> Result<HashMap<E::Id, E::Model>>
where
    E::Id: Hash,
{
    load_by_ids::<E>(permit, entries.iter().filter_map(id)).await
}

async fn load_by_ids<E: Guarded>(
    permit: &Permit<'_>,
    ids: impl Iterator<Item = E::Id>,
) -> Result<HashMap<E::Id, E::Model>>
where
    E::Id: Hash,
{
    let ids: BTreeSet<E::Id> = ids.filter(|id| !id.uuid().is_nil()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let select = permit.caller.select::<E>();
    let rows = select
        .filter(E::id_column().is_in(ids))
        .all(permit.tx())
        .await?;
    Ok(rows.into_iter().map(|row| (E::id(&row), row)).collect())
}

/// Finds fault with ids of what is not there, or not for the caller.
fn add_missing_reference_faults<E: Guarded>(
    faults: &mut Faults,
    entries: &[AnswerEntry],
    there: &HashMap<E::Id, E::Model>,
    field: &str,
    id: impl Fn(&AnswerEntry) -> Option<E::Id>,
) where
    E::Id: Hash,
{
    for entry in entries {
        // What could not be read as an id has been found fault with already.
        if id(entry).is_some_and(|id| !id.uuid().is_nil() && !there.contains_key(&id)) {
            let message = format!("There is no such {}.", E::NOUN);
            faults.add(
                &entry.field_path(field),
                UserErrorCode::NotFound,
                None,
                message,
            );
        }
    }
}

async fn load_delivering_responsibilities(
    permit: &Permit<'_>,
    touchpoints: impl Iterator<Item = TouchpointId>,
) -> Result<HashMap<TouchpointId, Vec<responsibility::Model>>> {
    use responsibility::Column;
    let rows = responsibility::Entity::find()
        .filter(Column::TouchpointId.is_in(touchpoints))
        .filter(scope::delivering_role_condition())
        .filter(ever_in_force_condition())
        .all(permit.tx())
        .await?;
    let mut held: HashMap<TouchpointId, Vec<responsibility::Model>> = HashMap::new();
    for row in rows {
        held.entry(row.touchpoint_id).or_default().push(row);
    }
    Ok(held)
}

/// The departments themselves, or who took over from those that are archived; none for one that nobody took over from.
/// None of them can be archived until the act is over.
pub(super) async fn lock_live_successors(
    permit: &Permit<'_>,
    of: BTreeSet<DepartmentId>,
) -> Result<HashMap<DepartmentId, DepartmentId>> {
    let mut known: HashMap<DepartmentId, department::Model> = HashMap::new();
    let mut next = of.clone();
    while !next.is_empty() {
        let rows = department::Entity::find()
            .filter(department::Column::Id.is_in(next))
            // In ascending order, as whoever archives departments locks them: neither waits for the other.
            .order_by_asc(department::Column::Id)
            .lock(LockType::Share)
            .all(permit.tx())
            .await?;
        known.extend(rows.into_iter().map(|row| (row.id, row)));
        next = known
            .values()
            .filter_map(successor)
            .filter(|id| !known.contains_key(id))
            .collect();
    }
    let next = |row: &&department::Model| known.get(&successor(row)?);
    let heir = |id: DepartmentId| {
        // No line is longer than the departments in it, should a circle ever have come in.
        let mut line = std::iter::successors(known.get(&id), next).take(known.len());
        let living = line.find(|row| row.archived_at.is_none())?;
        Some((id, living.id))
    };
    Ok(of.into_iter().filter_map(heir).collect())
}

fn successor(row: &department::Model) -> Option<DepartmentId> {
    row.successor_id.filter(|_| row.archived_at.is_some())
}

/// Whether it is somebody who records, and not a program by a service account: people hold tokens, too.
async fn is_recorded_by_person(permit: &Permit<'_>) -> Result<bool> {
    let Some(id) = permit.caller.account() else {
        return Ok(false);
    };
    let account = account::Entity::find_by_id(id).one(permit.tx()).await?;
    Ok(account.is_none_or(|account| !account.service))
}
