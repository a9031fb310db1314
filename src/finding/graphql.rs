//! Findings in the API: what they show of themselves, the table of rules, and what people do about them.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{blueprint, id::Id};

use super::{
    FindingDismissInput, FindingReopenInput, TrackedFinding,
    rules::{FindingCode, Rule, Severity, Thresholds, Violation},
};
use crate::{
    access::Caller,
    digest::digest,
    error::{Error, Result, UserError},
    meter::{BudgetChargedList, metered_list},
    payload::{caller, mutation_caller, refusal_from_error},
    scalar::Date,
};

/// A flaw of a blueprint or of the organisation, found by a rule. The ids name the objects that it concerns; all others
/// are null.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Finding {
    /// Identity of the finding: stays the same when objects are renamed or moved.
    pub fingerprint: ID,
    /// The rule that found it.
    pub code: FindingCode,
    /// Its severity.
    pub severity: Severity,
    /// The flaw, as a sentence for people.
    pub sentence: String,
    /// Id of the blueprint.
    pub blueprint_id: Option<ID>,
    /// Id of the phase.
    pub phase_id: Option<ID>,
    /// Id of the touchpoint.
    pub touchpoint_id: Option<ID>,
    /// Id of a second touchpoint that it concerns.
    pub other_touchpoint_id: Option<ID>,
    /// Id of the KPI.
    pub kpi_id: Option<ID>,
    /// Id of the department.
    pub department_id: Option<ID>,
    /// Id of the persona.
    pub persona_id: Option<ID>,
    /// Id of the promise.
    pub promise_id: Option<ID>,
    /// Id of the insight.
    pub insight_id: Option<ID>,
    /// Id of the need of the persona.
    pub need_id: Option<ID>,
    /// Time since which it has been open, whatever `asOf` is. Null for a moment after the write that opened it, for
    /// findings that are open only on another day than today, for findings of the organisation, and where it would
    /// reveal journeys that you may not read.
    pub open_since: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub tracked: TrackedFinding,
}

fn optional_api_id<I: Id>(id: Option<I>) -> Option<ID> {
    id.map(|id| ID(id.to_string()))
}

impl From<TrackedFinding> for Finding {
    fn from(tracked: TrackedFinding) -> Self {
        let (finding, subject) = (&tracked.finding, tracked.finding.subject);
        Self {
            fingerprint: ID(finding.fingerprint.to_string()),
            code: finding.code,
            severity: finding.code.severity(),
            sentence: finding.sentence.clone(),
            blueprint_id: optional_api_id(subject.blueprint),
            phase_id: optional_api_id(subject.phase),
            touchpoint_id: optional_api_id(subject.touchpoint),
            other_touchpoint_id: optional_api_id(subject.other),
            kpi_id: optional_api_id(subject.kpi),
            department_id: optional_api_id(subject.department),
            persona_id: optional_api_id(subject.persona),
            promise_id: optional_api_id(subject.promise),
            insight_id: optional_api_id(subject.insight),
            need_id: optional_api_id(subject.need),
            open_since: tracked.open_since,
            tracked,
        }
    }
}

impl From<Violation> for Finding {
    fn from(finding: Violation) -> Self {
        Self::from(TrackedFinding {
            finding,
            open_since: None,
            dismissed: None,
        })
    }
}

/// The dismissal of a finding.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Dismissal {
    /// The reason.
    pub reason: String,
    /// Time of the act.
    pub at: DateTime<Utc>,
    #[graphql(skip)]
    pub row: entity::finding::Model,
}

/// The findings of a blueprint or the organisation, with their number by severity.
#[derive(SimpleObject)]
pub struct Findings {
    /// Id of these findings: the same whenever the same blueprint is asked as of the same day with the same conditions.
    pub id: ID,
    /// The findings: the most severe first, then by code and in the order of display.
    pub findings: BudgetChargedList<Finding>,
    /// Number of findings of severity ERROR.
    pub errors: usize,
    /// Number of findings of severity WARNING.
    pub warnings: usize,
    /// Number of findings of severity INFO.
    pub infos: usize,
}

impl Findings {
    fn new(id: ID, findings: Vec<Finding>) -> Self {
        let count = |severity: Severity| {
            let found = findings.iter();
            found.filter(|found| found.severity == severity).count()
        };
        Self {
            id,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            infos: count(Severity::Info),
            findings: metered_list(findings),
        }
    }
}

/// Conditions on the findings to list; all that are given must hold.
#[derive(Debug, Default, InputObject)]
pub struct FindingFilter {
    /// Only of one of these severities.
    pub severities: Option<Vec<Severity>>,
    /// Only with one of these codes.
    pub codes: Option<Vec<FindingCode>>,
    /// Only about this touchpoint.
    pub touchpoint_id: Option<ID>,
    /// Also dismissed findings.
    #[graphql(default)]
    pub include_dismissed: bool,
}

impl FindingFilter {
    fn accepts(&self, finding: &Finding) -> bool {
        let among = |told: &Option<ID>| {
            let wanted = &self.touchpoint_id;
            wanted.as_ref().is_none_or(|id| told.as_ref() == Some(id))
        };
        let severities = self.severities.as_ref();
        let codes = self.codes.as_ref();
        severities.is_none_or(|severities| severities.contains(&finding.severity))
            && codes.is_none_or(|codes| codes.contains(&finding.code))
            && (among(&finding.touchpoint_id) || among(&finding.other_touchpoint_id))
            && (self.include_dismissed || finding.tracked.dismissed.is_none())
    }
}

/// The thresholds of the deployment.
fn thresholds<'a>(ctx: &Context<'a>) -> Result<&'a Thresholds> {
    ctx.data::<Thresholds>()
        .map_err(|_| Error::internal("the schema has no thresholds"))
}

/// What a blueprint gets wrong, as of a day, today unless said.
pub async fn load_findings(
    ctx: &Context<'_>,
    row: &blueprint::Model,
    filter: Option<FindingFilter>,
    as_of: Option<Date>,
) -> Result<Findings> {
    let caller = caller(ctx)?;
    let day = caller.day_or_today(as_of)?;
    let told = super::load_tracked_findings(caller, row.id, day, thresholds(ctx)?).await?;
    let filter = filter.unwrap_or_default();
    let findings = told.into_iter().map(Finding::from);
    let id = ID(format!(
        "{}.{day}.{}",
        row.id,
        digest(&format!("{filter:?}"))
    ));
    Ok(Findings::new(
        id,
        findings.filter(|finding| filter.accepts(finding)).collect(),
    ))
}

/// A row of the table of rules.
#[derive(SimpleObject)]
pub struct FindingRule {
    /// The code of the rule.
    code: FindingCode,
    /// Its severity.
    severity: Severity,
    /// The rule as a sentence; N is the threshold.
    rule: &'static str,
    /// The threshold in this deployment; null where the rule has none.
    threshold: Option<f64>,
    /// The threshold without the deployment's settings.
    default_threshold: Option<f64>,
}

/// Reading findings.
#[derive(Default)]
pub struct FindingQuery;

#[Object]
impl FindingQuery {
    /// The table of rules, the most severe first.
    async fn finding_rules(&self, ctx: &Context<'_>) -> Result<Vec<FindingRule>> {
        let thresholds = thresholds(ctx)?;
        let rules = Rule::ALL.iter();
        Ok(rules
            .map(|rule| FindingRule {
                code: rule.code,
                severity: rule.severity,
                rule: rule.sentence,
                threshold: rule.default.map(|_| thresholds.get(rule.code)),
                default_threshold: rule.default,
            })
            .collect())
    }

    /// The findings about the organisation as a whole, by the blueprints that you may read. For findings of one
    /// blueprint see `Blueprint.findings`.
    #[graphql(complexity = "50 * child_complexity")]
    async fn organisation_findings(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Finding>> {
        let found = super::find_organisation_violations(caller(ctx)?).await?;
        Ok(metered_list(found))
    }
}

/// Result of a mutation on a finding.
#[derive(SimpleObject)]
pub struct FindingPayload {
    /// The finding as it is now.
    finding: Option<Finding>,
    /// The reasons why the mutation was refused; empty if it was carried out.
    user_errors: Vec<UserError>,
}

impl FindingPayload {
    async fn from_result(caller: &Caller, result: Result<TrackedFinding>) -> Result<Self> {
        let (finding, user_errors) = match result {
            Ok(told) => (Some(told.into()), Vec::new()),
            Err(error) => (None, refusal_from_error(caller, error).await?.errors),
        };
        Ok(Self {
            finding,
            user_errors,
        })
    }
}

/// Changing what is thought of findings.
#[derive(Default)]
pub struct FindingMutation;

#[Object]
impl FindingMutation {
    /// Dismisses a finding of today, with a reason. If it disappears and comes back, it is reported again. Only a CX
    /// manager dismisses one of severity ERROR. Requires: DISMISS_FINDING, DISMISS_ERROR.
    async fn finding_dismiss(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The finding, and the reason for dismissing it.")]
        input: FindingDismissInput,
    ) -> Result<FindingPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::dismiss(&caller, input, thresholds(ctx)?).await;
        FindingPayload::from_result(&caller, result).await
    }

    /// Reopens a dismissed finding. Requires: DISMISS_FINDING, DISMISS_ERROR.
    async fn finding_reopen(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The finding to reopen.")] input: FindingReopenInput,
    ) -> Result<FindingPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::reopen(&caller, &input, thresholds(ctx)?).await;
        FindingPayload::from_result(&caller, result).await
    }
}
