//! The table of rules: the flaw that each finds, its severity and its threshold. It finds nothing itself.

use std::{collections::BTreeMap, fmt, str::FromStr};

use async_graphql::Enum;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
#[graphql(name = "FindingSeverity")]
pub enum Severity {
    /// It prevents publishing.
    Error,
    /// It should be mended.
    Warning,
    /// For information.
    Info,
}

impl Severity {
    /// Every severity, the gravest first.
    pub const ALL: &[Self] = &[Self::Error, Self::Warning, Self::Info];

    /// The severity as the API spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
            Self::Info => "INFO",
        }
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub code: FindingCode,
    pub severity: Severity,
    /// The flaw as a sentence; N is the threshold.
    pub sentence: &'static str,
    /// The threshold unless a deployment says otherwise; none where the rule has none.
    pub default: Option<f64>,
}

macro_rules! rules {
    ($($severity:ident $name:ident = $text:literal $(from $default:literal)?: $sentence:literal,)*) => {
        /// A rule that finds flaws.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
        #[graphql(name = "FindingCode")]
        pub enum FindingCode {
            $(#[doc = $sentence] #[graphql(name = $text)] $name,)*
        }

        impl FindingCode {
            /// The code as the API spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Its severity.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }
        }

        impl Rule {
            /// The table, in the order of severity.
            pub const ALL: &[Self] = &[
                $(Self {
                    code: FindingCode::$name,
                    severity: Severity::$severity,
                    sentence: $sentence,
                    default: rules!(@default $($default)?),
                },)*
            ];
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}

rules! {
    Error NobodyAccountable = "NOBODY_ACCOUNTABLE":
        "No department is ACCOUNTABLE at a touchpoint of another lane than CUSTOMER.",
    Error NobodyResponsible = "NOBODY_RESPONSIBLE":
        "No department is RESPONSIBLE at a touchpoint of another lane than CUSTOMER.",
    Error EmptyBlueprint = "EMPTY_BLUEPRINT":
        "The blueprint has no touchpoint.",
    Warning AccountableIsPartner = "ACCOUNTABLE_IS_PARTNER":
        "A PARTNER is ACCOUNTABLE at a touchpoint.",
    Warning DepartmentOverloaded = "DEPARTMENT_OVERLOADED" from 60.0:
        "A department that delivers here is RESPONSIBLE or ACCOUNTABLE more than N times, in this journey and in the others that count.",
    Warning KpiWithoutTarget = "KPI_WITHOUT_TARGET":
        "A KPI that judges something here has no target on the day, not even of a channel or segment.",
    Warning KpiStale = "KPI_STALE" from 2.0:
        "A KPI that judges something here has no figure of the last N periods of its cadence.",
    Warning KpiOwnerAbsent = "KPI_OWNER_ABSENT":
        "The owner of a KPI is neither RESPONSIBLE nor ACCOUNTABLE at any place here that the KPI judges.",
    Warning Unreachable = "UNREACHABLE":
        "No way leads to a touchpoint that is used from the start or a re-entry, and it enables no touchpoint that people reach.",
    Warning DeadEnd = "DEAD_END":
        "People reach a touchpoint that is used and from which nothing leads on, not even out of the journey.",
    Warning NoPhaseBefore = "NO_PHASE_BEFORE":
        "No phase is of stage BEFORE: the time before people come is missing.",
    Warning NoPhaseAfter = "NO_PHASE_AFTER":
        "No phase is of stage AFTER: the time afterwards is missing.",
    Warning AfterNeglected = "AFTER_NEGLECTED" from 20.0:
        "Less than N percent of the touchpoints lie in phases of stage AFTER.",
    Warning NonUseUnexplained = "NON_USE_UNEXPLAINED":
        "A touchpoint is NOT_USED or ABANDONED, and neither a reason is given nor a QUESTION about it answered.",
    Warning ImportantAndNegative = "IMPORTANT_AND_NEGATIVE" from 4.0:
        "A touchpoint of importance N or more to customers leaves them with a negative emotion.",
    Warning ContactPressure = "CONTACT_PRESSURE":
        "A persona is contacted more often a month than it bears, in the busiest phases of this journey and of the others that count.",
    Warning AudienceMismatch = "AUDIENCE_MISMATCH":
        "A touchpoint is for other segments than those that the blueprint's personas stand for in its phase.",
    Warning PromiseBroken = "PROMISE_BROKEN":
        "A promise is BROKEN.",
    Warning PromiseAtRisk = "PROMISE_AT_RISK":
        "A promise is AT_RISK.",
    Warning PromiseUnowned = "PROMISE_UNOWNED":
        "A promise is delivered at a touchpoint where nobody is ACCOUNTABLE.",
    Warning PromiseUndelivered = "PROMISE_UNDELIVERED":
        "A promise is delivered at no touchpoint.",
    Warning PromiseInDoubt = "PROMISE_IN_DOUBT":
        "A promise that is KEPT or UNKNOWN is delivered at a touchpoint where a KPI is MISSED.",
    Warning NeedNotMet = "NEED_NOT_MET":
        "By the latest evaluation of a touchpoint that tried it, a need of the persona FAILS there.",
    Warning MessageConflict = "MESSAGE_CONFLICT":
        "By its latest evaluation, the message of a touchpoint contradicts that of another one.",
    Warning InformationNeedUnanswered = "INFORMATION_NEED_UNANSWERED":
        "An insight of kind INFORMATION_NEED has no answer.",
    Warning FeedbackUnroutable = "FEEDBACK_UNROUTABLE":
        "A customer gave an answer that no department works: at a touchpoint where nobody was ACCOUNTABLE, or on the journey or the organisation as a whole; its follow-up is not closed.",
    Warning ReviewOverdue = "REVIEW_OVERDUE":
        "The day on which the blueprint was due for review has passed.",
    Info NoKpi = "NO_KPI":
        "No KPI judges a touchpoint of another lane than CUSTOMER.",
    Info LoyaltyMeasuredYearly = "LOYALTY_MEASURED_YEARLY":
        "A KPI of the relationship as a whole that judges something here is measured only yearly.",
    Info TooManyConsulted = "TOO_MANY_CONSULTED" from 3.0:
        "More than N departments are CONSULTED at a touchpoint.",
    Info TooComplex = "TOO_COMPLEX" from 60.0:
        "The blueprint has more than N touchpoints.",
    Info NoSegment = "NO_SEGMENT":
        "The blueprint's persona stands for no segment.",
    Info ObservedWithoutSource = "OBSERVED_WITHOUT_SOURCE":
        "A touchpoint is OBSERVED, and nothing known at it rests on a source.",
    Info SingleSource = "SINGLE_SOURCE" from 2.0:
        "What is known at a touchpoint rests on fewer than N sources, and on one at least.",
    Info DepartmentWithoutRole = "DEPARTMENT_WITHOUT_ROLE":
        "Neither a department nor any below it holds a role in a journey that counts. A finding of the organisation, not of a blueprint.",
}

impl FindingCode {
    /// The code that is spelled like this.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rules = Rule::ALL.iter();
        let rule = rules.find(|rule| rule.code.as_str() == text)?;
        Some(rule.code)
    }

    /// Whether the rule looks beyond the blueprint, at others that not everybody may read.
    #[must_use]
    pub const fn looks_beyond_blueprint(self) -> bool {
        matches!(
            self,
            Self::ContactPressure | Self::DepartmentOverloaded | Self::DepartmentWithoutRole
        )
    }
}

/// The thresholds of a deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds(BTreeMap<FindingCode, f64>);

impl Thresholds {
    /// Those of the table, except for these.
    #[must_use]
    pub fn with_changed(changed: impl IntoIterator<Item = Threshold>) -> Self {
        let changed = changed.into_iter();
        Self(changed.map(|one| (one.code, one.value)).collect())
    }

    /// The threshold of a rule; 0 of a rule that has none.
    #[must_use]
    pub fn get(&self, code: FindingCode) -> f64 {
        let default = || Rule::ALL.iter().find(|rule| rule.code == code)?.default;
        let changed = self.0.get(&code).copied();
        changed.or_else(default).unwrap_or_default()
    }
}

/// A threshold of a deployment, written `CODE=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    pub code: FindingCode,
    pub value: f64,
}

/// The reason why a threshold is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThresholdError(String);

impl fmt::Display for ThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ThresholdError {}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = || {
            let rules = Rule::ALL.iter().filter(|rule| rule.default.is_some());
            let codes: Vec<&str> = rules.map(|rule| rule.code.as_str()).collect();
            codes.join(", ")
        };
        let (code, value) = text
            .split_once('=')
            .ok_or_else(|| ThresholdError("write it as CODE=VALUE".to_owned()))?;
        let code = FindingCode::parse(code.trim())
            .filter(|code| {
                let mut rules = Rule::ALL.iter();
                rules.any(|rule| rule.code == *code && rule.default.is_some())
            })
            .ok_or_else(|| ThresholdError(format!("thresholds are had by {}", known())))?;
        let value: Option<f64> = value.trim().parse().ok();
        let value = value
            .filter(|value| value.is_finite() && *value >= 0.0)
            .ok_or_else(|| ThresholdError("the value is a number from 0".to_owned()))?;
        Ok(Self { code, value })
    }
}
