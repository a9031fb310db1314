//! What everybody may read, whoever asks: what is told of it is the same for all.

use entity::{blueprint, touchpoint, words::Visibility};
use sea_orm::{ColumnTrait, Condition, sea_query::SelectStatement};

use super::scope::{published_with_visibility_condition, select_ids};

/// The ids of the touchpoints that everybody may read, partners aside: those of blueprints that are published, or were
/// when they were archived, for the whole organisation.
#[must_use]
pub fn select_touchpoints_open_to_everybody() -> SelectStatement {
    let open = published_with_visibility_condition(Visibility::Organisation);
    let open = select_ids::<blueprint::Entity>(blueprint::Column::Id, open);
    let inside = Condition::all().add(touchpoint::Column::BlueprintId.in_subquery(open));
    select_ids::<touchpoint::Entity>(touchpoint::Column::Id, inside)
}
