//! What a dataset is: its name, columns, filters, the permission it needs, the order of its rows and their SQL.

use crate::{bi::scope::Scope, policy::Action, statement::Text};

/// Rows of one kind.
pub struct Dataset {
    /// Its name, in addresses and as a table.
    pub name: &'static str,
    /// What a row is, and which rows there are.
    pub description: &'static str,
    /// What one needs to pull it.
    pub permission: Action,
    /// Whether it has to be given a range of days: what would be too much to give unasked.
    pub needs_days: bool,
    /// Whether drafts, what is in review and FUTURE blueprints stay out unless asked for.
    pub counts: bool,
    /// The column of the day that `from` and `to` look at.
    pub day: Option<&'static str>,
    /// Its columns. Columns are only ever appended.
    pub columns: &'static [Column],
    /// The filters that have a short name.
    pub filters: &'static [NamedFilter],
    /// The column that tells each row from all others, and is never empty.
    pub key: &'static str,
    /// The order of the rows, which no two rows share.
    pub order: &'static [OrderKey],
    /// Where the rows come from.
    pub source: RowSource,
}

/// One column.
pub struct Column {
    pub name: &'static str,
    pub of: Type,
    /// Whether a cell may be empty.
    pub nullable: bool,
    pub description: &'static str,
}

/// What the cells of a column hold.
#[derive(Clone, Copy)]
pub enum Type {
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

impl Type {
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

/// What a part of an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    Day,
    Id,
}

/// Writes a piece of a statement for whoever reads.
pub type SqlFragment = fn(Text, &Scope<'_>) -> Text;

/// Where rows come from.
pub enum RowSource {
    /// SQL over what the reader may see: common tables (`name AS (…), …`), and a select of every column and of
    /// every part of the order, by their names.
    Sql {
        with: Option<SqlFragment>,
        rows: SqlFragment,
    },
    /// The same, and put together in memory where rows are pulled in the dataset's own order, which takes far less.
    Joined {
        with: Option<SqlFragment>,
        rows: SqlFragment,
    },
    /// What blueprints get wrong: computed, blueprint by blueprint.
    Findings,
    /// Values put together: computed from what is kept in memory.
    Series,
}

impl RowSource {
    /// The SQL, where rows come from there.
    #[must_use]
    pub const fn sql(&self) -> Option<(Option<SqlFragment>, SqlFragment)> {
        match self {
            Self::Sql { with, rows } | Self::Joined { with, rows } => Some((*with, *rows)),
            Self::Findings | Self::Series => None,
        }
    }
}

impl Column {
    /// A column whose cells are never empty.
    #[must_use]
    pub const fn new(name: &'static str, of: Type, description: &'static str) -> Self {
        Self {
            name,
            of,
            nullable: false,
            description,
        }
    }

    /// A column whose cells may be empty.
    #[must_use]
    pub const fn or_empty(name: &'static str, of: Type, description: &'static str) -> Self {
        Self {
            nullable: true,
            ..Self::new(name, of, description)
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

    /// Its column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Which of its columns this is.
    #[must_use]
    pub fn position(&self, column: &Column) -> Option<usize> {
        self.columns
            .iter()
            .position(|other| std::ptr::eq(other, column))
    }

    /// The column behind a filter's short name.
    #[must_use]
    pub fn filter(&self, name: &str) -> Option<&'static Column> {
        let named = self.filters.iter().find(|filter| filter.name == name)?;
        self.column(named.column)
    }
}
