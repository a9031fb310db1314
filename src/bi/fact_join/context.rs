//! What measurements are joined with, as the snapshot of whoever asks sees it: the blueprints that count, with what is
//! judged in them and who holds a role there, and the departments whose rows are pulled.

use std::collections::HashMap;

use entity::{
    department,
    id::{DepartmentId, KpiId, KpiLinkId},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{
    columns::{CellReader, FactKey, read},
    measurements::MeasurementRow,
};
use crate::{
    access::Caller,
    bi::{
        journeys::{Journey, Journeys},
        model::dataset::Column,
        model::query::DatasetQuery,
        names::EntityNames,
        scope::Scope,
        store::{
            kpi_columns::count,
            topology::{Link, LinkTarget},
        },
    },
    database::Transaction,
    error::{Error, Result},
};

/// All of it.
pub struct JoinContext {
    pub journeys: Journeys,
    /// Those whose rows are pulled.
    pub departments: EntityNames<DepartmentId>,
    /// Which of them hold roles in each journey, in the order in which it has its own.
    ranks: Vec<Vec<Option<usize>>>,
    /// Whether rows without a department are pulled, too.
    is_all: bool,
    /// What each KPI judges, by the ids of the links.
    links: HashMap<KpiId, Vec<Linked>>,
    /// How the columns that are asked for are read.
    pub columns: Vec<CellReader>,
    /// How every column of the dataset is.
    pub all_columns: Vec<CellReader>,
}

/// A link: its id, which journey it lies in, and which of the links there it is.
type Linked = (KpiLinkId, usize, usize);

impl JoinContext {
    /// What there is for the rows of a query.
    pub async fn of(caller: &Caller, tx: &Transaction, query: &DatasetQuery) -> Result<Self> {
        let Some(cube) = &query.cube else {
            return Err(Error::internal("a join without what is kept for it"));
        };
        let scope = query.scope(caller, tx.get_database_backend(), &[])?;
        let journeys = Journeys::of(caller, cube, tx, &scope).await?;
        let reads = |column: &Column| {
            read(column.name).ok_or_else(|| Error::internal("a column that the join does not have"))
        };
        let columns = query.columns.iter().copied().map(reads);
        let all_columns = query.dataset.columns.iter().map(reads);
        let departments = departments(tx, &scope).await?;
        let ranks = journeys.iter();
        let ranks = ranks.map(|one| departments.ranks(&one.places.departments));
        Ok(Self {
            links: links(&journeys),
            ranks: ranks.collect(),
            journeys,
            departments,
            is_all: scope.own_departments().is_none(),
            columns: columns.collect::<Result<_>>()?,
            all_columns: all_columns.collect::<Result<_>>()?,
        })
    }

    /// The rows of a measurement that the caller may see, in their order.
    pub fn seat(&self, measured: &MeasurementRow, seats: &mut Vec<FactKey>) {
        let place = match measured.touchpoint {
            Some(touchpoint) => {
                let blueprint = measured.blueprint;
                let place = blueprint.and_then(|blueprint| self.journeys.at(blueprint, touchpoint));
                let place = place.map(|(journey, at)| (journey, LinkTarget::Touchpoint(at)));
                if let Some((journey, site)) = place {
                    let links = self.journeys[journey].places.links_of(measured.kpi);
                    for link in links.iter().filter(|link| link.site == site) {
                        self.take(measured, journey, link, seats);
                    }
                }
                place
            }
            None => {
                for (_, journey, at) in self.links.get(&measured.kpi).into_iter().flatten() {
                    let link = &self.journeys[*journey].places.links[*at];
                    self.take(measured, *journey, link, seats);
                }
                None
            }
        };
        if seats.is_empty() && self.is_all {
            seats.push(FactKey {
                place,
                ..FactKey::default()
            });
        }
    }

    /// Goes on with the rows of one link: of a touchpoint one for each department and role when the day ended.
    fn take(
        &self,
        measured: &MeasurementRow,
        journey: usize,
        link: &Link,
        seats: &mut Vec<FactKey>,
    ) {
        let day = count(measured.day);
        if !link.days.contains(&day) {
            return;
        }
        let seat = FactKey {
            place: Some((journey, link.site)),
            link: Some(link.id),
            holder: None,
        };
        let before = seats.len();
        if let LinkTarget::Touchpoint(touchpoint) = link.site {
            let holders = self.journeys[journey].places.holders(touchpoint);
            let holders = holders.iter().enumerate();
            let there = holders.filter(|(_, holder)| holder.days.contains(&day));
            seats.extend(there.filter_map(|(at, holder)| {
                let department = self.ranks[journey][holder.department()]?;
                Some(FactKey {
                    holder: Some((at, department)),
                    ..seat
                })
            }));
        }
        if seats.len() == before && self.is_all {
            seats.push(seat);
        }
    }
}

fn links(journeys: &[Journey]) -> HashMap<KpiId, Vec<Linked>> {
    let mut all: HashMap<KpiId, Vec<Linked>> = HashMap::new();
    for (journey, one) in journeys.iter().enumerate() {
        for (at, link) in one.places.links.iter().enumerate() {
            let links = all.entry(link.kpi).or_default();
            links.push((link.id, journey, at));
        }
    }
    for links in all.values_mut() {
        links.sort_unstable();
    }
    all
}

async fn departments(tx: &Transaction, scope: &Scope<'_>) -> Result<EntityNames<DepartmentId>> {
    use department::Column::{Id, Key, Name};
    let mut select = department::Entity::find();
    if let Some(own) = scope.own_departments() {
        select = select.filter(Id.in_subquery(own));
    }
    EntityNames::of(tx, select, [Id, Key, Name]).await
}
