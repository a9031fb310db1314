//! The column of a dataset that shows a field of each kind. Lists have none: a cell holds one value.

use entity::words::StoredWord;
use sea_orm::Value;

use crate::{
    bi::model::dataset::{Column, ColumnSql, ColumnType},
    fields::kinds::{
        BoundedInteger, FieldKind, InitialWord, MonthlyRate, OptionalText, OptionalWord,
        WordWithInitial, YesNo,
    },
};

/// A kind that can be a column.
pub(super) trait DatasetField: FieldKind {
    /// The type of its cells.
    const TYPE: ColumnType;
    /// Whether a cell may be empty.
    const NULLABLE: bool;
}

/// The column of a field, which a dataset's SELECT takes from `sql`.
pub(super) const fn field_column<K: DatasetField>(
    name: &'static str,
    sql: &'static str,
    description: &'static str,
) -> Column {
    Column {
        name,
        of: K::TYPE,
        nullable: K::NULLABLE,
        description,
        sql: Some(ColumnSql::Expression(sql)),
    }
}

impl DatasetField for OptionalText {
    const TYPE: ColumnType = ColumnType::Text;
    const NULLABLE: bool = true;
}

impl<W: StoredWord> DatasetField for OptionalWord<W>
where
    Option<W>: Into<Value>,
{
    const TYPE: ColumnType = ColumnType::Word(W::texts);
    const NULLABLE: bool = true;
}

impl<W: InitialWord + Into<Value>> DatasetField for WordWithInitial<W> {
    const TYPE: ColumnType = ColumnType::Word(W::texts);
    const NULLABLE: bool = false;
}

impl DatasetField for YesNo {
    const TYPE: ColumnType = ColumnType::Boolean;
    const NULLABLE: bool = false;
}

impl<const MIN: i32, const MAX: i32> DatasetField for BoundedInteger<MIN, MAX> {
    const TYPE: ColumnType = ColumnType::Integer;
    const NULLABLE: bool = true;
}

impl DatasetField for MonthlyRate {
    const TYPE: ColumnType = ColumnType::Number;
    const NULLABLE: bool = true;
}
