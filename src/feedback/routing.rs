//! Which department works an answer. At a touchpoint it is the one that was ACCOUNTABLE at the contact. On the
//! relationship as a whole it is the one that the organisation's rules name, else the owner of the journey that the
//! answer is about, else the owner of the KPIs that it feeds, where they have one. A department that is archived passes
//! it to its successor; where it has none, the next one comes in.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{ID, InputObject};
use entity::{
    department, feedback,
    id::{ChannelId, DepartmentId, KpiId, RoutingRuleId, SegmentId},
    kpi, kpi_link, routing_rule,
    words::{FollowUpCause, KpiScope},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Set};

use super::{
    entry::AnswerEntry,
    references::{AnswerReferences, lock_live_successors},
};
use crate::{
    access::{Caller, Permit, expect_known_version, expect_version},
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults},
    judgement::is_link_in_force,
    kpi::answers::kpi_type_fed_by,
    policy::{Action, RowTies},
};

/// Most rules of an organisation: all of them are read for each batch of answers.
pub const MOST_RULES: usize = 1_000;

/// The department that works answers on the relationship as a whole of a segment, by a channel or with a cause. At
/// least one of the three; all that are given must fit the answer.
#[derive(InputObject)]
pub struct RoutingRuleSetInput {
    /// An id made by the client (a UUID of version 7) for a new rule, so that a retry makes nothing twice.
    pub id: Option<ID>,
    /// The version of the rule with the same conditions that is replaced; absent where you know of none. Where there
    /// is one that you did not name, and it differs, that is a CONFLICT.
    pub expected_version: Option<i32>,
    /// Id of the segment of the customer.
    pub segment_id: Option<ID>,
    /// Id of the channel of the answer.
    pub channel_id: Option<ID>,
    /// The cause of the answer.
    pub cause: Option<FollowUpCause>,
    /// Id of the department that works such answers.
    pub department_id: ID,
}

/// Makes the rule with these conditions, or replaces its department.
pub async fn set_rule(caller: &Caller, input: RoutingRuleSetInput) -> Result<routing_rule::Model> {
    let mut faults = Faults::default();
    let id: RoutingRuleId = faults.parse_or_make_id(input.id.as_ref());
    let segment: Option<SegmentId> =
        faults.parse_optional_id("segmentId", input.segment_id.as_ref());
    let channel: Option<ChannelId> =
        faults.parse_optional_id("channelId", input.channel_id.as_ref());
    let department: DepartmentId = faults.parse_id("departmentId", &input.department_id);
    add_no_condition_fault(
        &mut faults,
        "segmentId",
        (segment, channel, input.cause) == (None, None, None),
    );
    faults.check()?;
    let mut permit = caller
        .open_permit(Action::KeepCatalogue, &RowTies::none())
        .await?;
    if let Some(id) = segment {
        permit
            .get::<entity::segment::Entity>("segmentId", id)
            .await?;
    }
    if let Some(id) = channel {
        permit
            .get::<entity::channel::Entity>("channelId", id)
            .await?;
    }
    permit
        .read_unarchived_row::<department::Entity>("departmentId", department)
        .await?;
    let rules = routing_rule::Entity::find().all(permit.tx()).await?;
    let conditions = (segment, channel, input.cause);
    let before = rules
        .iter()
        .find(|row| (row.segment_id, row.channel_id, row.cause) == conditions);
    let row = if let Some(before) = before {
        replace_department(&mut permit, before, &input, department).await?
    } else {
        if input.expected_version.is_some() {
            let message = "There is no rule with these conditions yet.";
            let field = "expectedVersion";
            return Err(Error::conflict(field, Reason::VersionStale, message));
        }
        if rules.len() >= MOST_RULES {
            let message = format!("There are at most {MOST_RULES} routing rules.");
            let code = UserErrorCode::LimitExceeded;
            return Err(Error::fault("", code, None, message));
        }
        permit
            // No row is "the same" here: had this id made a rule, it would have been found by its conditions.
            .find_already_created::<routing_rule::Entity>(input.id.as_ref(), id, |_| false)
            .await?;
        permit
            .insert::<routing_rule::Entity>(routing_rule::ActiveModel {
                id: Set(id),
                segment_id: Set(segment),
                channel_id: Set(channel),
                cause: Set(input.cause),
                department_id: Set(department),
                created_at: Set(caller.now),
                version: Set(1),
            })
            .await?
    };
    permit.commit().await?;
    Ok(row)
}

/// A rule has a condition.
pub fn add_no_condition_fault(faults: &mut Faults, path: &str, has_none: bool) {
    if has_none {
        let message = "A rule needs a segment, a channel or a cause.";
        faults.add(path, UserErrorCode::Required, None, message);
    }
}

async fn replace_department(
    permit: &mut Permit<'_>,
    before: &routing_rule::Model,
    input: &RoutingRuleSetInput,
    department: DepartmentId,
) -> Result<routing_rule::Model> {
    let same = before.department_id == department;
    let there_is = "There is a rule with these conditions already.";
    expect_known_version::<routing_rule::Entity>(before, input.expected_version, same, there_is)?;
    let change = routing_rule::ActiveModel {
        department_id: Set(department),
        ..Default::default()
    };
    permit.update::<routing_rule::Entity>(before, change).await
}

/// Deletes a rule. What it routed stays where it is.
pub async fn delete_rule(caller: &Caller, input: &AtVersionInput) -> Result<routing_rule::Model> {
    let id: RoutingRuleId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<routing_rule::Entity>(Action::KeepCatalogue, "id", id)
        .await?;
    expect_version::<routing_rule::Entity>(&row, input.expected_version)?;
    permit.delete::<routing_rule::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

/// The organisation's rules.
struct RoutingRules(Vec<routing_rule::Model>);

impl RoutingRules {
    async fn load(permit: &Permit<'_>) -> Result<Self> {
        Ok(Self(routing_rule::Entity::find().all(permit.tx()).await?))
    }

    /// The departments that the rules which fit an answer name, the best first: the one with the most conditions, of
    /// equals the one that looks at the segment, then at the channel.
    fn departments_for(
        &self,
        segment: Option<SegmentId>,
        channel: Option<ChannelId>,
        cause: Option<FollowUpCause>,
    ) -> Vec<DepartmentId> {
        let fits = |rule: &&routing_rule::Model| {
            (rule.segment_id.is_none() || rule.segment_id == segment)
                && (rule.channel_id.is_none() || rule.channel_id == channel)
                && (rule.cause.is_none() || rule.cause == cause)
        };
        let precedence = |rule: &&routing_rule::Model| {
            let conditions = [
                rule.segment_id.is_some(),
                rule.channel_id.is_some(),
                rule.cause.is_some(),
            ];
            let count = conditions.iter().filter(|given| **given).count();
            std::cmp::Reverse((count, conditions))
        };
        let mut fitting: Vec<&routing_rule::Model> = self.0.iter().filter(fits).collect();
        fitting.sort_by_key(precedence);
        fitting.iter().map(|rule| rule.department_id).collect()
    }
}

/// The department to which a rule about the cause routes an answer, on the relationship as a whole, that no department
/// works; none where it is routed already. It cannot be archived until the act is over.
pub(super) async fn route_by_cause(
    permit: &Permit<'_>,
    answer: &feedback::Model,
    cause: FollowUpCause,
) -> Result<Option<DepartmentId>> {
    if answer.department_id.is_some() || answer.touchpoint_id.is_some() {
        return Ok(None);
    }
    let mut rules = RoutingRules::load(permit).await?;
    rules.0.retain(|rule| rule.cause.is_some());
    let (segment, channel) = (answer.segment_id, answer.channel_id);
    let candidates = rules.departments_for(segment, channel, Some(cause));
    let heirs = lock_live_successors(permit, candidates.iter().copied().collect()).await?;
    Ok(candidates.iter().find_map(|id| heirs.get(id).copied()))
}

/// What decides who works the answers of a batch.
pub(super) struct Routing {
    rules: RoutingRules,
    /// KPIs that answers on the relationship as a whole feed, with what they judge.
    kpis: Vec<(kpi::Model, Vec<kpi_link::Model>)>,
}

impl Routing {
    /// Reads it for these entries; `fed` are the KPIs that answers on their scales feed.
    pub(super) async fn load(
        permit: &Permit<'_>,
        fed: &[kpi::Model],
        entries: &[AnswerEntry],
    ) -> Result<Self> {
        let (mut rules, mut kpis) = (RoutingRules(Vec::new()), Vec::new());
        if entries.iter().any(|entry| entry.touchpoint.is_none()) {
            rules = RoutingRules::load(permit).await?;
            let fed = fed.iter().filter(|kpi| kpi.scope == KpiScope::Relationship);
            kpis = fed.cloned().map(|kpi| (kpi, Vec::new())).collect();
        }
        if !kpis.is_empty() {
            let ids = kpis.iter().map(|(kpi, _)| kpi.id);
            let which = Condition::all().add(kpi_link::Column::KpiId.is_in(ids));
            let links = kpi_link::Entity::find().filter(which).all(permit.tx());
            let mut of: HashMap<KpiId, Vec<kpi_link::Model>> = HashMap::new();
            for link in links.await? {
                of.entry(link.kpi_id).or_default().push(link);
            }
            for (kpi, links) in &mut kpis {
                *links = of.remove(&kpi.id).unwrap_or_default();
            }
        }
        Ok(Self { rules, kpis })
    }

    /// The departments that may work an answer, in their order: the first that is there, or its successor, does. Where
    /// there is none, nobody does until a CX manager hands it to one.
    pub(super) fn candidates(
        &self,
        entry: &AnswerEntry,
        places: &AnswerReferences,
    ) -> Vec<DepartmentId> {
        if entry.touchpoint.is_some() {
            return places.accountable_department(entry).into_iter().collect();
        }
        let (segment, channel) = (entry.segment, entry.channel);
        let by_rule = self.rules.departments_for(segment, channel, entry.cause);
        let owners = places.owner_of_blueprint(entry).into_iter();
        let owners = owners.chain(self.owner_of_fed_kpis(entry, places));
        by_rule.into_iter().chain(owners).collect()
    }

    fn owner_of_fed_kpis(
        &self,
        entry: &AnswerEntry,
        places: &AnswerReferences,
    ) -> Option<DepartmentId> {
        let on_scale = kpi_type_fed_by(entry.scale);
        let fed = self.kpis.iter().filter(|(kpi, links)| {
            kpi.kpi_type == on_scale
                && match entry.blueprint {
                    // Answers about a draft feed no KPI.
                    Some(blueprint) => {
                        places.is_or_was_published(blueprint)
                            && links.iter().any(|link| {
                                link.blueprint_id == blueprint && is_link_in_force(link, entry.on)
                            })
                    }
                    None => links.is_empty(),
                }
        });
        let owners: BTreeSet<DepartmentId> = fed.map(|(kpi, _)| kpi.owner_department_id).collect();
        owners.first().copied().filter(|_| owners.len() == 1)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;

    fn rule(
        department: u128,
        segment: Option<u128>,
        channel: Option<u128>,
        cause: Option<FollowUpCause>,
    ) -> routing_rule::Model {
        let id = Uuid::from_u128;
        routing_rule::Model {
            id: id(100 + department).into(),
            segment_id: segment.map(|segment| id(segment).into()),
            channel_id: channel.map(|channel| id(channel).into()),
            cause,
            department_id: id(department).into(),
            created_at: DateTime::<Utc>::UNIX_EPOCH,
            version: 1,
        }
    }

    #[test]
    fn the_rule_with_the_most_conditions_wins_and_then_the_one_about_the_segment() {
        let price = Some(FollowUpCause::Price);
        let rules = RoutingRules(vec![
            rule(1, None, None, price),
            rule(2, None, Some(20), None),
            rule(3, Some(30), None, None),
            rule(4, Some(30), None, price),
            rule(5, None, Some(20), price),
        ]);
        let department = |segment: u128, channel: u128, cause| {
            let (segment, channel) = (Uuid::from_u128(segment), Uuid::from_u128(channel));
            let found = rules.departments_for(Some(segment.into()), Some(channel.into()), cause);
            let found: Vec<u128> = found.iter().map(|found| found.0.as_u128()).collect();
            found
        };
        assert_eq!(
            department(30, 20, price),
            [4, 5, 3, 2, 1],
            "two, with the segment before the channel"
        );
        assert_eq!(department(31, 20, price), [5, 2, 1]);
        assert_eq!(department(30, 20, None), [3, 2]);
        assert_eq!(department(31, 20, Some(FollowUpCause::Other)), [2]);
        assert_eq!(department(31, 21, price), [1]);
        assert!(department(31, 21, None).is_empty());
        assert!(rules.departments_for(None, None, None).is_empty());
    }
}
