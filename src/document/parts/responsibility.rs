//! Responsibilities in a document: fields and references, the part of a row, and the rows of parts.

use std::collections::HashMap;

use entity::id::TouchpointId;
use entity::responsibility;
use entity::words::{ResponsibilityStatus, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::bounds::read_short_list;
use crate::document::catalogue::fold_key;
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::resolver::{Resolver, RowsByNaturalKey};
use crate::document::target::WantedResponsibility;
use crate::error::{Reason, UserErrorCode};
use crate::text::quote_for_message;

parts! {
    /// A role of a department at a touchpoint.
    ResponsibilityPart or ResponsibilityPatch, "responsibility", ordered: false, repeats: false,
    natural_key {
        /// The key of the touchpoint.
        touchpoint: String,
        /// The key of the department.
        department: String,
        /// Which role.
        role: Role,
    }
    fields {
        /// PROPOSED or ACCEPTED; absent keeps what is there, and a new one is PROPOSED. What is ACCEPTED is in force at
        /// once from a CX manager without a seat at or above the department, and is listed for its leads until they
        /// confirm or end it; from others it arrives as a proposal.
        status: ResponsibilityStatus = ResponsibilityStatus::Proposed,
        /// What the department does.
        #[serde(deserialize_with = "read_short_list")]
        tasks: Vec<String> = Vec::new(),
        /// The key of the person who does it.
        person: Option<String> = None,
    }
}

references! { ResponsibilityPart or ResponsibilityPatch {
    touchpoint => Touchpoint, RemovePart;
    department => Department, Report;
    person => Account, Report;
}}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn responsibility_row_to_part(
        &self,
        row: &responsibility::Model,
    ) -> ResponsibilityPart {
        ResponsibilityPart {
            touchpoint: self.key(row.touchpoint_id),
            department: self.key(row.department_id),
            role: row.role,
            status: row.status,
            tasks: row.tasks.0.clone(),
            person: self.optional_key(row.person_id),
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_responsibilities(
        &mut self,
        parts: &[ResponsibilityPart],
    ) -> Vec<WantedResponsibility> {
        let mut current = RowsByNaturalKey::new(self.keys.iter().flat_map(|keys| {
            let rows = keys.snapshot.canvas.responsibilities.iter();
            rows.map(|row| (keys.responsibility_row_to_part(row), row.clone()))
        }));
        let mut accountable: HashMap<TouchpointId, &String> = HashMap::new();
        let mut wanted = Vec::new();
        for part in parts {
            let path = self.part_positions.path("responsibilities", part);
            let at = |field: &str| format!("{path}.{field}");
            let touchpoint = self.resolve_id(&at("touchpoint"), &part.touchpoint);
            let department = self.resolve_id(&at("department"), &part.department);
            let person = part.person.as_ref();
            let person = person.and_then(|key| self.resolve_id(&at("person"), key));
            let tasks = self.faults.check_texts(&at("tasks"), &part.tasks);
            let accepted = part.status == ResponsibilityStatus::Accepted;
            if !accepted && part.status != ResponsibilityStatus::Proposed {
                self.add_invalid_fault(
                    &at("status"),
                    "This has to be PROPOSED or ACCEPTED: history cannot be imported.",
                );
            }
            let (Some(touchpoint), Some(department)) = (touchpoint, department) else {
                continue;
            };
            // Who is accountable and not named gives way to who is named.
            if accepted
                && part.role == Role::Accountable
                && self
                    .part_positions
                    .contains_part("responsibilities", part.natural_key())
                && let first = *accountable.entry(touchpoint).or_insert(&part.department)
                && fold_key(first) != fold_key(&part.department)
            {
                let message = format!(
                    "One department is accountable at a touchpoint, and \"{}\" is named already.",
                    quote_for_message(first)
                );
                let reason = Some(Reason::AccountableTaken);
                self.faults
                    .add(&path, UserErrorCode::Conflict, reason, message);
            }
            wanted.push(WantedResponsibility {
                touchpoint,
                department,
                role: part.role,
                accepted,
                tasks,
                person,
                current: current.take_row_of(part),
                path,
            });
        }
        wanted
    }
}
