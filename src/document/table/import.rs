//! Takes a table into a blueprint, as a document is taken: all of it or nothing. What is wrong is told by line and
//! column of the sheet.

use std::collections::HashSet;

use entity::{blueprint, id::BlueprintId, phase, touchpoint};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, prelude::DateTimeUtc};

use super::{
    columns::{COLUMNS, PHASE, PHASE_NAME, STAGE, role_heading},
    made_key::{KeptThing, KeptThings},
    read::{NamedPhase, TouchpointTable},
};
use crate::{
    access::{Caller, Permit},
    compute::WorkBudget,
    document::{
        archiving::NamedPlaces,
        authority::ImportConsent,
        blueprint::{BlueprintDocumentPatch, Document, FORMAT, PhasePatch},
        bounds::PatchList,
        catalogue::fold_key,
        export::STEPS_PER_ROW,
        import::{
            ImportOptions, ImportReport, commit_and_report, lock_blueprint_for_import, reconcile,
        },
        part::PatchField,
        reference::ReferencedKeys,
        target::CurrentBlueprint,
    },
    error::{Error, Result, UserError},
    input::{By, Faults},
    sheet::CellRef,
};

/// Brings a blueprint to what a table says. Pruning archives the touchpoints that no row names; phases stay.
pub async fn import_table(
    caller: &Caller,
    which: &By,
    mut table: TouchpointTable,
    how: ImportOptions,
) -> Result<ImportReport> {
    let mut permit = caller.open_permit_without_check().await?;
    let found = caller.select::<blueprint::Entity>();
    let found = found.filter(caller.id_or_key_condition::<blueprint::Entity>(which)?);
    let found = found.one(permit.tx()).await?;
    let found = found.ok_or_else(|| Error::not_found("blueprint", "blueprint"))?;
    let row = lock_blueprint_for_import(&mut permit, found.id, how.expected_revision).await?;
    if table.has_made_keys() {
        let mut faults = Faults::default();
        table.tell_apart(&load_kept_things(&permit, found.id).await?, &mut faults);
        faults.in_order_of_lines().check()?;
    }
    let phases = table.phases.iter().map(|phase| &phase.key);
    let named = NamedPlaces::of_sheet(phases, &table.touchpoints, how.prune);
    let before = CurrentBlueprint::load(&mut permit, row, &named).await?;
    let laid = move |steps: &WorkBudget| {
        steps.spend(STEPS_PER_ROW * before.0.snapshot.row_count())?;
        let current = Document::from_snapshot(&before.0.snapshot);
        let base = table.current_without_unnamed(&current);
        let phases = table.phase_patches(&current);
        Ok(((before, current.key), (table, base, phases)))
    };
    let ((before, key), (table, base, (phases, first_rows))) =
        caller.run_on_compute_pool(laid).await?;
    let places = SheetFaultLocator {
        table: &table,
        first_rows,
    };
    let said = BlueprintDocumentPatch {
        format: FORMAT.to_owned(),
        key,
        phases: PatchList(Some(phases)),
        touchpoints: PatchList(Some(table.touchpoints.clone())),
        responsibilities: PatchList(Some(table.responsibilities.clone())),
        ..BlueprintDocumentPatch::default()
    };
    let taken = reconcile(
        &mut permit,
        Some(before),
        (Some(base), said, false),
        ImportConsent::Own,
        ReferencedKeys::new(),
    )
    .await;
    let taken = taken.map_err(|error| places.point_faults_to_cells(error))?;
    commit_and_report(permit, Some(found), taken, how).await
}

/// A blueprint's touchpoints and phases, archived ones too, as they keep their keys.
async fn load_kept_things(permit: &Permit<'_>, blueprint: BlueprintId) -> Result<KeptThings> {
    macro_rules! kept {
        ($table:ident) => {
            $table::Entity::find()
                .select_only()
                .column($table::Column::Key)
                .column($table::Column::Name)
                .column($table::Column::ArchivedAt)
                .filter($table::Column::BlueprintId.eq(blueprint))
                .into_tuple::<(String, String, Option<DateTimeUtc>)>()
                .all(permit.tx())
                .await?
                .into_iter()
                .map(|(key, name, archived_at)| KeptThing {
                    key,
                    name,
                    is_archived: archived_at.is_some(),
                })
                .collect()
        };
    }
    Ok(KeptThings {
        touchpoints: kept!(touchpoint),
        phases: kept!(phase),
    })
}

impl TouchpointTable {
    /// The blueprint without the departments that the table does not name in columns that it says are complete.
    fn current_without_unnamed(&self, current: &Document) -> Document {
        let named: HashSet<String> = self
            .touchpoints
            .iter()
            .map(|said| fold_key(&said.key))
            .collect();
        let held = self.responsibilities.iter();
        let stays: HashSet<_> = held
            .map(|said| {
                (
                    fold_key(&said.touchpoint),
                    fold_key(&said.department),
                    said.role,
                )
            })
            .collect();
        let mut base = current.clone();
        base.responsibilities.retain(|part| {
            let touchpoint = fold_key(&part.touchpoint);
            !(self.complete.contains(&part.role) && named.contains(&touchpoint))
                || stays.contains(&(touchpoint, fold_key(&part.department), part.role))
        });
        base
    }

    /// What is said of the phases, and on which row: those that are there keep their order, and a new one comes after
    /// the one above it in the table.
    fn phase_patches(&self, current: &Document) -> (Vec<PhasePatch>, Vec<Option<usize>>) {
        let there = current.phases.iter().map(|part| (part.key.clone(), None));
        let mut all: Vec<(String, Option<&NamedPhase>)> = there.collect();
        let mut next = 0;
        for phase in &self.phases {
            let at = all
                .iter()
                .position(|(key, _)| fold_key(key) == fold_key(&phase.key));
            let at = at.unwrap_or_else(|| {
                all.insert(next, (phase.key.clone(), None));
                next
            });
            if let Some((_, said)) = all.get_mut(at) {
                *said = Some(phase);
            }
            next = at + 1;
        }
        all.into_iter()
            .map(|(key, said)| {
                let name = said.and_then(|said| said.name.as_ref());
                let stage = said.and_then(|said| said.stage.as_ref());
                let phase = PhasePatch {
                    key,
                    name: PatchField(name.map(|(name, _)| name.clone())),
                    stage: PatchField(stage.map(|(stage, _)| *stage)),
                    customer_goal: PatchField(None),
                    timing: PatchField(None),
                    segments: PatchField(None),
                    prompt: PatchField::default(),
                };
                (phase, said.map(|said| said.row))
            })
            .unzip()
    }
}

/// Where in the sheet the parts stand that a document was made of.
struct SheetFaultLocator<'t> {
    table: &'t TouchpointTable,
    /// For each phase its first row.
    first_rows: Vec<Option<usize>>,
}

impl SheetFaultLocator<'_> {
    /// A failure with the places of its faults in the sheet, from top to bottom.
    fn point_faults_to_cells(&self, error: Error) -> Error {
        let Error::Refused(faults) = error else {
            return error;
        };
        let faults = faults
            .into_iter()
            .map(|fault| (self.find_cell(&fault.field), fault));
        let mut faults: Vec<(Option<CellRef>, UserError)> = faults.collect();
        faults.sort_by_cached_key(|(place, _)| place.clone());
        let told = faults.into_iter().map(|(place, fault)| match place {
            Some(place) => {
                let message = format!("{place}: {}", fault.message);
                UserError::new(&place.fault_path(), fault.code, fault.reason, message)
            }
            None => fault,
        });
        Error::Refused(told.collect())
    }

    /// The place of a path in the document.
    fn find_cell(&self, path: &[String]) -> Option<CellRef> {
        let mut path = path.iter().map(String::as_str);
        let (list, at) = (path.next()?, path.next()?.parse::<usize>().ok()?);
        let field = path.next().unwrap_or_default();
        let (row, name) = match list {
            "touchpoints" => (
                at,
                *COLUMNS
                    .iter()
                    .find(|name| **name == field)
                    .unwrap_or(&"key"),
            ),
            "responsibilities" => {
                let role = self.table.responsibilities.get(at)?.role;
                (*self.table.row_of.get(at)?, role_heading(role))
            }
            "phases" => {
                let name = match field {
                    "name" => PHASE_NAME,
                    "stage" => STAGE,
                    _ => PHASE,
                };
                ((*self.first_rows.get(at)?)?, name)
            }
            _ => return None,
        };
        Some(self.table.columns.cell_ref(self.table.rows.get(row)?, name))
    }
}
