//! Evaluations in a document: fields and references, the part of a row, the rows of parts, and how those are applied.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::id::{EvaluationId, NeedId, PersonaId, TouchpointId};
use entity::words::{Messages, Verdict};
use entity::{evaluation, evaluation_verdict};
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, Condition, Set};
use serde::{Deserialize, Serialize};

use crate::access::Permit;
use crate::document::bounds::{read_day, read_short_object_list};
use crate::document::catalogue::fold_key;
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::reference::{ReferenceField, ReferenceTarget};
use crate::document::resolver::{Resolver, RowsByNaturalKey};
use crate::document::target::{CurrentBlueprint, ListsByOwner, NeedVerdict, WantedRows};
use crate::document::write::{
    delete_unwanted_rows, raise_versions_of_changed_lists, replace_rows, upsert_rows,
};
use crate::error::Result;
use crate::id;
use crate::input::LIST;
use crate::order;

parts! {
    /// A trial of a touchpoint against the persona's needs.
    EvaluationPart or EvaluationPatch, "evaluation", ordered: false, repeats: true,
    natural_key {
        /// The key of the touchpoint.
        touchpoint: String,
        /// The day of the trial.
        #[serde(deserialize_with = "read_day")]
        held_on: NaiveDate,
        /// The key of the account of who tried it.
        #[serde(default)]
        by_account: Option<String>,
        /// The name of who tried it, where they have no account.
        #[serde(default)]
        by_name: Option<String>,
    }
    fields {
        /// Whether its messages fit with those elsewhere; null where nobody looked.
        messages: Option<Messages> = None,
        /// Of CONFLICTING messages: the key of the touchpoint that says something else.
        conflicts_with: Option<String> = None,
        /// Of CONFLICTING messages: what is in conflict.
        conflict: Option<String> = None,
        /// What was found, need by need.
        #[serde(deserialize_with = "read_short_object_list")]
        verdicts: Vec<NeedVerdictItem> = Vec::new(),
        /// A note.
        note: Option<String> = None,
    }
}

/// How a touchpoint meets a need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "verdict")]
pub struct NeedVerdictItem {
    /// The need of the persona, in its own words.
    pub need: String,
    /// Whether it is met.
    pub verdict: Verdict,
}

references! { EvaluationPart or EvaluationPatch {
    touchpoint => Touchpoint, RemovePart;
    // Without who tried it an evaluation is nobody's.
    by_account => Account, RemovePart;
    // Whoever prunes that touchpoint has to say what becomes of the conflict.
    conflicts_with => Touchpoint, Report;
    verdicts => Need, DropKey;
}}

impl ReferenceField for NeedVerdictItem {
    fn keys(&self) -> Vec<&String> {
        self.need.keys()
    }

    fn keys_mut(&mut self) -> Vec<&mut String> {
        self.need.keys_mut()
    }

    fn retain_keys(&mut self, keep: &dyn Fn(&str) -> bool) -> bool {
        self.need.retain_keys(keep)
    }
}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn evaluation_row_to_part(&self, row: &evaluation::Model) -> EvaluationPart {
        let verdicts = self
            .snapshot
            .evaluation_verdicts
            .get(&row.id)
            .into_iter()
            .flatten();
        let needs = &self.snapshot.canvas.needs;
        let item = |(need, verdict): &NeedVerdict| {
            let need = needs.iter().find(|row| row.id == *need)?;
            Some(NeedVerdictItem {
                need: need.text.clone(),
                verdict: *verdict,
            })
        };
        let conflicts_with = self.optional_key(row.conflicts_with_id);
        // A conflict with an archived touchpoint is out of sight with it.
        let is_conflict_shown = row.conflicts_with_id.is_none() || conflicts_with.is_some();
        EvaluationPart {
            touchpoint: self.key(row.touchpoint_id),
            held_on: row.held_on,
            by_account: self.optional_key(row.by_account_id),
            by_name: row.by_name.clone(),
            messages: row.messages.filter(|_| is_conflict_shown),
            conflicts_with,
            conflict: row.conflict.clone().filter(|_| is_conflict_shown),
            verdicts: verdicts.filter_map(item).collect(),
            note: row.note.clone(),
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_evaluations(
        &mut self,
        parts: &[EvaluationPart],
        needs_of: Option<PersonaId>,
    ) -> (
        Vec<evaluation::Model>,
        ListsByOwner<EvaluationId, NeedVerdict>,
    ) {
        let mut current = RowsByNaturalKey::new(self.keys.iter().flat_map(|keys| {
            let rows = keys.snapshot.evaluations.iter();
            rows.map(|row| (keys.evaluation_row_to_part(row), row))
        }));
        let (mut rows, mut verdicts) = (Vec::new(), HashMap::new());
        for (part, found) in parts.iter().zip(current.match_parts(parts)) {
            let path = self.part_positions.path("evaluations", part);
            let at = |field: &str| format!("{path}.{field}");
            let stored = found.as_ref().map(|found| found.row);
            let id = stored.map_or_else(id::new, |stored: &evaluation::Model| stored.id);
            if let Some(stored) = found.as_ref().and_then(|found| found.unchanged_row(part)) {
                let before = self.before.into_iter();
                let its = before.filter_map(|before| before.snapshot.evaluation_verdicts.get(&id));
                verdicts.insert(id, its.flatten().copied().collect());
                rows.push(stored.clone());
                continue;
            }
            let touchpoint = self.resolve_id(&at("touchpoint"), &part.touchpoint);
            let other = part.conflicts_with.as_ref();
            let other: Option<TouchpointId> =
                other.and_then(|key| self.resolve_id(&at("conflictsWith"), key));
            let by = part.by_account.as_ref();
            let by = by.and_then(|key| self.resolve_id(&at("byAccount"), key));
            let wanted = self.resolve_verdicts(&at("verdicts"), &part.verdicts, needs_of);
            verdicts.insert(id, self.keep_verdicts_on_other_needs(id, wanted));
            let Some(touchpoint_id) = touchpoint else {
                continue;
            };
            let conflict = part.conflict.as_deref();
            let conflict = self.faults.check_optional_text(&at("conflict"), conflict);
            // A conflict with an archived touchpoint is not shown, and stays where nothing else is said.
            let hidden = found.filter(|found| found.part.conflicts_with.is_none());
            let hidden = hidden.map(|found| found.row);
            let hidden = hidden.filter(|stored| stored.conflicts_with_id.is_some());
            let (messages, conflicts_with_id, conflict) = match hidden {
                Some(stored) if (part.messages, other, &conflict) == (None, None, &None) => (
                    stored.messages,
                    stored.conflicts_with_id,
                    stored.conflict.clone(),
                ),
                _ => (part.messages, other, conflict),
            };
            if stored.is_none_or(|stored| stored.held_on != part.held_on) {
                self.faults
                    .check_day_has_come(&at("heldOn"), part.held_on, self.today);
            }
            let by_name = part.by_name.as_deref();
            let row = evaluation::Model {
                id,
                blueprint_id: self.blueprint,
                touchpoint_id,
                held_on: part.held_on,
                by_account_id: by,
                by_name: by_name.map(|name| self.faults.check_name(&at("byName"), name)),
                messages,
                conflicts_with_id,
                conflict,
                note: self
                    .faults
                    .check_optional_text(&at("note"), part.note.as_deref()),
                created_at: stored.map_or(self.now, |stored| stored.created_at),
                version: stored.map_or(1, |stored| stored.version),
            };
            crate::evaluation::add_contradiction_faults(self.faults, &path, &row);
            rows.push(row);
        }
        (rows, verdicts)
    }

    /// The verdicts as they are to be stored: with those on needs of a persona that the blueprint showed before.
    fn keep_verdicts_on_other_needs(
        &self,
        evaluation: EvaluationId,
        verdicts: Vec<NeedVerdict>,
    ) -> Vec<NeedVerdict> {
        let Some(before) = self.before else {
            return verdicts;
        };
        let stored = before.snapshot.evaluation_verdicts.get(&evaluation);
        let stored = stored.map_or(&[][..], Vec::as_slice);
        let needs = &before.snapshot.canvas.needs;
        let is_of_another = |need: NeedId| needs.iter().all(|row| row.id != need);
        let ids = |list: &[NeedVerdict]| list.iter().map(|(need, _)| *need).collect::<Vec<_>>();
        let order = order::keep_hidden_members(&ids(stored), is_of_another, &ids(&verdicts));
        let verdict_on = |need: NeedId| {
            let mut all = verdicts.iter().chain(stored);
            all.find(|(judged, _)| *judged == need).copied()
        };
        order.into_iter().filter_map(verdict_on).collect()
    }

    fn resolve_verdicts(
        &mut self,
        path: &str,
        verdicts: &[NeedVerdictItem],
        persona: Option<PersonaId>,
    ) -> Vec<NeedVerdict> {
        self.faults.check_list_length(path, verdicts.len());
        let mut found: Vec<NeedVerdict> = Vec::new();
        for (at, NeedVerdictItem { need, verdict }) in verdicts.iter().take(LIST).enumerate() {
            let id = persona.and_then(|persona| {
                let need = (persona, fold_key(need));
                self.catalogue.needs.get(&need).copied()
            });
            // Where the persona becomes another one, what was found about its needs so far stays.
            let id = id.or_else(|| {
                let needs = self.before.into_iter();
                let mut needs = needs.flat_map(|before| &before.snapshot.canvas.needs);
                let same = needs.find(|row| fold_key(&row.text) == fold_key(need));
                same.map(|row| row.id)
            });
            let path = format!("{path}.{at}.need");
            match self.found_or_fault(&path, ReferenceTarget::Need, need, id) {
                Some(id) if found.iter().any(|(met, _)| *met == id) => {
                    self.add_invalid_fault(&path, "This need is in the list already.");
                }
                id => found.extend(id.map(|id| (id, *verdict))),
            }
        }
        found
    }
}

pub(crate) async fn apply_evaluations(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let snapshot = before.map(|before| &*before.snapshot);
    let current = snapshot.map_or(&[][..], |snapshot| &snapshot.evaluations);
    let mut rows = target.evaluations.clone();
    let was = snapshot.map(|snapshot| &snapshot.evaluation_verdicts);
    let rise = |row: &mut evaluation::Model| row.version += 1;
    let changed = raise_versions_of_changed_lists::<evaluation::Entity, _>(
        current,
        &mut rows,
        was,
        &target.evaluation_verdicts,
        rise,
    );
    upsert_rows::<evaluation::Entity>(permit, current, rows).await?;
    let rows = changed.iter().flat_map(|evaluation| {
        let verdicts = target
            .evaluation_verdicts
            .get(evaluation)
            .into_iter()
            .flatten();
        let verdicts = verdicts.zip(1..);
        verdicts.map(
            |((need, verdict), position)| evaluation_verdict::ActiveModel {
                evaluation_id: Set(*evaluation),
                need_id: Set(*need),
                position: Set(position),
                verdict: Set(*verdict),
            },
        )
    });
    let rows: Vec<_> = rows.collect();
    let old = Condition::all().add(evaluation_verdict::Column::EvaluationId.is_in(changed));
    replace_rows::<evaluation_verdict::Entity>(permit, old, rows).await?;
    delete_unwanted_rows::<evaluation::Entity>(permit, current, &target.evaluations).await
}
