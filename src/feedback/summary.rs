//! What many answers come to: counted by the database, as far as the caller may count them and enough employees
//! answered that none of them shows.

use std::collections::{BTreeMap, HashMap};

use entity::{
    feedback,
    id::TouchpointId,
    words::{FeedbackGroup, FeedbackScale, Subject},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait},
};

use crate::{
    access::{Caller, scope},
    error::Result,
    kpi::answers::Tally,
};

/// What answers come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    scales: BTreeMap<FeedbackScale, Tally>,
    /// Whether so few employees answered that it is not told.
    pub withheld: bool,
}

impl Summary {
    /// All answers, whatever their scale.
    #[must_use]
    pub fn all(&self) -> Tally {
        let mut all = Tally::default();
        self.scales.values().for_each(|tally| all += *tally);
        all
    }

    /// The answers on one scale.
    #[must_use]
    pub fn on(&self, scale: FeedbackScale) -> Tally {
        self.scales.get(&scale).copied().unwrap_or_default()
    }
}

#[derive(FromQueryResult)]
struct Counted {
    touchpoint_id: Option<TouchpointId>,
    subject: Subject,
    scale: FeedbackScale,
    answer_group: FeedbackGroup,
    answers: i64,
    score_sum: i64,
}

/// What the answers at each of these touchpoints come to.
pub async fn at_touchpoints(
    caller: &Caller,
    touchpoints: &[TouchpointId],
    which: Condition,
) -> Result<HashMap<TouchpointId, Summary>> {
    let there = feedback::Column::TouchpointId.is_in(touchpoints.iter().copied());
    let counted = counted(caller, which.add(there), true).await?;
    let mut at: HashMap<TouchpointId, Vec<Counted>> = HashMap::new();
    for row in counted {
        if let Some(touchpoint) = row.touchpoint_id {
            at.entry(touchpoint).or_default().push(row);
        }
    }
    Ok(at.into_iter().map(|(id, rows)| (id, told(rows))).collect())
}

/// What these answers come to, all together.
pub async fn of(caller: &Caller, which: Condition) -> Result<Summary> {
    Ok(told(counted(caller, which, false).await?))
}

async fn counted(caller: &Caller, which: Condition, by_place: bool) -> Result<Vec<Counted>> {
    use feedback::Column;
    let whole = || Expr::col(Column::Score).sum().cast_as(Alias::new("bigint"));
    let mut select = feedback::Entity::find()
        .select_only()
        .columns([Column::Subject, Column::Scale, Column::AnswerGroup])
        .column_as(Column::Id.count(), "answers")
        .column_as(whole(), "score_sum")
        .filter(scope::feedback_of_anybody(caller.reader_in_sql()))
        .filter(which)
        .group_by(Column::Subject)
        .group_by(Column::Scale)
        .group_by(Column::AnswerGroup);
    select = if by_place {
        select
            .column(Column::TouchpointId)
            .group_by(Column::TouchpointId)
    } else {
        select.column_as(Expr::cust("NULL"), "touchpoint_id")
    };
    Ok(select.into_model().all(caller.reader()).await?)
}

/// The answers that may be told, by scale.
fn told(rows: Vec<Counted>) -> Summary {
    let mut tallies: BTreeMap<(FeedbackScale, Subject), Tally> = BTreeMap::new();
    for row in rows {
        *tallies.entry((row.scale, row.subject)).or_default() +=
            Tally::of(row.answer_group, row.answers, row.score_sum);
    }
    let mut summary = Summary::default();
    for ((scale, subject), tally) in tallies {
        if tally.may_be_told(subject) {
            *summary.scales.entry(scale).or_default() += tally;
        } else {
            summary.withheld = true;
        }
    }
    summary
}
