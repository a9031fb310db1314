//! The data loaders of judgements: the figure, target and state of a KPI on a day.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::{
    id::{KpiId, KpiLinkId},
    kpi,
};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    access::Caller,
    batch::LoaderKey,
    error::Result,
    judgement::{self, KpiJudgement},
};

/// The judgement of a KPI at the place of a link, on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LinkJudgementKey(pub KpiLinkId, pub NaiveDate);

impl LoaderKey for LinkJudgementKey {
    type Value = KpiJudgement;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let mut answers = HashMap::with_capacity(keys.len());
        for (day, ids) in group_by_day(keys, |key| (key.1, key.0)) {
            for (judged, _) in judgement::load_judged_links_by_id(caller, &ids, day).await? {
                answers.insert(LinkJudgementKey(judged.link.id, day), judged.judgement);
            }
        }
        Ok(answers)
    }
}

/// The judgement of a KPI as a whole, on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KpiJudgementKey(pub KpiId, pub NaiveDate);

impl LoaderKey for KpiJudgementKey {
    type Value = KpiJudgement;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let mut answers = HashMap::with_capacity(keys.len());
        for (day, ids) in group_by_day(keys, |key| (key.1, key.0)) {
            let select = caller.select::<kpi::Entity>();
            let kpis = select.filter(kpi::Column::Id.is_in(ids));
            for (id, judgement) in judgement::load_kpi_judgements(caller, kpis, day).await? {
                answers.insert(KpiJudgementKey(id, day), judgement);
            }
        }
        Ok(answers)
    }
}

/// The keys of each day: a document seldom asks about more than one.
fn group_by_day<K, I>(
    keys: &[K],
    parts: impl Fn(&K) -> (NaiveDate, I),
) -> BTreeMap<NaiveDate, Vec<I>> {
    let mut days: BTreeMap<NaiveDate, Vec<I>> = BTreeMap::new();
    for (day, id) in keys.iter().map(parts) {
        days.entry(day).or_default().push(id);
    }
    days
}
