//! KPIs judged at the places to which they are linked, and as a whole. Values that the caller may not see do not leave
//! this room.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    id::{BlueprintId, KpiId, KpiLinkId},
    kpi, kpi_link,
    read::{self, FromCells, RowCursor},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait, Select, sea_query::SelectStatement,
};

use super::{
    figure::{ValueAndTarget, qualified_columns_sql, select_with_judgement},
    visible::find_kpis_with_hidden_values,
};
use crate::{access::Caller, error::Result, statement::SqlBuilder};

/// A KPI link with the judgement of the KPI at its place.
#[derive(Clone, Debug)]
pub struct JudgedKpiLink {
    pub link: kpi_link::Model,
    pub judgement: ValueAndTarget,
}

/// KPIs as a whole, in the shape of links to nowhere.
const WHOLE_KPIS: &str =
    "(SELECT id, id AS kpi_id, CAST(NULL AS uuid) AS touchpoint_id, created_at FROM kpi)";

fn select_judged_links<C: ConnectionTrait>(db: &C, day: NaiveDate) -> SqlBuilder {
    select_with_judgement(
        db,
        "kpi_link",
        &qualified_columns_sql::<kpi_link::Model>("judged"),
        day,
    )
}

const BY_CREATION: &str = " ORDER BY judged.created_at, judged.id";

impl FromCells for JudgedKpiLink {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            link: FromCells::from_cells(cells)?,
            judgement: FromCells::from_cells(cells)?,
        })
    }
}

/// Whether a link holds on a day: from its first day on, and before the day on which it no longer does.
#[must_use]
pub fn is_link_in_force(link: &kpi_link::Model, day: NaiveDate) -> bool {
    link.valid_from.is_none_or(|from| from <= day) && link.valid_to.is_none_or(|to| to > day)
}

/// The twin of [`is_link_in_force`] as a condition on `kpi_link`.
#[must_use]
pub fn link_in_force_condition(day: NaiveDate) -> Condition {
    use kpi_link::Column::{ValidFrom, ValidTo};
    let begun = Condition::any()
        .add(ValidFrom.is_null())
        .add(ValidFrom.lte(day));
    let lasts = Condition::any().add(ValidTo.is_null()).add(ValidTo.gt(day));
    Condition::all().add(begun).add(lasts)
}

/// The twin of [`is_link_in_force`] for statements written as text: a condition on the table or alias `$link`, where
/// `$day` is an expression. A literal, so that statements that use it stay constants.
macro_rules! link_in_force_sql {
    ($link:literal, $day:literal) => {
        concat!(
            "(",
            $link,
            ".valid_from IS NULL OR ",
            $link,
            ".valid_from <= ",
            $day,
            ") AND (",
            $link,
            ".valid_to IS NULL OR ",
            $link,
            ".valid_to > ",
            $day,
            ")"
        )
    };
}

pub(crate) use link_in_force_sql;

/// The links in a blueprint that hold on a day with their judgements, in the order of creation; links of KPIs that
/// are not among `kpis` are left out. Reads on the connection given, so that it joins a snapshot.
pub async fn load_judged_links_in_blueprint<C: ConnectionTrait>(
    caller: &Caller,
    db: &C,
    blueprint: BlueprintId,
    kpis: &HashMap<KpiId, kpi::Model>,
    day: NaiveDate,
) -> Result<Vec<JudgedKpiLink>> {
    let text = select_judged_links(db, day)
        .then("judged.blueprint_id = ")
        .value(blueprint)
        .then(concat!(" AND ", link_in_force_sql!("judged", "$1")))
        .then(BY_CREATION);
    let mut links: Vec<JudgedKpiLink> = read::read_all(db, text.statement()).await?;
    links.retain(|judged| kpis.contains_key(&judged.link.kpi_id));
    let hidden = find_kpis_with_hidden_values(caller, db, kpis.values()).await?;
    for judged in &mut links {
        if hidden.contains(&judged.link.kpi_id) {
            judged.judgement = ValueAndTarget::default();
        }
    }
    Ok(links)
}

/// These links with their judgements on a day and their KPIs, in the order of creation. A link that does not hold on
/// the day judges nothing.
pub async fn load_judged_links(
    caller: &Caller,
    links: SelectStatement,
    day: NaiveDate,
) -> Result<Vec<(JudgedKpiLink, kpi::Model)>> {
    let db = caller.begin_snapshot().await?;
    let text = select_judged_links(&db, day)
        .then("judged.id IN (")
        .select(&links)
        .then(")")
        .then(BY_CREATION);
    let judged: Vec<JudgedKpiLink> = read::read_all(&db, text.statement()).await?;
    let kpis = select_kpis_of_links(links);
    let kpis: HashMap<KpiId, kpi::Model> = kpis
        .all(&db)
        .await?
        .into_iter()
        .map(|kpi| (kpi.id, kpi))
        .collect();
    let hidden = find_kpis_with_hidden_values(caller, &db, kpis.values()).await?;
    db.commit().await?;
    Ok(judged
        .into_iter()
        .filter_map(|mut judged| {
            let kpi = kpis.get(&judged.link.kpi_id)?.clone();
            if hidden.contains(&kpi.id) || !is_link_in_force(&judged.link, day) {
                judged.judgement = ValueAndTarget::default();
            }
            Some((judged, kpi))
        })
        .collect())
}

/// The KPIs of these links.
fn select_kpis_of_links(links: SelectStatement) -> Select<kpi::Entity> {
    let ids = kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::KpiId)
        .filter(kpi_link::Column::Id.in_subquery(links));
    kpi::Entity::find().filter(kpi::Column::Id.in_subquery(ids.into_query()))
}

/// The links with these ids, as far as the caller may read them; see [`load_judged_links`].
pub async fn load_judged_links_by_id(
    caller: &Caller,
    ids: &[KpiLinkId],
    day: NaiveDate,
) -> Result<Vec<(JudgedKpiLink, kpi::Model)>> {
    let links = caller
        .select::<kpi_link::Entity>()
        .select_only()
        .column(kpi_link::Column::Id)
        .filter(kpi_link::Column::Id.is_in(ids.iter().copied()));
    load_judged_links(caller, links.into_query(), day).await
}

struct JudgedKpi {
    kpi_id: KpiId,
    judgement: ValueAndTarget,
}

impl FromCells for JudgedKpi {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            kpi_id: cells.read_next()?,
            judgement: FromCells::from_cells(cells)?,
        })
    }
}

/// The judgement of each of these KPIs as a whole, on a day.
pub async fn load_kpi_judgements(
    caller: &Caller,
    kpis: &[kpi::Model],
    day: NaiveDate,
) -> Result<HashMap<KpiId, ValueAndTarget>> {
    let db = caller.begin_snapshot().await?;
    let text = select_with_judgement(&db, WHOLE_KPIS, "judged.kpi_id", day)
        .then("judged.id IN ")
        .list(kpis.iter().map(|kpi| kpi.id));
    let rows: Vec<JudgedKpi> = read::read_all(&db, text.statement()).await?;
    let hidden = find_kpis_with_hidden_values(caller, &db, kpis).await?;
    db.commit().await?;
    Ok(rows
        .into_iter()
        .map(|row| match hidden.contains(&row.kpi_id) {
            true => (row.kpi_id, ValueAndTarget::default()),
            false => (row.kpi_id, row.judgement),
        })
        .collect())
}
