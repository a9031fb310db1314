//! Reads what the cache lacks, from the snapshot of whoever asks: KPIs whole, or only the values recorded since the
//! revision that is kept; blueprints always whole.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use entity::{
    id::{BlueprintId, KpiId, PhaseId, TouchpointId},
    read::{FromCells, RowCursor},
};
use futures_util::TryStreamExt;
use sea_orm::{ConnectionTrait, QueryResult, StreamTrait};

use super::{
    kpi_values::{KpiValues, SeriesPlace},
    topology::{
        KpiLinkTarget, Topology, TopologyLink, TopologyPhase, TopologyTouchpoint, day_number_range,
    },
};
use crate::{
    access::Caller,
    database::Transaction,
    error::{Error, Result},
    judgement::aggregate::DayValue,
    responsibility::in_force::{date_range_in_force, ever_in_force_sql},
    statement::SqlBuilder,
};

/// KPIs or blueprints read by one statement, at most.
const AT_ONCE: usize = 200;

type LoadedValues = HashMap<KpiId, BTreeMap<SeriesPlace, Vec<DayValue>>>;

/// The values of these KPIs at these revisions, which are those that the snapshot sees. `kept` gives what the cache
/// has.
pub(super) async fn load_kpi_values(
    tx: &Transaction,
    wanted: &[(KpiId, i32)],
    kept: impl Fn(KpiId) -> Option<Arc<KpiValues>>,
) -> Result<Vec<Arc<KpiValues>>> {
    let mut all: Vec<Option<Arc<KpiValues>>> = Vec::with_capacity(wanted.len());
    let (mut unknown, mut older) = (Vec::new(), Vec::new());
    for (id, revision) in wanted {
        // A newer value than the snapshot's cannot be turned back: the KPI is read whole, for this request alone.
        let known = kept(*id).filter(|known| known.revision <= *revision);
        match &known {
            Some(known) if known.revision == *revision => {}
            Some(known) => older.push((*id, known.revision)),
            None => unknown.push(*id),
        }
        all.push(known);
    }
    // Two statements and not one: the unknown are read by KPI alone; for the others a join with what is known keeps
    // the index on the revision in use, which one condition with OR would lose.
    let mut deltas = LoadedValues::new();
    for ids in unknown.chunks(AT_ONCE) {
        let text = SqlBuilder::new(tx.backend(), MEASURED_VALUES).then("WHERE kpi_id IN ");
        let text = text.list(ids.iter().copied());
        // A superseded value needs no tombstone: the one that superseded it has the same key and day, and takes its
        // place.
        collect_deltas(tx, text.then(" AND superseded_by_id IS NULL"), &mut deltas).await?;
    }
    for pairs in older.chunks(AT_ONCE) {
        let pairs = pairs
            .iter()
            .map(|(id, revision)| [(*id).into(), (*revision).into()]);
        let text = SqlBuilder::new(tx.backend(), "WITH known (known_id, known_revision) AS (");
        let text = text
            .values_rows(pairs)
            .then(") ")
            .then(MEASURED_VALUES)
            .then(
                "JOIN known ON kpi_id = known_id AND series_revision > known_revision \
             WHERE superseded_by_id IS NULL",
            );
        collect_deltas(tx, text, &mut deltas).await?;
    }
    let caught_up = wanted
        .iter()
        .zip(all)
        .map(|((id, revision), known)| match known {
            Some(known) if known.revision == *revision => known,
            Some(known) => {
                Arc::new(known.with_delta(*revision, deltas.remove(id).unwrap_or_default()))
            }
            None => {
                let all = deltas.remove(id).unwrap_or_default();
                Arc::new(KpiValues::default().with_delta(*revision, all))
            }
        });
    Ok(caught_up.collect())
}

const MEASURED_VALUES: &str = "\
SELECT kpi_id, touchpoint_id, channel_id, segment_id, blueprint_id, measured_on, value, numerator, denominator, \
    sample_size FROM measurement LEFT JOIN touchpoint ON touchpoint.id = touchpoint_id ";

async fn collect_deltas(
    tx: &Transaction,
    text: SqlBuilder,
    deltas: &mut LoadedValues,
) -> Result<()> {
    // Streamed: the rows of 200 KPIs take far more memory than the columns that are made of them.
    let mut rows = tx.stream_raw(text.statement()).await?;
    while let Some(row) = rows.try_next().await? {
        let mut cells = RowCursor::new(&row)?;
        let kpi: KpiId = cells.read_next()?;
        let series_place = SeriesPlace {
            touchpoint: cells.read_next()?,
            channel: cells.read_next()?,
            segment: cells.read_next()?,
            blueprint: cells.read_next()?,
        };
        let value = DayValue::from_cells(&mut cells)?;
        let by_key = deltas.entry(kpi).or_default();
        by_key.entry(series_place).or_default().push(value);
    }
    Ok(())
}

/// The topologies of these blueprints at these revisions, which are those that the snapshot sees.
pub(super) async fn load_topologies(
    caller: &Caller,
    tx: &Transaction,
    wanted: &[(BlueprintId, i32)],
    kept: impl Fn(BlueprintId) -> Option<Arc<Topology>>,
) -> Result<Vec<Arc<Topology>>> {
    let mut all: Vec<Option<Arc<Topology>>> = Vec::with_capacity(wanted.len());
    for (id, revision) in wanted {
        all.push(kept(*id).filter(|known| known.revision == *revision));
    }
    let missing: Vec<BlueprintId> = wanted
        .iter()
        .zip(&all)
        .filter(|(_, known)| known.is_none())
        .map(|((id, _), _)| *id)
        .collect();
    let mut read = HashMap::new();
    for ids in missing.chunks(AT_ONCE) {
        read.extend(read_topologies(caller, tx, ids).await?);
    }
    let all = wanted.iter().zip(all).map(|((id, revision), known)| {
        known.unwrap_or_else(|| {
            let mut topology = read.remove(id).unwrap_or_default();
            topology.revision = *revision;
            Arc::new(topology)
        })
    });
    Ok(all.collect())
}

async fn read_topologies(
    caller: &Caller,
    tx: &Transaction,
    ids: &[BlueprintId],
) -> Result<HashMap<BlueprintId, Topology>> {
    let mut all = HashMap::new();
    let mut phases: HashMap<PhaseId, usize> = HashMap::new();
    // Four statements and not one join: it would multiply holders by links at each touchpoint. Phases come first,
    // since touchpoints and links refer to them by index.
    for row in query_rows_of_blueprints(tx, PHASES, ids).await? {
        let mut cells = RowCursor::new(&row)?;
        let topology: &mut Topology = all.entry(cells.read_next()?).or_default();
        let phase = TopologyPhase {
            id: cells.read_next()?,
            name: cells.read_next::<String>()?.into(),
            stage: cells.read_next()?,
        };
        phases.insert(phase.id, topology.phases.len());
        topology.phases.push(phase);
    }
    for row in query_rows_of_blueprints(tx, TOUCHPOINTS, ids).await? {
        let mut cells = RowCursor::new(&row)?;
        let topology = all.entry(cells.read_next()?).or_default();
        let touchpoint = TopologyTouchpoint {
            id: cells.read_next()?,
            key: cells.read_next::<String>()?.into(),
            name: cells.read_next::<String>()?.into(),
        };
        topology.add_touchpoint(
            touchpoint,
            require_index_in_blueprint(phases.get(&cells.read_next()?).copied())?,
        );
    }
    for row in query_rows_of_blueprints(tx, HOLDERS, ids).await? {
        let mut cells = RowCursor::new(&row)?;
        let topology = all.entry(cells.read_next()?).or_default();
        let at = require_index_in_blueprint(topology.touchpoint_index(cells.read_next()?))?;
        let (id, department, role) = (cells.read_next()?, cells.read_next()?, cells.read_next()?);
        let (from, to) = date_range_in_force(caller, cells.read_next()?, cells.read_next()?);
        topology.add_role_holder(at, id, department, role, day_number_range(from, to));
    }
    for row in query_rows_of_blueprints(tx, LINKS, ids).await? {
        let mut cells = RowCursor::new(&row)?;
        let topology = all.entry(cells.read_next()?).or_default();
        let (id, kpi) = (cells.read_next()?, cells.read_next()?);
        let (phase, touchpoint): (Option<PhaseId>, Option<TouchpointId>) =
            (cells.read_next()?, cells.read_next()?);
        let target = match (touchpoint, phase) {
            (Some(id), _) => KpiLinkTarget::Touchpoint(require_index_in_blueprint(
                topology.touchpoint_index(id),
            )?),
            (None, Some(id)) => {
                KpiLinkTarget::Phase(require_index_in_blueprint(phases.get(&id).copied())?)
            }
            (None, None) => KpiLinkTarget::Blueprint,
        };
        let days = day_number_range(cells.read_next()?, cells.read_next()?);
        topology.links.push(TopologyLink {
            id,
            kpi,
            target,
            days,
        });
    }
    Ok(all)
}

/// Rows of a blueprint refer to rows of the same one only.
fn require_index_in_blueprint(at: Option<usize>) -> Result<usize> {
    at.ok_or_else(|| Error::internal("a blueprint refers to what is not in it"))
}

const PHASES: [&str; 2] = [
    "SELECT blueprint_id, id, name, stage FROM phase WHERE blueprint_id IN ",
    " ORDER BY id",
];
const TOUCHPOINTS: [&str; 2] = [
    "SELECT blueprint_id, id, key, name, phase_id FROM touchpoint WHERE blueprint_id IN ",
    " ORDER BY id",
];
const HOLDERS: [&str; 2] = [
    concat!(
        "SELECT blueprint_id, touchpoint_id, id, department_id, role, valid_from, valid_to FROM responsibility WHERE ",
        ever_in_force_sql!("responsibility"),
        " AND blueprint_id IN "
    ),
    " ORDER BY touchpoint_id, id",
];
const LINKS: [&str; 2] = [
    "SELECT blueprint_id, id, kpi_id, phase_id, touchpoint_id, valid_from, valid_to FROM kpi_link WHERE blueprint_id IN ",
    " ORDER BY kpi_id, id",
];

async fn query_rows_of_blueprints(
    tx: &Transaction,
    [select, order]: [&str; 2],
    ids: &[BlueprintId],
) -> Result<Vec<QueryResult>> {
    let text = SqlBuilder::new(tx.backend(), select).list(ids.iter().copied());
    Ok(tx.query_all_raw(text.then(order).statement()).await?)
}
