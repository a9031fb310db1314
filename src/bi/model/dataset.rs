//! What a dataset is: its name, columns, filters, the permission it needs, the order of its rows and their SQL.

use crate::{
    bi::scope::ReaderScope, judgement::period::Grain, policy::Action, statement::SqlBuilder,
};

/// Rows of one kind.
pub struct Dataset {
    /// Its name, in addresses and as a table.
    pub name: &'static str,
    /// What a row is, and which rows there are.
    pub description: &'static str,
    /// The permission to pull it.
    pub permission: Action,
    /// Whether a pull reads a range of days, since all rows would be too many; see `default_days` for its usual ends.
    pub needs_days: bool,
    /// Whether rows of drafts, of blueprints in review and of FUTURE ones stay out unless a pull includes them.
    pub published_only: bool,
    /// The column that `from` and `to` compare with; none where rows have no day.
    pub day: Option<&'static str>,
    /// Its columns. Columns are only ever appended.
    pub columns: &'static [Column],
    /// The filters that have a short name.
    pub filters: &'static [NamedFilter],
    /// The column that tells each row from all others, and is never empty.
    pub key: &'static str,
    /// The order of the rows, in which no two rows are equal.
    pub order: &'static [OrderKey],
    /// Where the rows come from.
    pub source: RowSource,
}

/// One column.
pub struct Column {
    pub name: &'static str,
    pub of: ColumnType,
    /// Whether a cell may be empty.
    pub nullable: bool,
    pub description: &'static str,
    /// Its SQL; none where rows are computed.
    pub sql: Option<ColumnSql>,
}

/// What the cells of a column hold.
#[derive(Clone, Copy)]
pub enum ColumnType {
    /// An id with this prefix.
    Id(&'static str),
    /// Text that people wrote, or that was put together.
    Text,
    /// One of a few words.
    Word(fn() -> Vec<&'static str>),
    /// A day of the deployment's calendar.
    Day,
    /// A moment, in UTC.
    Instant,
    /// A whole number of 32 bits.
    Integer,
    /// A number, an IEEE double.
    Number,
    /// True or false.
    Boolean,
}

impl ColumnType {
    /// The type's name, as the list of datasets tells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Text => "text",
            Self::Word(_) => "word",
            Self::Day => "day",
            Self::Instant => "instant",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// A filter with a short name: the rows whose column holds one of the values.
pub struct NamedFilter {
    pub name: &'static str,
    pub column: &'static str,
}

/// One part of the order of a dataset's rows, and so of a cursor. What is empty comes first.
pub struct OrderKey {
    /// The column of the source; some are not among the dataset's own.
    pub column: &'static str,
    pub of: KeyType,
    pub nullable: bool,
}

/// The type of a part of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    Day,
    Id,
}

/// Appends a fragment of SQL for whoever reads to a statement.
pub type SqlFragment = fn(SqlBuilder, &ReaderScope<'_>) -> SqlBuilder;

/// Where rows come from. Who reads them there is paired with the dataset in the catalogue, which stands above all
/// readers; a dataset is plain data.
pub enum RowSource {
    /// SQL over what the reader may see: common tables (`name AS (…), …`), and a SELECT of every column and of
    /// every part of the order, by their names.
    Sql {
        with: Option<SqlFragment>,
        rows: SqlFragment,
    },
    /// Computed in memory: no view shows them.
    Computed {
        /// For series: the periods of which rows are told; a pull says by what they are grouped.
        series: Option<SeriesPeriods>,
        /// Whether rows change only by what the audit log tells.
        is_fully_audited: bool,
    },
}

/// The periods that a dataset of series tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesPeriods {
    /// Those that a pull asks for.
    Asked,
    /// Those of one length. KPIs that are measured more seldom have no rows.
    Of(Grain),
}

impl RowSource {
    /// The common tables and the SELECT; none for computed rows.
    #[must_use]
    pub const fn sql_fragments(&self) -> Option<(Option<SqlFragment>, SqlFragment)> {
        match self {
            Self::Sql { with, rows } => Some((*with, *rows)),
            Self::Computed { .. } => None,
        }
    }
}

/// The SQL of a column in the SELECT of its dataset.
#[derive(Clone, Copy)]
pub enum ColumnSql {
    /// An expression over the tables of the FROM clause.
    Expression(&'static str),
    /// An expression that depends on the database, or shares its text with other statements.
    Generated(fn(&ReaderScope<'_>) -> String),
}

impl Column {
    /// A column whose cells are never empty.
    #[must_use]
    pub const fn new(name: &'static str, of: ColumnType, description: &'static str) -> Self {
        Self {
            name,
            of,
            nullable: false,
            description,
            sql: None,
        }
    }

    /// A column whose cells may be empty.
    #[must_use]
    pub const fn nullable(name: &'static str, of: ColumnType, description: &'static str) -> Self {
        Self {
            nullable: true,
            ..Self::new(name, of, description)
        }
    }

    /// The column, selected by this SQL.
    #[must_use]
    pub const fn with_sql(self, sql: ColumnSql) -> Self {
        Self {
            sql: Some(sql),
            ..self
        }
    }
}

impl Dataset {
    /// Whether its rows are those of measurements, in the order of these: then one may ask for what changed alone.
    #[must_use]
    pub fn is_of_measurements(&self) -> bool {
        let names: Vec<&str> = self.order.iter().map(|key| key.column).collect();
        names.starts_with(&["measured_on", "measurement_id"])
    }

    /// The periods that it tells of, if its rows are points of series.
    #[must_use]
    pub const fn series_periods(&self) -> Option<SeriesPeriods> {
        match self.source {
            RowSource::Computed { series, .. } => series,
            RowSource::Sql { .. } => None,
        }
    }

    /// Whether its rows are points of series.
    #[must_use]
    pub const fn is_series(&self) -> bool {
        self.series_periods().is_some()
    }

    /// Whether rows change only by what the audit log tells, so that a place in the log is an ETag of them.
    #[must_use]
    pub const fn is_fully_audited(&self) -> bool {
        let unlogged = matches!(
            self.source,
            RowSource::Computed {
                is_fully_audited: false,
                ..
            }
        );
        !unlogged
    }

    /// Appends `SELECT` and every column that has SQL, under its name; what else is selected, and FROM, come next.
    #[must_use]
    pub fn append_select(&self, text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
        let columns = self.columns.iter().filter_map(|column| {
            Some(match column.sql? {
                ColumnSql::Expression(sql) => format!("{sql} AS {}", column.name),
                ColumnSql::Generated(sql) => format!("{} AS {}", sql(scope), column.name),
            })
        });
        let columns: Vec<String> = columns.collect();
        text.then("SELECT ").then(&columns.join(", "))
    }

    /// Its column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The index of a column among its columns.
    #[must_use]
    pub fn column_index(&self, column: &Column) -> Option<usize> {
        self.columns
            .iter()
            .position(|other| std::ptr::eq(other, column))
    }

    /// The column behind a filter's short name.
    #[must_use]
    pub fn filter_column(&self, name: &str) -> Option<&'static Column> {
        let named = self.filters.iter().find(|filter| filter.name == name)?;
        self.column(named.column)
    }
}
