//! The one transaction in which an organisation is made, and why it may be refused.

use cx_blueprint::{
    access::Caller,
    audit::AuditedChange,
    database::Transaction,
    error::{Error, Result},
    judgement::rebuild_period_sums,
};
use entity::{account, channel, department, kpi, persona, segment};
use sea_orm::{EntityTrait, PaginatorTrait};

use super::{
    generator::{GenerationSummary, Generator},
    size::OrganisationSize,
};

/// The reason for which nothing was generated.
#[derive(Debug)]
pub(crate) enum GenerateError {
    /// The options contradict one another: a sentence for whoever gave them.
    Options(String),
    /// The database is not empty.
    NotEmpty,
    /// The database failed.
    Failed(Error),
}

impl std::fmt::Display for GenerateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Options(sentence) => f.write_str(sentence),
            Self::NotEmpty => f.write_str(
                "The database holds something already; an organisation is generated into an empty one only.",
            ),
            Self::Failed(error) => write!(f, "Nothing was generated, and nothing was written: {error}"),
        }
    }
}

impl std::error::Error for GenerateError {}

impl<E: Into<Error>> From<E> for GenerateError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Fills an empty database with an organisation of this size, in one transaction: an interrupted run leaves nothing
/// behind. Everybody in it gets the password whose hash is given.
///
/// # Errors
/// Options that contradict one another, a database that is not empty, or one that fails.
pub(crate) async fn generate(
    caller: &Caller,
    size: &OrganisationSize,
    password_hash: &str,
) -> Result<GenerationSummary, GenerateError> {
    size.require_consistent().map_err(GenerateError::Options)?;
    let mut permit = caller.open_permit_without_check().await?;
    if has_database_rows(permit.tx()).await? {
        return Err(GenerateError::NotEmpty);
    }
    permit.tx().extend_timeouts().await?;
    permit.execute_if_postgresql(CHECK_AT_ONCE).await?;
    let mut generator = Generator::new(&permit, size);
    generator.generate_all(password_hash).await?;
    let (rows, took) = generator.progress.finish();
    permit.add_audit_event(AuditedChange::for_bulk_write(serde_json::json!({
        "departments": size.departments,
        "blueprints": size.blueprints,
        "kpis": size.kpis,
        "rows": rows,
    })));
    permit.commit().await?;
    Ok(GenerationSummary { rows, took })
}

/// Two million foreign keys checked at the commit would outlast its timeout; checked row by row they are cheap.
const CHECK_AT_ONCE: &str = "SET CONSTRAINTS ALL IMMEDIATE";

async fn has_database_rows(tx: &Transaction) -> Result<bool> {
    Ok(account::Entity::find().count(tx).await? > 0
        || department::Entity::find().count(tx).await? > 0
        || channel::Entity::find().count(tx).await? > 0
        || segment::Entity::find().count(tx).await? > 0
        || persona::Entity::find().count(tx).await? > 0
        || kpi::Entity::find().count(tx).await? > 0)
}

impl Generator<'_> {
    async fn generate_all(&mut self, password_hash: &str) -> Result<()> {
        self.progress.begin_stage("organisation");
        self.generate_departments().await?;
        self.generate_accounts(password_hash).await?;
        self.generate_channels().await?;
        self.generate_segments().await?;
        self.generate_personas().await?;
        self.generate_kpis().await?;
        self.progress.begin_stage("blueprints");
        for number in 0..self.size.blueprints as usize {
            self.generate_blueprint(number).await?;
        }
        self.progress.begin_stage("measurements");
        self.generate_measurements().await?;
        self.progress.begin_stage("sums of periods");
        self.analyze("measurement").await?;
        for kpi in kpi::Entity::find().all(self.tx()).await? {
            rebuild_period_sums(self.tx(), &kpi).await?;
        }
        Ok(())
    }
}
