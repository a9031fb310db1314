//! Who answered for what in a blueprint since when, and what it was when it was published, turned into rows. The rules
//! of the handshake hold for what has been as well: one department is accountable at a time.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{
    blueprint,
    id::{DepartmentId, PhaseId, ResponsibilityId, TouchpointId},
    json::Texts,
    phase, publication, responsibility, touchpoint,
    words::{ResponsibilityStatus, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    schema::{PublicationEntry, ResponsibilityEntry},
    shared_rows::SharedRows,
};
use crate::{
    access::Permit,
    document::{
        blueprint::{BlueprintDocumentPatch, Document},
        catalogue::fold_key,
        convert::document_from_complete_patch,
    },
    error::{Error, Reason, Result, UserErrorCode},
    id,
    input::Faults,
    responsibility::in_force::was_ever_in_force,
};

/// A blueprint that was imported, and its parts by their keys.
pub(super) struct BlueprintPartsByKey {
    pub row: blueprint::Model,
    pub phases: HashMap<String, PhaseId>,
    pub touchpoints: HashMap<String, TouchpointId>,
}

impl BlueprintPartsByKey {
    /// A blueprint with its parts as they are in the database.
    pub(super) async fn load(permit: &Permit<'_>, row: blueprint::Model) -> Result<Self> {
        let phases = phase::Entity::find().filter(phase::Column::BlueprintId.eq(row.id));
        let steps = touchpoint::Entity::find().filter(touchpoint::Column::BlueprintId.eq(row.id));
        let phases = phases.all(permit.tx()).await?;
        let steps = steps.all(permit.tx()).await?;
        Ok(Self {
            row,
            phases: phases
                .iter()
                .map(|row| (fold_key(&row.key), row.id))
                .collect(),
            touchpoints: steps
                .iter()
                .map(|row| (fold_key(&row.key), row.id))
                .collect(),
        })
    }

    /// The touchpoint with this key; a fault where there is none.
    pub(super) fn find_touchpoint(
        &self,
        path: &str,
        key: &str,
        faults: &mut Faults,
    ) -> Option<TouchpointId> {
        let found = self.touchpoints.get(&fold_key(key)).copied();
        if found.is_none() {
            let of = &self.row.key;
            let message = format!("There is no touchpoint \"{key}\" in the blueprint \"{of}\".");
            faults.add(path, UserErrorCode::NotFound, None, message);
        }
        found
    }
}

/// The handshakes of a blueprint as rows.
pub(super) fn responsibility_rows(
    (path, said): (&str, &[ResponsibilityEntry]),
    (loaded, shared): (&BlueprintPartsByKey, &SharedRows),
    now: DateTime<Utc>,
    faults: &mut Faults,
) -> Vec<responsibility::Model> {
    let mut rows: Vec<responsibility::Model> = Vec::with_capacity(said.len());
    let mut open = HashSet::new();
    let mut replacing = Vec::new();
    for (at, entry) in said.iter().enumerate() {
        let path = format!("{path}.{at}");
        let at = |field: &str| format!("{path}.{field}");
        let departments = &shared.department_keys;
        let touchpoint = loaded.find_touchpoint(&at("touchpoint"), &entry.touchpoint, faults);
        let department =
            departments.find(&at("department"), "department", &entry.department, faults);
        let proposer = entry.proposed_by_department.as_ref();
        let proposer = proposer.and_then(|key| {
            departments.find(&at("proposedByDepartment"), "department", key, faults)
        });
        let seat = entry.proposed_from_department.as_ref();
        let seat = seat.and_then(|key| {
            departments.find(&at("proposedFromDepartment"), "department", key, faults)
        });
        let proposed_from = seat.or(proposer);
        let replaced = entry.replaces.as_ref();
        let replaced =
            replaced.and_then(|key| departments.find(&at("replaces"), "department", key, faults));
        let tasks = faults.check_texts(&at("tasks"), &entry.tasks);
        let note = faults.check_optional_text(&at("note"), entry.note.as_deref());
        let reason = faults.check_optional_text(&at("reason"), entry.reason.as_deref());
        add_responsibility_time_faults(&path, entry, now, faults);
        let (Some(touchpoint_id), Some(department_id)) = (touchpoint, department) else {
            continue;
        };
        let is_open = matches!(
            entry.status,
            ResponsibilityStatus::Proposed | ResponsibilityStatus::Accepted
        );
        if is_open && !open.insert((touchpoint_id, department_id, entry.role)) {
            let message = "The department holds this role here already, or is offered it.";
            let reason = Some(Reason::AlreadyHeld);
            faults.add(&path, UserErrorCode::Duplicate, reason, message);
        }
        // The index of the row that is pushed next.
        replacing.extend(replaced.map(|replaced| (rows.len(), replaced)));
        rows.push(responsibility::Model {
            id: id::new(),
            blueprint_id: loaded.row.id,
            touchpoint_id,
            department_id,
            role: entry.role,
            status: entry.status,
            tasks: Texts(tasks),
            person_id: None,
            note,
            proposed_by_department_id: proposer,
            proposed_by_account_id: None,
            proposed_from_department_id: proposed_from,
            proposed_at: entry.proposed_at.unwrap_or(now),
            replaces_id: None,
            reason,
            decided_at: entry.decided_at,
            decided_by_account_id: None,
            valid_from: entry.valid_from,
            valid_to: entry.valid_to,
            handed_over_at: entry.handed_over_at,
            handed_over_by_account_id: None,
            unasked: entry.unasked,
            resumes_id: None,
            created_at: now,
            version: 1,
        });
    }
    add_accountable_overlap_faults(path, &rows, faults);
    // Now that all rows are there: a proposal may stand before what it replaces.
    for (at, department) in replacing {
        rows[at].replaces_id = find_accountability(&rows, rows[at].touchpoint_id, department);
    }
    rows
}

/// The accountability of a department at a touchpoint: the one in force, or the last one that was.
fn find_accountability(
    rows: &[responsibility::Model],
    touchpoint: TouchpointId,
    department: DepartmentId,
) -> Option<ResponsibilityId> {
    let held = rows.iter().filter(|row| {
        row.touchpoint_id == touchpoint
            && row.department_id == department
            && row.role == Role::Accountable
            && was_ever_in_force(row)
    });
    // None is less than any moment, though what has no end ends last: so that is compared first.
    held.max_by_key(|row| (row.valid_to.is_none(), row.valid_to))
        .map(|row| row.id)
}

/// Each status has its moments: only what was accepted is in force, only what ended has an end, none lies ahead.
fn add_responsibility_time_faults(
    path: &str,
    said: &ResponsibilityEntry,
    now: DateTime<Utc>,
    faults: &mut Faults,
) {
    let mut wrong = |field: &str, message: &str| {
        let path = format!("{path}.{field}");
        faults.add(&path, UserErrorCode::Invalid, None, message);
    };
    let ended = said.status == ResponsibilityStatus::Ended;
    let in_force = ended || said.status == ResponsibilityStatus::Accepted;
    if said.valid_from.is_some() && !in_force {
        wrong(
            "validFrom",
            "Only a responsibility that was accepted has been in force.",
        );
    }
    match (ended, said.valid_to) {
        (true, None) => wrong("validTo", "A responsibility that has ENDED needs its end."),
        (false, Some(_)) => wrong(
            "validTo",
            "Only a responsibility that has ENDED has an end.",
        ),
        (true, Some(to)) if said.valid_from.is_some_and(|from| from > to) => {
            wrong("validTo", "The end lies before the beginning.");
        }
        _ => {}
    }
    for (field, moment) in [
        ("proposedAt", said.proposed_at),
        ("decidedAt", said.decided_at),
        ("validFrom", said.valid_from),
        ("validTo", said.valid_to),
    ] {
        if moment.is_some_and(|moment| moment > now) {
            wrong(field, "This time is in the future.");
        }
    }
}

/// Adds a fault where two departments are accountable at a touchpoint at the same moment.
fn add_accountable_overlap_faults(path: &str, rows: &[responsibility::Model], faults: &mut Faults) {
    let mut spells: HashMap<TouchpointId, Vec<_>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if row.role == Role::Accountable && was_ever_in_force(row) {
            let spell = (row.valid_from, row.valid_to, at);
            spells.entry(row.touchpoint_id).or_default().push(spell);
        }
    }
    for spells in spells.values_mut() {
        // None sorts first: right for a beginning, which was always, and corrected for an end, which never comes.
        spells.sort_by_key(|(from, to, _)| (*from, to.is_none(), *to));
        // Neighbours are enough: if a spell overlaps a later one, it overlaps the next one, which begins no later.
        for pair in spells.windows(2) {
            let [(_, to, first), (from, _, second)] = pair else {
                continue;
            };
            if to.is_none_or(|to| from.is_none_or(|from| from < to)) {
                let message =
                    format!("One department is accountable at a time: see {path}.{first}.");
                let (path, reason) = (format!("{path}.{second}"), Some(Reason::AccountableTaken));
                faults.add(&path, UserErrorCode::Conflict, reason, message);
            }
        }
    }
}

/// The number of the last publication, and what it holds.
pub(super) type LastPublication = (i32, Document);

/// What a blueprint was, as rows, and the last that was published.
pub(super) fn publication_rows(
    (path, said): (&str, &[PublicationEntry<BlueprintDocumentPatch>]),
    loaded: &BlueprintPartsByKey,
    now: DateTime<Utc>,
    faults: &mut Faults,
) -> Result<(Vec<publication::Model>, Option<LastPublication>)> {
    let mut rows = Vec::with_capacity(said.len());
    let mut last: Option<LastPublication> = None;
    let mut made = None;
    for (at, entry) in said.iter().enumerate() {
        let path = format!("{path}.{at}");
        let mut wrong = |field: &str, message: &str| {
            let path = format!("{path}.{field}");
            faults.add(&path, UserErrorCode::Invalid, None, message);
        };
        if entry.number.is_some_and(|number| number < 1) {
            wrong("number", "Publications are numbered from 1.");
        }
        // `Some` is above `None`: the first number is free, and a publication without one is not compared.
        if entry.number.is_some() && entry.number <= last.as_ref().map(|(number, _)| *number) {
            wrong("number", "Numbers rise.");
        }
        if Some(entry.made_at) < made || entry.made_at > now {
            wrong(
                "madeAt",
                "Publications come one after the other, and none lies ahead.",
            );
        }
        made = Some(entry.made_at);
        let label = entry.label.as_deref();
        let label = label.map(|label| faults.check_name(&format!("{path}.label"), label));
        let document = match document_from_complete_patch(entry.document.clone()) {
            Ok(document) => document,
            Err(_) => {
                let message = "A publication says everything that the blueprint was.";
                let path = format!("{path}.document");
                faults.add(&path, UserErrorCode::Required, None, message);
                continue;
            }
        };
        rows.push(publication::Model {
            id: id::new(),
            blueprint_id: loaded.row.id,
            number: entry.number,
            label,
            revision: loaded.row.revision,
            document: serde_json::to_string(&document).map_err(Error::internal)?,
            made_by_account_id: None,
            created_at: entry.made_at,
        });
        if let Some(number) = entry.number {
            last = Some((number, document));
        }
    }
    Ok((rows, last))
}
