//! Links of KPIs in a document: fields and references, the part of a row, the rows of parts, and how those are applied.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use entity::id::KpiId;
use entity::{kpi, kpi_link};
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

use crate::access::Permit;
use crate::document::bounds::{read_day_or_null, read_optional_day};
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::resolver::{Resolver, RowsByNaturalKey};
use crate::document::target::WantedKpiLink;
use crate::document::write::{delete_unwanted_rows, upsert_rows};
use crate::error::{Reason, Result, UserErrorCode};
use crate::id;
use crate::kpi::fed::KpisWithChangingLinks;
use crate::kpi::link;
use crate::policy::Action;

parts! {
    /// A KPI that judges a touchpoint, a phase, or with neither the whole blueprint.
    KpiLinkPart or KpiLinkPatch, "KPI link", ordered: false, repeats: false,
    natural_key {
        /// The key of the touchpoint.
        #[serde(default)]
        touchpoint: Option<String>,
        /// The key of the phase.
        #[serde(default)]
        phase: Option<String>,
        /// The key of the KPI.
        kpi: String,
        /// The first day on which it judges; null for since ever.
        #[serde(default, deserialize_with = "read_day_or_null")]
        valid_from: Option<NaiveDate>,
    }
    fields {
        /// The first day on which it no longer does; null for until further notice.
        #[serde(deserialize_with = "read_optional_day")]
        valid_to: Option<NaiveDate> = None,
        /// How much it counts beside others, for display only.
        weight: Option<f64> = None,
    }
}

references! { KpiLinkPart or KpiLinkPatch {
    touchpoint => Touchpoint, RemovePart;
    phase => Phase, RemovePart;
    kpi => Kpi, RemovePart;
}}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn kpi_link_row_to_part(&self, row: &kpi_link::Model) -> KpiLinkPart {
        let kpi = self.snapshot.canvas.kpi(row.kpi_id);
        KpiLinkPart {
            touchpoint: self.optional_key(row.touchpoint_id),
            phase: self.optional_key(row.phase_id),
            kpi: kpi.map(|row| row.key.clone()).unwrap_or_default(),
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            weight: row.weight,
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_kpi_links(&mut self, parts: &[KpiLinkPart]) -> Vec<WantedKpiLink> {
        let mut current = RowsByNaturalKey::new(self.keys.iter().flat_map(|keys| {
            let rows = keys.snapshot.kpi_links.iter();
            rows.map(|row| (keys.kpi_link_row_to_part(row), row))
        }));
        let mut rows: Vec<WantedKpiLink> = Vec::new();
        for part in parts {
            let path = self.part_positions.path("kpiLinks", part);
            let stored = current.take_row_of(part);
            let at = |field: &str| format!("{path}.{field}");
            let kpi = self.resolve_id(&at("kpi"), &part.kpi);
            let phase = self.resolve_optional_id(&at("phase"), part.phase.as_ref());
            let touchpoint = self.resolve_optional_id(&at("touchpoint"), part.touchpoint.as_ref());
            if part.phase.is_some() && part.touchpoint.is_some() {
                self.add_invalid_fault(&path, "One link is to a phase or a touchpoint, not both.");
            }
            let days = (part.valid_from, part.valid_to);
            link::add_link_days_faults(self.faults, &path, days);
            self.faults.check_number(&at("weight"), part.weight);
            let (Some(kpi_id), Some(phase_id), Some(touchpoint_id)) = (kpi, phase, touchpoint)
            else {
                continue;
            };
            let row = kpi_link::Model {
                id: stored.map_or_else(id::new, |stored| stored.id),
                kpi_id,
                blueprint_id: self.blueprint,
                phase_id,
                touchpoint_id,
                valid_from: part.valid_from,
                valid_to: part.valid_to,
                weight: part.weight,
                created_at: stored.map_or(self.now, |stored| stored.created_at),
                version: stored.map_or(1, |stored| stored.version),
            };
            rows.push((path, row));
        }
        self.add_link_overlap_faults(&rows);
        rows
    }

    /// Adds a fault where two links of one KPI to one place share a day.
    fn add_link_overlap_faults(&mut self, rows: &[WantedKpiLink]) {
        let mut places: HashMap<_, Vec<&WantedKpiLink>> = HashMap::new();
        for wanted in rows {
            let (_, row) = wanted;
            let place = (row.kpi_id, row.phase_id, row.touchpoint_id);
            places.entry(place).or_default().push(wanted);
        }
        for links in places.values_mut() {
            // By their first days: where none shares a day with the next, none shares one at all.
            links.sort_by_key(|(_, row)| row.valid_from);
            for pair in links.windows(2) {
                if let [(_, one), (path, other)] = pair
                    && link::days_overlap(
                        (one.valid_from, one.valid_to),
                        (other.valid_from, other.valid_to),
                    )
                {
                    let message = "The KPI is already linked to this on some of these days.";
                    let reason = Some(Reason::AlreadyLinked);
                    self.faults
                        .add(path, UserErrorCode::Duplicate, reason, message);
                }
            }
        }
    }
}

/// Refuses links that the caller may not make, change or take away.
pub(crate) async fn refuse_forbidden_links(
    permit: &mut Permit<'_>,
    current: &[kpi_link::Model],
    wanted: &[WantedKpiLink],
) -> Result<()> {
    let known: HashMap<_, _> = current.iter().map(|row| (row.id, row)).collect();
    for (path, row) in wanted {
        if known.get(&row.id).is_none_or(|stored| *stored != row) {
            let path = format!("{path}.kpi");
            permit
                .fetch_locked::<kpi::Entity>(Action::DefineKpi, &path, row.kpi_id)
                .await?;
        }
    }
    let stay: HashSet<_> = wanted.iter().map(|(_, row)| row.id).collect();
    for row in current.iter().filter(|row| !stay.contains(&row.id)) {
        permit
            .fetch_locked::<kpi::Entity>(Action::DefineKpi, "kpiLinks", row.kpi_id)
            .await?;
    }
    Ok(())
}

pub(crate) async fn apply_kpi_links(
    permit: &mut Permit<'_>,
    current: &[kpi_link::Model],
    wanted: &[WantedKpiLink],
) -> Result<()> {
    let rows: Vec<kpi_link::Model> = wanted.iter().map(|(_, row)| row.clone()).collect();
    let was = current.iter().filter(|row| !rows.contains(row));
    let becomes = rows.iter().filter(|row| !current.contains(row));
    let kpis: BTreeSet<KpiId> = was.chain(becomes).map(|row| row.kpi_id).collect();
    if kpis.is_empty() {
        return Ok(());
    }
    let kpis = kpi::Entity::find()
        .filter(kpi::Column::Id.is_in(kpis))
        .all(permit.tx())
        .await?;
    let relinking = KpisWithChangingLinks::begin(permit, kpis).await?;
    // What goes makes room for what comes on the same days.
    delete_unwanted_rows::<kpi_link::Entity>(permit, current, &rows).await?;
    upsert_rows::<kpi_link::Entity>(permit, current, rows).await?;
    relinking.finish(permit).await
}
