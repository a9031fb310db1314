//! How KPIs have gone up to a day.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::{id::KpiId, kpi};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{Loader, Rows};
use crate::{
    bi::series::trend::{self, Trend},
    error::{Error, Result},
};

/// How a KPI has gone up to a day, in so many periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrendOf(pub KpiId, pub NaiveDate, pub u32);

impl Loader<TrendOf> for Rows {
    type Value = Trend;
    type Error = Error;

    async fn load(&self, keys: &[TrendOf]) -> Result<HashMap<TrendOf, Trend>> {
        let mut alike: BTreeMap<(NaiveDate, u32), Vec<KpiId>> = BTreeMap::new();
        for TrendOf(id, day, many) in keys {
            alike.entry((*day, *many)).or_default().push(*id);
        }
        let mut answers = HashMap::with_capacity(keys.len());
        for ((day, many), ids) in alike {
            let select = self.caller.select::<kpi::Entity>();
            let kpis = select
                .filter(kpi::Column::Id.is_in(ids))
                .all(self.caller.reader())
                .await?;
            let trends = trend::trends(&self.caller, &kpis, day, many).await?;
            answers.extend(
                trends
                    .into_iter()
                    .map(|(id, trend)| (TrendOf(id, day, many), trend)),
            );
        }
        Ok(answers)
    }
}
