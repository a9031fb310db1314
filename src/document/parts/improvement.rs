//! Improvements in a document: fields and references, the part of a row, the rows of parts, and how those are applied.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use entity::id::{ImprovementId, KpiId, TouchpointId};
use entity::words::ImprovementState;
use entity::{blueprint, improvement, improvement_kpi, improvement_touchpoint};
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, Condition};
use serde::{Deserialize, Serialize};

use crate::document::bounds::{read_optional_day, read_short_list};
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::resolver::{Resolver, RowsByNaturalKey};
use crate::document::target::{CurrentBlueprint, ListsByOwner, WantedRows};
use crate::document::write::{
    delete_unwanted_rows, improvement_kpi_rows, improvement_touchpoint_rows,
    raise_versions_of_changed_lists, replace_rows, upsert_rows,
};
use crate::error::Result;
use crate::id;
use crate::improvement as improvements;
use crate::input::LIST;
use crate::order;
use crate::policy::{Action, Relation, RowTies};
use crate::{access::Permit, audit::AuditSubject};

parts! {
    /// What is to become better, or has.
    ImprovementPart or ImprovementPatch, "improvement", ordered: false, repeats: false,
    natural_key {
        /// Its key, unique in the blueprint.
        key: String,
    }
    fields {
        /// Its title.
        title: String,
        /// What is to be done.
        description: Option<String> = None,
        /// The key of the department that takes care of it.
        owner_department: String,
        /// How much it helps, from 1 to 5.
        impact: Option<i32> = None,
        /// How much it takes, from 1 to 5.
        effort: Option<i32> = None,
        /// Where it stands.
        state: ImprovementState = ImprovementState::Proposed,
        /// What came of it; said once it is DONE or DROPPED.
        result: Option<String> = None,
        /// The day on which it should be done.
        #[serde(deserialize_with = "read_optional_day")]
        target_on: Option<NaiveDate> = None,
        /// The keys of the touchpoints that it is about, in order.
        #[serde(deserialize_with = "read_short_list")]
        touchpoints: Vec<String> = Vec::new(),
        /// The keys of the KPIs that tell whether it works, in order.
        #[serde(deserialize_with = "read_short_list")]
        kpis: Vec<String> = Vec::new(),
    }
}

references! { ImprovementPart or ImprovementPatch {
    owner_department => Department, RemovePart;
    touchpoints => Touchpoint, DropKey;
    kpis => Kpi, DropKey;
}}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn improvement_row_to_part(&self, row: &improvement::Model) -> ImprovementPart {
        // Owner and KPIs as far as the caller may see them, whatever else the canvas shows of them.
        let snapshot = self.snapshot;
        let owner = snapshot
            .owners_of_improvements
            .get(&row.owner_department_id);
        let kpis = snapshot.improvement_kpis.get(&row.id).into_iter().flatten();
        let kpis = kpis.filter_map(|id| snapshot.kpis_of_improvements.get(id));
        ImprovementPart {
            key: row.key.clone(),
            title: row.title.clone(),
            description: row.description.clone(),
            owner_department: owner.map(|row| row.key.clone()).unwrap_or_default(),
            impact: row.impact,
            effort: row.effort,
            state: row.state,
            result: row.result.clone(),
            target_on: row.target_on,
            touchpoints: self.keys(self.snapshot.improvement_touchpoints.get(&row.id)),
            kpis: kpis.map(|row| row.key.clone()).collect(),
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_improvements(
        &mut self,
        parts: &[ImprovementPart],
    ) -> (
        Vec<improvement::Model>,
        ListsByOwner<ImprovementId, TouchpointId>,
        ListsByOwner<ImprovementId, KpiId>,
    ) {
        let mut current = RowsByNaturalKey::new(self.keys.iter().flat_map(|keys| {
            let rows = keys.snapshot.improvements.iter();
            rows.map(|row| (keys.improvement_row_to_part(row), row))
        }));
        let (mut rows, mut improvement_touchpoints, mut improvement_kpis) =
            (Vec::new(), HashMap::new(), HashMap::new());
        for part in parts {
            let path = self.part_positions.path("improvements", part);
            let at = |field: &str| format!("{path}.{field}");
            let found = current.take_stored_part(part);
            let stored = found.as_ref().map(|found| found.row);
            let id = stored.map_or_else(id::new, |stored: &improvement::Model| stored.id);
            let snapshot = self.before.map(|before| &before.snapshot);
            if let Some(stored) = found.and_then(|found| found.unchanged_row(part)) {
                let its = snapshot.map(|snapshot| {
                    (
                        snapshot.improvement_touchpoints.get(&id),
                        snapshot.improvement_kpis.get(&id),
                    )
                });
                let (touchpoints, kpis) = its.unwrap_or_default();
                improvement_touchpoints.insert(id, touchpoints.cloned().unwrap_or_default());
                improvement_kpis.insert(id, kpis.cloned().unwrap_or_default());
                rows.push(stored.clone());
                continue;
            }
            let owner = self.resolve_id(&at("ownerDepartment"), &part.owner_department);
            let touchpoints = self.resolve_ids(&at("touchpoints"), &part.touchpoints);
            let kpis = self.resolve_ids(&at("kpis"), &part.kpis);
            let was = snapshot.and_then(|snapshot| snapshot.improvement_touchpoints.get(&id));
            let touchpoints =
                self.keep_archived_members(&at("touchpoints"), (id.0, LIST), was, touchpoints);
            improvement_touchpoints.insert(id, touchpoints);
            improvement_kpis.insert(id, self.keep_hidden_kpis(id, kpis));
            let Some(owner_department_id) = owner else {
                continue;
            };
            let key =
                self.stored_or_checked_key(&path, stored.map(|stored| &stored.key), &part.key);
            let faults = &mut *self.faults;
            let row = improvement::Model {
                id,
                blueprint_id: self.blueprint,
                key,
                title: faults.check_name(&at("title"), &part.title),
                description: faults
                    .check_optional_text(&at("description"), part.description.as_deref()),
                owner_department_id,
                impact: improvements::check_estimate(faults, &at("impact"), part.impact),
                effort: improvements::check_estimate(faults, &at("effort"), part.effort),
                state: part.state,
                result: faults.check_optional_text(&at("result"), part.result.as_deref()),
                target_on: part
                    .target_on
                    .map(|day| faults.check_day(&at("targetOn"), day)),
                created_at: stored.map_or(self.now, |stored| stored.created_at),
                version: stored.map_or(1, |stored| stored.version),
            };
            improvements::add_missing_result_fault(faults, &path, &row);
            rows.push(row);
        }
        (rows, improvement_touchpoints, improvement_kpis)
    }

    /// The KPIs as they are to be stored: with those of the list as it is that are archived or hidden from the caller.
    fn keep_hidden_kpis(&self, improvement: ImprovementId, wanted: Vec<KpiId>) -> Vec<KpiId> {
        let snapshot = self.before.map(|before| &before.snapshot);
        let was = snapshot.and_then(|snapshot| snapshot.improvement_kpis.get(&improvement));
        let (Some(snapshot), Some(was)) = (snapshot, was) else {
            return wanted;
        };
        let is_hidden = |id| !snapshot.kpis_of_improvements.contains_key(&id);
        order::keep_hidden_members(was, is_hidden, &wanted)
    }
}

/// Refuses improvements that the caller may not make, change or take away: each is its owner's.
pub(crate) fn refuse_forbidden_improvements(
    permit: &Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let snapshot = before.map(|before| &*before.snapshot);
    let current = snapshot.map_or(&[][..], |snapshot| &snapshot.improvements);
    let known: HashMap<_, _> = current.iter().map(|row| (row.id, row)).collect();
    let same = |row: &improvement::Model| {
        let lists = snapshot.is_some_and(|snapshot| {
            snapshot
                .improvement_touchpoints
                .get(&row.id)
                .map_or(&[][..], Vec::as_slice)
                == target
                    .improvement_touchpoints
                    .get(&row.id)
                    .map_or(&[][..], Vec::as_slice)
                && snapshot
                    .improvement_kpis
                    .get(&row.id)
                    .map_or(&[][..], Vec::as_slice)
                    == target
                        .improvement_kpis
                        .get(&row.id)
                        .map_or(&[][..], Vec::as_slice)
        });
        lists && known.get(&row.id).is_some_and(|stored| *stored == row)
    };
    let stay: HashSet<_> = target.improvements.iter().map(|row| row.id).collect();
    let changed = target.improvements.iter().filter(|row| !same(row));
    let was = changed
        .clone()
        .filter_map(|row| known.get(&row.id).copied());
    let gone = current.iter().filter(|row| !stay.contains(&row.id));
    for row in changed.chain(was).chain(gone) {
        let ties =
            RowTies::none().with_departments(Relation::OwnsImprovement, [row.owner_department_id]);
        let subject = Some((blueprint::Entity::TYPE, row.blueprint_id.0));
        permit.require(Action::KeepImprovements, &ties, subject)?;
    }
    Ok(())
}

pub(crate) async fn apply_improvements(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let snapshot = before.map(|before| &*before.snapshot);
    let current = snapshot.map_or(&[][..], |snapshot| &snapshot.improvements);
    let mut rows = target.improvements.clone();
    let rise = |row: &mut improvement::Model| row.version += 1;
    let was = snapshot.map(|snapshot| &snapshot.improvement_touchpoints);
    let improvement_touchpoints = raise_versions_of_changed_lists::<improvement::Entity, _>(
        current,
        &mut rows,
        was,
        &target.improvement_touchpoints,
        rise,
    );
    let was = snapshot.map(|snapshot| &snapshot.improvement_kpis);
    let improvement_kpis = raise_versions_of_changed_lists::<improvement::Entity, _>(
        current,
        &mut rows,
        was,
        &target.improvement_kpis,
        rise,
    );
    upsert_rows::<improvement::Entity>(permit, current, rows).await?;
    let rows = improvement_touchpoint_rows(&improvement_touchpoints, target);
    let old = Condition::all()
        .add(improvement_touchpoint::Column::ImprovementId.is_in(improvement_touchpoints));
    replace_rows::<improvement_touchpoint::Entity>(permit, old, rows).await?;
    let rows = improvement_kpi_rows(&improvement_kpis, target);
    let old = Condition::all().add(improvement_kpi::Column::ImprovementId.is_in(improvement_kpis));
    replace_rows::<improvement_kpi::Entity>(permit, old, rows).await?;
    delete_unwanted_rows::<improvement::Entity>(permit, current, &target.improvements).await
}
