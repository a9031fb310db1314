//! What measurements are joined with, in the snapshot and scope of a caller: the blueprints that count, with their
//! links and holders, and the departments whose rows are pulled.

use std::collections::HashMap;

use entity::{
    department,
    id::{DepartmentId, KpiId, KpiLinkId},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{
    columns::{CellReader, FactKey, find_cell_reader},
    measurements::MeasurementRow,
};
use crate::{
    access::Caller,
    bi::{
        cache::topology::{KpiLinkTarget, TopologyLink},
        journeys::{JourneyWithTopology, JourneysWithTopology},
        model::query::DatasetQuery,
        names::EntityNames,
        scope::ReaderScope,
    },
    database::Transaction,
    error::{Error, Result},
    judgement::period::day_number,
};

/// Everything the join needs besides the measurements, read in one snapshot.
pub(super) struct JoinContext {
    pub journeys: JourneysWithTopology,
    /// The departments whose rows the caller may pull.
    pub departments: EntityNames<DepartmentId>,
    /// Per journey, in the order of its topology's departments: their ranks among `departments`, none for those whose
    /// rows are not pulled.
    ranks: Vec<Vec<Option<usize>>>,
    /// Whether the caller also pulls rows without a department.
    pulls_without_department: bool,
    /// The links of each KPI, by the ids of the links.
    links: HashMap<KpiId, Vec<LinkPosition>>,
    /// The readers of the columns that the query selects.
    pub selected: Vec<CellReader>,
}

/// A link: its id, the index of its journey, and its index among the links there.
type LinkPosition = (KpiLinkId, usize, usize);

impl JoinContext {
    /// Reads the context of a query's rows.
    pub(super) async fn load(
        caller: &Caller,
        tx: &Transaction,
        query: &DatasetQuery,
    ) -> Result<Self> {
        let Some(cache) = &query.cache else {
            return Err(Error::internal("a query for the join without its cache"));
        };
        let scope = query.scope(caller, tx.get_database_backend(), &[])?;
        let journeys = JourneysWithTopology::load(caller, cache, tx, &scope).await?;
        let selected = query.columns.iter().map(|column| {
            find_cell_reader(column)
                .ok_or_else(|| Error::internal("a column that the join does not have"))
        });
        let departments = load_pulled_departments(tx, &scope).await?;
        let ranks = journeys.iter();
        let ranks = ranks.map(|one| departments.ranks(&one.topology.departments));
        Ok(Self {
            links: index_links_by_kpi(&journeys),
            ranks: ranks.collect(),
            journeys,
            departments,
            pulls_without_department: scope.select_pullable_department_ids().is_none(),
            selected: selected.collect::<Result<_>>()?,
        })
    }

    /// Adds the keys of the rows of a measurement that the caller may see, in the order of the rows.
    pub(super) fn push_fact_keys(&self, measured: &MeasurementRow, keys: &mut Vec<FactKey>) {
        let place = match measured.touchpoint {
            Some(touchpoint) => {
                // A value of a touchpoint belongs to the links of that touchpoint alone.
                let blueprint = measured.blueprint;
                let place = blueprint.and_then(|blueprint| {
                    self.journeys.find_touchpoint_indices(blueprint, touchpoint)
                });
                let place = place.map(|(journey, at)| (journey, KpiLinkTarget::Touchpoint(at)));
                if let Some((journey, target)) = place {
                    let links = self.journeys[journey].topology.links_of_kpi(measured.kpi);
                    for link in links.iter().filter(|link| link.target == target) {
                        self.push_fact_keys_of_link(measured, journey, link, keys);
                    }
                }
                place
            }
            None => {
                for (_, journey, at) in self.links.get(&measured.kpi).into_iter().flatten() {
                    let link = &self.journeys[*journey].topology.links[*at];
                    self.push_fact_keys_of_link(measured, *journey, link, keys);
                }
                None
            }
        };
        // Only who pulls everything gets rows without a department: for a LEAD they would be somebody else's.
        if keys.is_empty() && self.pulls_without_department {
            keys.push(FactKey {
                place,
                ..FactKey::default()
            });
        }
    }

    /// Adds the keys of the rows of one link: at a touchpoint one for each department and role that held it when the
    /// day ended, else one without.
    fn push_fact_keys_of_link(
        &self,
        measured: &MeasurementRow,
        journey: usize,
        link: &TopologyLink,
        keys: &mut Vec<FactKey>,
    ) {
        let day = day_number(measured.day);
        if !link.days.contains(&day) {
            return;
        }
        let key = FactKey {
            place: Some((journey, link.target)),
            link: Some(link.id),
            holder: None,
        };
        // `keys` may hold rows of other links already: only those of this one decide on a row without a holder.
        let before = keys.len();
        if let KpiLinkTarget::Touchpoint(touchpoint) = link.target {
            let holders = self.journeys[journey].topology.role_holders_at(touchpoint);
            let holders = holders.iter().enumerate();
            let there = holders.filter(|(_, holder)| holder.days.contains(&day));
            keys.extend(there.filter_map(|(at, holder)| {
                let department = self.ranks[journey][holder.department_index()]?;
                Some(FactKey {
                    holder: Some((at, department)),
                    ..key
                })
            }));
        }
        if keys.len() == before && self.pulls_without_department {
            keys.push(key);
        }
    }
}

fn index_links_by_kpi(journeys: &[JourneyWithTopology]) -> HashMap<KpiId, Vec<LinkPosition>> {
    let mut all: HashMap<KpiId, Vec<LinkPosition>> = HashMap::new();
    for (journey, one) in journeys.iter().enumerate() {
        for (at, link) in one.topology.links.iter().enumerate() {
            let links = all.entry(link.kpi).or_default();
            links.push((link.id, journey, at));
        }
    }
    for links in all.values_mut() {
        // By link, over all journeys: the dataset's key orders the rows of a measurement by link id, and SQL gives
        // them so.
        links.sort_unstable();
    }
    all
}

async fn load_pulled_departments(
    tx: &Transaction,
    scope: &ReaderScope<'_>,
) -> Result<EntityNames<DepartmentId>> {
    use department::Column::{Id, Key, Name};
    let mut select = department::Entity::find();
    if let Some(pulled) = scope.select_pullable_department_ids() {
        select = select.filter(Id.in_subquery(pulled));
    }
    EntityNames::load(tx, select, [Id, Key, Name]).await
}
