//! Master data, which blueprints refer to: departments, accounts, channels, segments, personas and KPIs.

use chrono::{Datelike, Months, NaiveDate};
use cx_blueprint::error::Result;
use entity::{
    account, channel, department,
    id::{AccountId, KpiId, PersonaId},
    json::Texts,
    kpi, kpi_target, membership, persona, persona_need, persona_segment, segment,
    words::{
        AcrossParts, Cadence, DepartmentKind, DepartmentRole, Direction, KpiScope, KpiType,
        OrganisationRole, Sensitivity, Subject,
    },
};

use super::{
    generator::Generator,
    kpi::{KPI_TEMPLATES, KpiProfile, round_to},
    random::Random,
    texts,
};

/// Somebody who can sign in.
pub(crate) struct AccountTemplate {
    pub(crate) key: &'static str,
    name: &'static str,
    role: OrganisationRole,
    /// The role in the first department.
    member: Option<DepartmentRole>,
}

const fn account_template(
    key: &'static str,
    name: &'static str,
    role: OrganisationRole,
    member: Option<DepartmentRole>,
) -> AccountTemplate {
    AccountTemplate {
        key,
        name,
        role,
        member,
    }
}

/// One account for each way of taking part.
#[rustfmt::skip]
pub(crate) static ACCOUNTS: [AccountTemplate; 8] = [
    account_template("admin", "Ada Administrator", OrganisationRole::Admin, None),
    account_template("cx-manager", "Signe Sørensen", OrganisationRole::CxManager, None),
    account_template("auditor", "Otto Åkesson", OrganisationRole::Auditor, None),
    account_template("analyst", "Nora \"BI\" Nygård", OrganisationRole::Analyst, None),
    account_template("member", "Mads Møller", OrganisationRole::Member, None),
    account_template("lead", "Line Lykke", OrganisationRole::Member, Some(DepartmentRole::Lead)),
    account_template("contributor", "Kasper Kjær", OrganisationRole::Member, Some(DepartmentRole::Contributor)),
    account_template("viewer", "Vibeke Vestergård", OrganisationRole::Member, Some(DepartmentRole::Viewer)),
];

impl Generator<'_> {
    pub(super) async fn generate_departments(&mut self) -> Result<()> {
        let count = self.size.departments as usize;
        let divisions = count.min(texts::DIVISIONS.len());
        let mut rows: Vec<department::Model> = Vec::with_capacity(count);
        for at in 0..count {
            let division = at < divisions;
            let (name, round) = if division {
                (texts::DIVISIONS[at], 0)
            } else {
                (
                    texts::TEAMS[(at - divisions) % texts::TEAMS.len()],
                    (at - divisions) / texts::TEAMS.len(),
                )
            };
            // One in eight teams is another company's.
            let partner = !division && at % 8 == 7;
            rows.push(department::Model {
                id: self.ids.next(),
                key: format!("department-{:03}", at + 1),
                name: if round == 0 {
                    name.to_owned()
                } else {
                    format!("{name} {}", round + 1)
                },
                kind: if partner {
                    DepartmentKind::Partner
                } else {
                    DepartmentKind::Internal
                },
                parent_id: (!division).then(|| rows[at % divisions].id),
                successor_id: None,
                created_at: self.made_at,
                archived_at: None,
                version: 1,
            });
        }
        self.departments = rows.iter().map(|row| row.id).collect();
        self.insert::<department::Entity>(rows).await
    }

    pub(super) async fn generate_accounts(&mut self, password_hash: &str) -> Result<()> {
        let home = self.departments[0];
        let (mut accounts, mut memberships) = (Vec::new(), Vec::new());
        for generated in &ACCOUNTS {
            let id: AccountId = self.ids.next();
            accounts.push(account::Model {
                id,
                key: generated.key.to_owned(),
                name: generated.name.to_owned(),
                service: false,
                role: generated.role,
                password_hash: Some(password_hash.to_owned()),
                created_at: self.made_at,
                archived_at: None,
                version: 1,
            });
            memberships.extend(generated.member.map(|role| membership::Model {
                id: self.ids.next(),
                account_id: id,
                department_id: home,
                role,
                created_at: self.made_at,
            }));
        }
        self.insert::<account::Entity>(accounts).await?;
        self.insert::<membership::Entity>(memberships).await
    }

    pub(super) async fn generate_channels(&mut self) -> Result<()> {
        let mut rows = Vec::new();
        for (key, name, medium) in texts::CHANNELS {
            rows.push(channel::Model {
                id: self.ids.next(),
                key: key.to_owned(),
                name: name.to_owned(),
                medium,
                created_at: self.made_at,
                version: 1,
            });
        }
        self.channels = rows.iter().map(|row| row.id).collect();
        self.insert::<channel::Entity>(rows).await
    }

    pub(super) async fn generate_segments(&mut self) -> Result<()> {
        let mut rows = Vec::new();
        for (at, (dimension, value)) in texts::SEGMENTS.into_iter().enumerate() {
            rows.push(segment::Model {
                id: self.ids.next(),
                key: format!("segment-{}", at + 1),
                dimension: dimension.to_owned(),
                value: value.to_owned(),
                created_at: self.made_at,
                version: 1,
            });
        }
        self.segments = rows.iter().map(|row| row.id).collect();
        self.insert::<segment::Entity>(rows).await
    }

    pub(super) async fn generate_personas(&mut self) -> Result<()> {
        let mut random = self.random_stream(1);
        let (mut personas, mut needs, mut segments) = (Vec::new(), Vec::new(), Vec::new());
        for (at, name) in texts::PEOPLE.into_iter().enumerate() {
            let id: PersonaId = self.ids.next();
            let employee = at + 1 == texts::PEOPLE.len();
            personas.push(persona::Model {
                id,
                key: format!("persona-{:02}", at + 1),
                name: name.to_owned(),
                subject: if employee {
                    Subject::Employee
                } else {
                    Subject::Customer
                },
                context: Texts(
                    (0..2)
                        .map(|_| texts::random_sentences(&mut random, 1))
                        .collect(),
                ),
                max_contacts_per_month: random.chance(50).then(|| random.between(1, 6)),
                created_at: self.made_at,
                archived_at: None,
                version: 1,
            });
            let count = 3 + random.below(3);
            for (need, position) in random
                .pick_indices(count, texts::NEEDS.len())
                .into_iter()
                .zip(1..)
            {
                let text = texts::NEEDS[need].to_owned();
                needs.push(persona_need::Model {
                    id: self.ids.next(),
                    persona_id: id,
                    position,
                    text,
                });
            }
            for (segment, position) in random
                .pick_indices(2, self.segments.len())
                .into_iter()
                .zip(1..)
            {
                let segment_id = self.segments[segment];
                segments.push(persona_segment::Model {
                    persona_id: id,
                    segment_id,
                    position,
                });
            }
        }
        self.personas = personas.iter().map(|row| (row.id, row.subject)).collect();
        self.insert::<persona::Entity>(personas).await?;
        self.insert::<persona_need::Entity>(needs).await?;
        self.insert::<persona_segment::Entity>(segments).await
    }

    pub(super) async fn generate_kpis(&mut self) -> Result<()> {
        let mut random = self.random_stream(2);
        let (mut rows, mut targets) = (Vec::new(), Vec::new());
        for at in 0..self.size.kpis as usize {
            let id: KpiId = self.ids.next();
            let profile = KpiProfile {
                id,
                template: &KPI_TEMPLATES[at % KPI_TEMPLATES.len()],
                level: 0.3 + 0.4 * random.fraction(),
            };
            rows.push(self.make_kpi(&mut random, at, &profile));
            // One in twenty has no target at all.
            if at % 20 != 19 {
                self.add_targets(&mut random, &profile, &mut targets);
            }
            self.kpis.push(profile);
        }
        self.insert::<kpi::Entity>(rows).await?;
        self.insert::<kpi_target::Entity>(targets).await
    }

    fn make_kpi(&self, random: &mut Random, at: usize, profile: &KpiProfile) -> kpi::Model {
        let template = profile.template;
        let relationship = template.kpi_type == KpiType::Nps && random.chance(30);
        kpi::Model {
            id: profile.id,
            key: format!("kpi-{:04}", at + 1),
            name: format!(
                "{} {} ({})",
                template.name,
                texts::random_object_name(random),
                random.pick(&texts::PLACES)
            ),
            description: random
                .chance(60)
                .then(|| texts::random_sentences(random, 2)),
            kpi_type: template.kpi_type,
            unit: template.unit,
            currency: template.currency.map(str::to_owned),
            decimals: template.decimals,
            direction: template.direction,
            aggregation: template.aggregation,
            cadence: Cadence::Daily,
            owner_department_id: random.pick(&self.departments),
            sensitivity: Sensitivity::Open,
            scope: if relationship {
                KpiScope::Relationship
            } else {
                KpiScope::Transactional
            },
            fed_from: None,
            minimum_sample: None,
            across_parts: AcrossParts::None,
            series_revision: 0,
            created_at: self.made_at,
            archived_at: None,
            version: 1,
        }
    }

    /// A first target and one from each new year on, every one a little harder, with a warning level on the worse side.
    fn add_targets(
        &mut self,
        random: &mut Random,
        profile: &KpiProfile,
        targets: &mut Vec<kpi_target::Model>,
    ) {
        let template = profile.template;
        let (span, better) = match template.direction {
            Direction::Higher => (template.high - template.low, 1.0),
            Direction::Lower => (template.high - template.low, -1.0),
        };
        let mut aim = profile.level + better * 0.02 + 0.1 * (random.fraction() - 0.5);
        for from in first_day_and_new_years(self.size.first_day(), self.size.until) {
            let at = |fraction: f64| {
                round_to(
                    template.low + span * fraction.clamp(0.05, 0.95),
                    template.decimals,
                )
            };
            targets.push(kpi_target::Model {
                id: self.ids.next(),
                kpi_id: profile.id,
                channel_id: None,
                segment_id: None,
                valid_from: from,
                value: Some(at(aim)),
                warning: Some(at(aim - better * 0.06)),
                created_at: self.made_at,
                version: 1,
            });
            aim += better * 0.015;
        }
    }
}

/// The first day, and each 1 January after it up to the last day.
fn first_day_and_new_years(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let january = first.with_ordinal(1).unwrap_or(first);
    let years = (1..).map_while(move |year| january.checked_add_months(Months::new(12 * year)));
    std::iter::once(first).chain(years.take_while(move |day| *day <= last))
}
