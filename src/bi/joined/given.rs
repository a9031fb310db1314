//! What measurements are joined with, as the snapshot of whoever asks sees it: the blueprints that count, with what is
//! judged in them and who holds a role there, and the departments whose rows are pulled.

use std::{collections::HashMap, sync::Arc};

use entity::{
    blueprint, department,
    id::{BlueprintId, DepartmentId, KpiId, KpiLinkId, TouchpointId},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{
    fact::{Read, Seat, read},
    measured::Measured,
};
use crate::{
    access::Caller,
    bi::{
        cube::{
            Cube,
            places::{Link, Places, Site},
            values::count,
        },
        query::Query,
        scope::Scope,
    },
    error::{Error, Result},
};

/// All of it.
pub struct Given {
    /// By id.
    pub journeys: Vec<Journey>,
    /// Those whose rows are pulled, by id.
    pub departments: Vec<Department>,
    /// Whether rows without a department are pulled, too.
    is_all: bool,
    /// What each KPI judges, by the ids of the links.
    links: HashMap<KpiId, Vec<Linked>>,
    /// How the columns that are asked for are read.
    pub columns: Vec<Read>,
}

/// A blueprint that counts.
pub struct Journey {
    pub id: BlueprintId,
    pub key: String,
    pub places: Arc<Places>,
}

pub struct Department {
    pub id: DepartmentId,
    pub key: String,
    pub name: String,
}

/// A link: its id, which journey it lies in, and which of the links there it is.
type Linked = (KpiLinkId, usize, usize);

impl Given {
    /// What there is for the rows of a query.
    pub async fn of(caller: &Caller, tx: &DatabaseTransaction, query: &Query) -> Result<Self> {
        let Some(cube) = &query.cube else {
            return Err(Error::internal("a join without what is kept for it"));
        };
        let scope = query.scope(caller, tx.get_database_backend(), &[])?;
        let journeys = journeys(caller, tx, cube, &scope).await?;
        let columns = query.columns.iter().map(|column| {
            read(column.name).ok_or_else(|| Error::internal("a column that the join does not have"))
        });
        Ok(Self {
            links: links(&journeys),
            journeys,
            departments: departments(tx, &scope).await?,
            is_all: scope.own_departments().is_none(),
            columns: columns.collect::<Result<_>>()?,
        })
    }

    /// The rows of a measurement that the caller may see, in their order.
    pub fn seat(&self, measured: &Measured, seats: &mut Vec<Seat>) {
        let place = match measured.touchpoint {
            Some(touchpoint) => {
                let place = self.place(measured.blueprint, touchpoint);
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
            seats.push(Seat {
                place,
                ..Seat::default()
            });
        }
    }

    /// Goes on with the rows of one link: of a touchpoint one for each department and role when the day ended.
    fn take(&self, measured: &Measured, journey: usize, link: &Link, seats: &mut Vec<Seat>) {
        let day = count(measured.day);
        if !link.days.contains(&day) {
            return;
        }
        let seat = Seat {
            place: Some((journey, link.site)),
            link: Some(link.id),
            holder: None,
        };
        let before = seats.len();
        if let Site::Touchpoint(touchpoint) = link.site {
            let holders = self.journeys[journey].places.holders(touchpoint);
            let holders = holders.iter().enumerate();
            let there = holders.filter(|(_, holder)| holder.days.contains(&day));
            seats.extend(there.filter_map(|(at, holder)| {
                let department = self.department(holder.department)?;
                Some(Seat {
                    holder: Some((at, department)),
                    ..seat
                })
            }));
        }
        if seats.len() == before && self.is_all {
            seats.push(seat);
        }
    }

    /// Where a touchpoint of this blueprint is; nothing where that does not count.
    fn place(&self, blueprint: Option<BlueprintId>, id: TouchpointId) -> Option<(usize, Site)> {
        let journeys = &self.journeys;
        let journey = journeys.binary_search_by_key(&blueprint?, |one| one.id);
        let journey = journey.ok()?;
        let touchpoint = journeys[journey].places.touchpoint(id)?;
        Some((journey, Site::Touchpoint(touchpoint)))
    }

    fn department(&self, id: DepartmentId) -> Option<usize> {
        self.departments
            .binary_search_by_key(&id, |one| one.id)
            .ok()
    }
}

async fn journeys(
    caller: &Caller,
    tx: &DatabaseTransaction,
    cube: &Cube,
    scope: &Scope<'_>,
) -> Result<Vec<Journey>> {
    use blueprint::Column::{Id, Key, Revision};
    let select = scope.counted_blueprints().select_only();
    let select = select.columns([Id, Key, Revision]).order_by_asc(Id);
    let rows: Vec<(BlueprintId, String, i32)> = select.into_tuple().all(tx).await?;
    let wanted: Vec<_> = rows
        .iter()
        .map(|(id, _, revision)| (*id, *revision))
        .collect();
    let places = cube.places(caller, tx, &wanted).await?;
    let journeys = rows.into_iter().zip(places);
    let journeys = journeys.map(|((id, key, _), places)| Journey { id, key, places });
    Ok(journeys.collect())
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

async fn departments(tx: &DatabaseTransaction, scope: &Scope<'_>) -> Result<Vec<Department>> {
    use department::Column::{Id, Key, Name};
    let mut select = department::Entity::find();
    if let Some(own) = scope.own_departments() {
        select = select.filter(Id.in_subquery(own));
    }
    let select = select.select_only().columns([Id, Key, Name]);
    let rows: Vec<(DepartmentId, String, String)> =
        select.order_by_asc(Id).into_tuple().all(tx).await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(id, key, name)| Department { id, key, name })
        .collect())
}
