//! Insights in a document: fields and references, the part of a row, the rows of parts, and how those are applied.

use std::collections::{HashMap, HashSet};

use entity::id::{InsightId, PersonaId, SourceId};
use entity::json::Texts;
use entity::words::{Basis, InsightKind, Subject};
use entity::{insight, insight_source, source};
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set};
use serde::{Deserialize, Serialize};

use crate::access::Permit;
use crate::document::bounds::read_short_list;
use crate::document::catalogue::fold_key;
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::resolver::{Resolver, RowsByNaturalKey};
use crate::document::target::{CurrentBlueprint, ListsByOwner, WantedRows};
use crate::document::write::{
    delete_unwanted_rows, insight_source_rows, raise_versions_of_changed_lists, replace_rows,
    upsert_rows,
};
use crate::error::Result;
use crate::id;
use crate::insight as insights;
use crate::insight::source::refuse_if_observed_by_it_alone;
use crate::snapshot::WholeBlueprint;

parts! {
    /// What is known at a touchpoint, of a phase, or with neither of the whole.
    InsightPart or InsightPatch, "insight", ordered: false, repeats: false,
    natural_key {
        /// Its key, unique in the blueprint.
        key: String,
    }
    fields {
        /// The key of the touchpoint.
        touchpoint: Option<String> = None,
        /// The key of the phase.
        phase: Option<String> = None,
        /// What kind of knowledge it is.
        kind: InsightKind,
        /// What is known.
        text: String,
        /// Whether the text is what somebody said, word for word.
        quote: bool = false,
        /// The key of the persona that it is known of; null for all.
        persona: Option<String> = None,
        /// How it is known; OBSERVED only with a source.
        basis: Basis = Basis::Assumed,
        /// The titles of the sources that it rests on, in order.
        #[serde(deserialize_with = "read_short_list")]
        sources: Vec<String> = Vec::new(),
        /// Of a QUESTION: why, and why that.
        #[serde(deserialize_with = "read_short_list")]
        whys: Vec<String> = Vec::new(),
        /// Of an INFORMATION_NEED: what answers it.
        answer: Option<String> = None,
        /// Of a QUESTION: the key of the insight that answers it.
        answered_by: Option<String> = None,
    }
}

references! { InsightPart or InsightPatch {
    touchpoint => Touchpoint, RemovePart;
    phase => Phase, RemovePart;
    persona => Persona, DropKey;
    sources => Source, Report;
    answered_by => Insight, DropKey;
}}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn insight_row_to_part(&self, row: &insight::Model) -> InsightPart {
        InsightPart {
            key: row.key.clone(),
            touchpoint: self.optional_key(row.touchpoint_id),
            phase: self.optional_key(row.phase_id),
            kind: row.kind,
            text: row.text.clone(),
            quote: row.quote,
            persona: self.optional_key(row.persona_id),
            basis: row.basis,
            sources: self.keys(self.snapshot.insight_sources.get(&row.id)),
            whys: row.whys.0.clone(),
            answer: row.answer.clone(),
            answered_by: self.optional_key(row.answered_by_id),
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_insights(
        &mut self,
        parts: &[InsightPart],
    ) -> (Vec<insight::Model>, ListsByOwner<InsightId, SourceId>) {
        let mut current = RowsByNaturalKey::new(self.keys.iter().flat_map(|keys| {
            let rows = keys.snapshot.insights.iter();
            rows.map(|row| (keys.insight_row_to_part(row), row))
        }));
        // All ids first: a question may stand before the insight that answers it.
        let identified: Vec<_> = parts
            .iter()
            .map(|part| {
                let found = current.take_stored_part(part);
                let row = found.as_ref().map(|found| found.row);
                let id = row.map_or_else(id::new, |row: &insight::Model| row.id);
                self.insights.insert(fold_key(&part.key), id);
                (part, id, found)
            })
            .collect();
        let archived = self.before.into_iter();
        let archived = archived.flat_map(|before| &before.snapshot.archived_insights);
        let archived_keys: HashSet<String> = archived.map(|row| fold_key(&row.key)).collect();
        let (mut rows, mut insight_sources) = (Vec::new(), HashMap::new());
        let mut answers = Vec::new();
        for (part, id, found) in identified {
            let stored = found.as_ref().map(|found| found.row);
            let path = self.part_positions.path("insights", part);
            let at = |field: &str| format!("{path}.{field}");
            let touchpoint = self.resolve_optional_id(&at("touchpoint"), part.touchpoint.as_ref());
            let phase = self.resolve_optional_id(&at("phase"), part.phase.as_ref());
            if part.touchpoint.is_some() && part.phase.is_some() {
                self.add_invalid_fault(
                    &path,
                    "An insight is about a phase or a touchpoint, not both.",
                );
            }
            let persona = part.persona.as_ref();
            let persona = persona
                .and_then(|key| self.resolve_id::<(PersonaId, Subject)>(&at("persona"), key));
            let answered_by = part.answered_by.as_ref();
            let answered_by = match answered_by {
                Some(key) => self.resolve_id(&at("answeredBy"), key),
                // What answers it may be at an archived touchpoint, and is then not shown.
                None => found
                    .as_ref()
                    .filter(|found| found.part.answered_by.is_none())
                    .and_then(|found| found.row.answered_by_id),
            };
            let sources: Vec<SourceId> = self.resolve_ids(&at("sources"), &part.sources);
            let (Some(touchpoint_id), Some(phase_id)) = (touchpoint, phase) else {
                continue;
            };
            let fixed = stored.filter(|stored| {
                (stored.touchpoint_id, stored.phase_id, stored.kind)
                    != (touchpoint_id, phase_id, part.kind)
            });
            if fixed.is_some() {
                self.add_invalid_fault(
                    &path,
                    "Place and kind of an insight cannot be changed; create another one.",
                );
            }
            if stored.is_none() {
                self.check_key_is_not_archived(&path, &part.key, &archived_keys);
            }
            if let Some(stored) = found.and_then(|found| found.unchanged_row(part)) {
                if let Some(answer) = stored.answered_by_id {
                    answers.push((id, at("answeredBy"), answer));
                }
                insight_sources.insert(id, sources);
                rows.push(stored.clone());
                continue;
            }
            let row = insight::Model {
                id,
                blueprint_id: self.blueprint,
                key: self.stored_or_checked_key(&path, stored.map(|stored| &stored.key), &part.key),
                phase_id,
                touchpoint_id,
                persona_id: persona.map(|(persona, _)| persona),
                kind: part.kind,
                text: self.faults.check_required_text(&at("text"), &part.text),
                quote: part.quote,
                basis: part.basis,
                whys: Texts(self.faults.check_texts(&at("whys"), &part.whys)),
                answer: self
                    .faults
                    .check_optional_text(&at("answer"), part.answer.as_deref()),
                answered_by_id: answered_by,
                created_at: stored.map_or(self.now, |stored| stored.created_at),
                version: stored.map_or(1, |stored| stored.version),
            };
            let asked = sources.iter();
            let asked = asked
                .filter(|id| !self.planned_sources.contains(id))
                .count();
            insights::add_contradiction_faults(self.faults, &path, &row, asked);
            insight_sources.insert(id, sources);
            if let Some(answer) = row.answered_by_id.filter(|answer| *answer != id) {
                answers.push((id, at("answeredBy"), answer));
            }
            rows.push(row);
        }
        self.add_answer_circle_faults(&answers);
        (rows, insight_sources)
    }

    /// Adds a fault for each circle of questions that answer one another.
    fn add_answer_circle_faults(&mut self, answers: &[(InsightId, String, InsightId)]) {
        let said = answers.iter();
        let said = said.map(|(question, _, answer)| (*question, *answer));
        // A circle may go through a question at an archived touchpoint.
        let hidden = self.before.into_iter();
        let hidden = hidden.flat_map(|before| &before.snapshot.archived_insights);
        let hidden = hidden.filter_map(|row| Some((row.id, row.answered_by_id?)));
        let onward: HashMap<InsightId, InsightId> = hidden.chain(said).collect();
        // Each question by the walk that came to it first: a walk that meets itself has gone in a circle.
        let mut walks: HashMap<InsightId, InsightId> = HashMap::new();
        for (start, path, _) in answers {
            let mut next = Some(*start);
            while let Some(at) = next.filter(|at| !walks.contains_key(at)) {
                walks.insert(at, *start);
                next = onward.get(&at).copied();
            }
            if next.is_some_and(|met| walks.get(&met) == Some(start)) {
                self.add_invalid_fault(path, insights::CIRCLE);
            }
        }
    }
}

/// Sources and insights.
pub(crate) async fn apply_insights(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let snapshot = before.map(|before| &*before.snapshot);
    let sources = snapshot.map_or(&[][..], |snapshot| &snapshot.sources);
    upsert_rows::<source::Entity>(permit, sources, target.sources.clone()).await?;
    let current = snapshot.map_or(&[][..], |snapshot| &snapshot.insights);
    let known: HashSet<InsightId> = current.iter().map(|row| row.id).collect();
    let mut rows = target.insights.clone();
    let was = snapshot.map(|snapshot| &snapshot.insight_sources);
    let rise = |row: &mut insight::Model| row.version += 1;
    let changed = raise_versions_of_changed_lists::<insight::Entity, _>(
        current,
        &mut rows,
        was,
        &target.insight_sources,
        rise,
    );
    let mut answered = Vec::new();
    for row in &mut rows {
        // An answer may come after its question: the question learns of it when both are there.
        if !known.contains(&row.id) {
            answered.extend(row.answered_by_id.take().map(|answer| (row.id, answer)));
        }
    }
    let fresh = |row: &insight::Model| !known.contains(&row.id);
    let (fresh, kept): (Vec<_>, Vec<_>) = rows.into_iter().partition(fresh);
    // New ones first: a kept question may name a new insight as its answer.
    upsert_rows::<insight::Entity>(permit, current, fresh).await?;
    upsert_rows::<insight::Entity>(permit, current, kept).await?;
    for (question, answer) in answered {
        insight::Entity::update_many()
            .filter(insight::Column::Id.eq(question))
            .set(insight::ActiveModel {
                answered_by_id: Set(Some(answer)),
                ..Default::default()
            })
            .exec(permit.tx())
            .await?;
    }
    let rows = insight_source_rows(&changed, target);
    let old = Condition::all().add(insight_source::Column::InsightId.is_in(changed));
    replace_rows::<insight_source::Entity>(permit, old, rows).await?;
    let stay: HashSet<InsightId> = target.insights.iter().map(|row| row.id).collect();
    let lost = current.iter().map(|row| row.id);
    let lost: Vec<InsightId> = lost.filter(|id| !stay.contains(id)).collect();
    if !lost.is_empty() {
        insights::open_questions_answered_by(permit, &lost).await?;
    }
    delete_unwanted_rows::<insight::Entity>(permit, current, &target.insights).await?;
    let mut stay = target.sources.clone();
    if let Some(snapshot) = snapshot {
        let rested_on = load_sources_of_archived_insights(permit, snapshot).await?;
        stay.extend(
            sources
                .iter()
                .filter(|row| rested_on.contains(&row.id))
                .cloned(),
        );
        let was_planned = |id: SourceId| sources.iter().any(|row| row.id == id && row.planned);
        for row in &target.sources {
            if row.planned && rested_on.contains(&row.id) && !was_planned(row.id) {
                refuse_if_observed_by_it_alone(permit, row, "sources").await?;
            }
        }
    }
    delete_unwanted_rows::<source::Entity>(permit, sources, &stay).await
}

/// The sources on which insights at archived touchpoints and phases rest: they stay, and come back with those.
async fn load_sources_of_archived_insights(
    permit: &Permit<'_>,
    snapshot: &WholeBlueprint,
) -> Result<HashSet<SourceId>> {
    let archived = snapshot.archived_insights.iter().map(|row| row.id);
    let sources: Vec<SourceId> = insight_source::Entity::find()
        .select_only()
        .column(insight_source::Column::SourceId)
        .filter(insight_source::Column::InsightId.is_in(archived))
        .into_tuple()
        .all(permit.tx())
        .await?;
    Ok(sources.into_iter().collect())
}
