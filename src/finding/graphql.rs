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
    error::{Error, Result, UserError},
    meter::{Listed, listed},
    payload::{acting, caller, refusal},
    scalar::Date,
};

/// Something that a blueprint, or the organisation, gets wrong. The ids say what it is about; those that it is not
/// about are null.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Finding {
    /// What tells it from all others: it stays the same whatever is renamed or moved.
    pub fingerprint: ID,
    /// What is wrong.
    pub code: FindingCode,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong, for people.
    pub sentence: String,
    /// The blueprint.
    pub blueprint_id: Option<ID>,
    /// The phase.
    pub phase_id: Option<ID>,
    /// The touchpoint.
    pub touchpoint_id: Option<ID>,
    /// Another touchpoint that it is about as well.
    pub other_touchpoint_id: Option<ID>,
    /// The KPI.
    pub kpi_id: Option<ID>,
    /// The department.
    pub department_id: Option<ID>,
    /// The persona.
    pub persona_id: Option<ID>,
    /// The promise.
    pub promise_id: Option<ID>,
    /// The insight.
    pub insight_id: Option<ID>,
    /// Since when it is open, whatever day is asked about. Null for a moment after the write that opened it, for what
    /// is only open on another day than today, for findings of the organisation, and where it would tell of journeys
    /// that you may not read.
    pub open_since: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub told: TrackedFinding,
}

fn shown<I: Id>(id: Option<I>) -> Option<ID> {
    id.map(|id| ID(id.to_string()))
}

impl From<TrackedFinding> for Finding {
    fn from(told: TrackedFinding) -> Self {
        let (finding, place) = (&told.finding, told.finding.place);
        Self {
            fingerprint: ID(finding.fingerprint.to_string()),
            code: finding.code,
            severity: finding.code.severity(),
            sentence: finding.sentence.clone(),
            blueprint_id: shown(place.blueprint),
            phase_id: shown(place.phase),
            touchpoint_id: shown(place.touchpoint),
            other_touchpoint_id: shown(place.other),
            kpi_id: shown(place.kpi),
            department_id: shown(place.department),
            persona_id: shown(place.persona),
            promise_id: shown(place.promise),
            insight_id: shown(place.insight),
            open_since: told.open_since,
            told,
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

/// That somebody dismissed a finding.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Dismissal {
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
    #[graphql(skip)]
    pub row: entity::finding::Model,
}

/// The findings that were asked for.
#[derive(SimpleObject)]
pub struct Findings {
    /// The gravest first, then by code and in the order of display.
    pub findings: Listed<Finding>,
    /// How many of them are of severity ERROR.
    pub errors: usize,
    /// How many of them are of severity WARNING.
    pub warnings: usize,
    /// How many of them are of severity INFO.
    pub infos: usize,
}

impl Findings {
    fn new(findings: Vec<Finding>) -> Self {
        let count = |severity: Severity| {
            let found = findings.iter();
            found.filter(|found| found.severity == severity).count()
        };
        Self {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            infos: count(Severity::Info),
            findings: listed(findings),
        }
    }
}

/// Which findings to tell.
#[derive(Default, InputObject)]
pub struct FindingFilter {
    /// Of one of these severities.
    pub severities: Option<Vec<Severity>>,
    /// With one of these codes.
    pub codes: Option<Vec<FindingCode>>,
    /// About this touchpoint.
    pub touchpoint_id: Option<ID>,
    /// Those that were dismissed too.
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
            && (self.include_dismissed || finding.told.dismissed.is_none())
    }
}

/// The thresholds of the deployment.
fn thresholds<'a>(ctx: &Context<'a>) -> Result<&'a Thresholds> {
    ctx.data::<Thresholds>()
        .map_err(|_| Error::internal("the schema has no thresholds"))
}

/// What a blueprint gets wrong, as of a day, today unless said.
pub async fn of_blueprint(
    ctx: &Context<'_>,
    row: &blueprint::Model,
    filter: Option<FindingFilter>,
    as_of: Option<Date>,
) -> Result<Findings> {
    let caller = caller(ctx)?;
    let day = as_of.map_or(caller.today, |day| day.0);
    let told = super::of_blueprint(caller, row.id, day, thresholds(ctx)?).await?;
    let filter = filter.unwrap_or_default();
    let findings = told.into_iter().map(Finding::from);
    Ok(Findings::new(
        findings.filter(|finding| filter.accepts(finding)).collect(),
    ))
}

/// A line in the table of rules.
#[derive(SimpleObject)]
pub struct FindingRule {
    /// What is wrong.
    code: FindingCode,
    /// How grave it is.
    severity: Severity,
    /// What is found; N is the threshold.
    rule: &'static str,
    /// The threshold that holds here; null where the rule has none.
    threshold: Option<f64>,
    /// The threshold that holds unless a deployment says otherwise.
    default_threshold: Option<f64>,
}

/// Reading findings.
#[derive(Default)]
pub struct FindingQuery;

#[Object]
impl FindingQuery {
    /// The table of rules, the gravest first.
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

    /// What the organisation as a whole gets wrong, by the journeys that you may read. Those of a blueprint are its
    /// own.
    #[graphql(complexity = "50 * child_complexity")]
    async fn organisation_findings(&self, ctx: &Context<'_>) -> Result<Listed<Finding>> {
        let found = super::of_organisation(caller(ctx)?).await?;
        Ok(listed(found))
    }
}

/// What became of a mutation on a finding.
#[derive(SimpleObject)]
pub struct FindingPayload {
    /// The finding as it is now.
    finding: Option<Finding>,
    /// Why it was not done; empty when it was.
    user_errors: Vec<UserError>,
}

impl FindingPayload {
    async fn answer(caller: &Caller, result: Result<TrackedFinding>) -> Result<Self> {
        let (finding, user_errors) = match result {
            Ok(told) => (Some(told.into()), Vec::new()),
            Err(error) => (None, refusal(caller, error).await?.errors),
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
    /// Dismisses a finding of today with a reason; it is told again once it was gone and has come back. One of severity
    /// ERROR is dismissed by a CX manager only. Requires: DISMISS_FINDING, DISMISS_ERROR.
    async fn finding_dismiss(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The finding, and the reason for dismissing it.")]
        input: FindingDismissInput,
    ) -> Result<FindingPayload> {
        let caller = acting(ctx)?;
        let result = super::dismiss(&caller, input, thresholds(ctx)?).await;
        FindingPayload::answer(&caller, result).await
    }

    /// Takes the dismissal of a finding back. Requires: DISMISS_FINDING, DISMISS_ERROR.
    async fn finding_reopen(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The finding to reopen.")] input: FindingReopenInput,
    ) -> Result<FindingPayload> {
        let caller = acting(ctx)?;
        let result = super::reopen(&caller, &input, thresholds(ctx)?).await;
        FindingPayload::answer(&caller, result).await
    }
}
