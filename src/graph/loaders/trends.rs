//! The data loader of trends.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::{id::KpiId, kpi};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    access::Caller,
    batch::LoaderKey,
    error::Result,
    judgement::trend::{self, Trend},
};

/// The trend of a KPI up to a day, itself included, in this number of periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TrendOf(pub KpiId, pub NaiveDate, pub u32);

impl LoaderKey for TrendOf {
    type Value = Trend;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let mut alike: BTreeMap<(NaiveDate, u32), Vec<KpiId>> = BTreeMap::new();
        for TrendOf(id, day, periods) in keys {
            alike.entry((*day, *periods)).or_default().push(*id);
        }
        let mut answers = HashMap::with_capacity(keys.len());
        for ((day, periods), ids) in alike {
            let select = caller.select::<kpi::Entity>();
            let kpis = select.filter(kpi::Column::Id.is_in(ids));
            let trends = trend::load_trends(caller, kpis, day, periods).await?;
            answers.extend(
                trends
                    .into_iter()
                    .map(|(id, trend)| (TrendOf(id, day, periods), trend)),
            );
        }
        Ok(answers)
    }
}
