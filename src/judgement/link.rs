//! KPIs judged at the places to which they are linked, and as a whole. Values that the caller may not see do not leave
//! this room.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    id::{BlueprintId, KpiId, KpiLinkId},
    kpi, kpi_link, measurement,
    read::{self, FromCells, RowCursor},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait, Select, sea_query::SelectStatement,
};

use super::{
    figures::{FigureReader, KpiJudgement},
    kpis::{KpisWithTargets, load_kpis_with_targets, select_ids},
    latest::select_with_latest,
    newest_sums::WantedSums,
};
use crate::{access::Caller, database::Transaction, error::Result, statement::SqlBuilder};

/// A KPI link with the judgement of the KPI at its place.
#[derive(Clone, Debug)]
pub struct JudgedKpiLink {
    pub link: kpi_link::Model,
    pub judgement: KpiJudgement,
}

/// KPIs as a whole, in the shape of links to nowhere.
const WHOLE_KPIS: &str =
    "(SELECT id, id AS kpi_id, CAST(NULL AS uuid) AS touchpoint_id, created_at FROM kpi)";

fn select_links_with_latest<C: ConnectionTrait>(db: &C, day: NaiveDate) -> SqlBuilder {
    select_with_latest(
        db,
        "kpi_link",
        &read::columns_sql::<kpi_link::Model>("judged"),
        day,
    )
}

const BY_CREATION: &str = " ORDER BY judged.created_at, judged.id";

/// A link with the latest measurement at its place.
struct LinkWithLatest {
    link: kpi_link::Model,
    latest: Option<measurement::Model>,
}

impl FromCells for LinkWithLatest {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            link: FromCells::from_cells(cells)?,
            latest: cells.read_joined()?,
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
/// are not among `kpis` are left out. Reads in the snapshot given, in which the KPIs were read too.
pub async fn load_judged_links_in_blueprint(
    caller: &Caller,
    tx: &Transaction,
    blueprint: BlueprintId,
    kpis: &KpisWithTargets,
    day: NaiveDate,
) -> Result<Vec<JudgedKpiLink>> {
    let text = select_links_with_latest(tx, day)
        .then("judged.blueprint_id = ")
        .value(blueprint)
        .then(concat!(" AND ", link_in_force_sql!("judged", "$1")))
        .then(BY_CREATION);
    let mut links: Vec<LinkWithLatest> = read::read_all(tx, text.statement()).await?;
    links.retain(|one| kpis.kpis.contains_key(&one.link.kpi_id));
    judge_links(caller, tx, links, kpis, day).await
}

/// These links with their judgements on a day and their KPIs, in the order of creation. A link that does not hold on
/// the day judges nothing.
pub async fn load_judged_links(
    caller: &Caller,
    links: SelectStatement,
    day: NaiveDate,
) -> Result<Vec<(JudgedKpiLink, kpi::Model)>> {
    let db = caller.begin_snapshot().await?;
    let text = select_links_with_latest(&db, day)
        .then("judged.id IN (")
        .select(&links)
        .then(")")
        .then(BY_CREATION);
    let found: Vec<LinkWithLatest> = read::read_all(&db, text.statement()).await?;
    let kpis = load_kpis_with_targets(&db, &select_kpi_ids_of_links(links)).await?;
    let judged = judge_links(caller, &db, found, &kpis, day).await?;
    db.commit().await?;
    Ok(judged
        .into_iter()
        .filter_map(|judged| {
            let kpi = kpis.kpis.get(&judged.link.kpi_id)?.clone();
            Some((judged, kpi))
        })
        .collect())
}

/// Judges links on a day: those that hold, of KPIs whose values the caller may see.
async fn judge_links(
    caller: &Caller,
    tx: &Transaction,
    links: Vec<LinkWithLatest>,
    kpis: &KpisWithTargets,
    day: NaiveDate,
) -> Result<Vec<JudgedKpiLink>> {
    let in_force = links.iter().filter(|one| is_link_in_force(&one.link, day));
    let mut wanted = WantedSums::default();
    for LinkWithLatest { link, .. } in in_force {
        match link.touchpoint_id {
            Some(touchpoint) => wanted.at_touchpoints.insert((link.kpi_id, touchpoint)),
            None => wanted.as_whole.insert(link.kpi_id),
        };
    }
    let figures = FigureReader::load(caller, tx, kpis, wanted, day).await?;
    let judged = links.into_iter().map(|LinkWithLatest { link, latest }| {
        let figure = is_link_in_force(&link, day)
            .then(|| figures.figure(link.kpi_id, link.touchpoint_id))
            .flatten();
        let latest = latest.filter(|_| figure.is_some());
        JudgedKpiLink {
            link,
            judgement: KpiJudgement { latest, figure },
        }
    });
    Ok(judged.collect())
}

/// The ids of the KPIs of these links.
fn select_kpi_ids_of_links(links: SelectStatement) -> SelectStatement {
    let ids = kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::KpiId)
        .filter(kpi_link::Column::Id.in_subquery(links));
    ids.into_query()
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

/// A KPI with its latest measurement as a whole.
struct KpiWithLatest {
    kpi_id: KpiId,
    latest: Option<measurement::Model>,
}

impl FromCells for KpiWithLatest {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            kpi_id: cells.read_next()?,
            latest: cells.read_joined()?,
        })
    }
}

/// The judgement of each of these KPIs as a whole, on a day.
pub async fn load_kpi_judgements(
    caller: &Caller,
    kpis: Select<kpi::Entity>,
    day: NaiveDate,
) -> Result<HashMap<KpiId, KpiJudgement>> {
    let ids = select_ids(kpis);
    let db = caller.begin_snapshot().await?;
    let text = select_with_latest(&db, WHOLE_KPIS, "judged.kpi_id", day)
        .then("judged.id IN (")
        .select(&ids)
        .then(")");
    let rows: Vec<KpiWithLatest> = read::read_all(&db, text.statement()).await?;
    let kpis = load_kpis_with_targets(&db, &ids).await?;
    let wanted = WantedSums {
        as_whole: kpis.kpis.keys().copied().collect(),
        ..WantedSums::default()
    };
    let figures = FigureReader::load(caller, &db, &kpis, wanted, day).await?;
    db.commit().await?;
    let judged = rows.into_iter().map(|KpiWithLatest { kpi_id, latest }| {
        let figure = figures.figure(kpi_id, None);
        let latest = latest.filter(|_| figure.is_some());
        (kpi_id, KpiJudgement { latest, figure })
    });
    Ok(judged.collect())
}
