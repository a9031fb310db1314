//! The column of a dataset that shows a field of each kind. Lists have none: a cell holds one value.

use entity::words::StoredWord;
use sea_orm::Value;

use crate::{
    bi::model::dataset::{Column, ColumnSql, Type},
    fields::kinds::{
        FieldKind, MonthlyRate, OptionalText, OptionalWord, RequiredWord, ScaledNumber, StartWord,
        YesNo,
    },
};

/// A kind that can be a column.
pub(super) trait DatasetField: FieldKind {
    /// The type of its cells.
    const TYPE: Type;
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
    const TYPE: Type = Type::Text;
    const NULLABLE: bool = true;
}

impl<W: StoredWord> DatasetField for OptionalWord<W>
where
    Option<W>: Into<Value>,
{
    const TYPE: Type = Type::Word(W::texts);
    const NULLABLE: bool = true;
}

impl<W: StartWord + Into<Value>> DatasetField for RequiredWord<W> {
    const TYPE: Type = Type::Word(W::texts);
    const NULLABLE: bool = false;
}

impl DatasetField for YesNo {
    const TYPE: Type = Type::Boolean;
    const NULLABLE: bool = false;
}

impl<const MIN: i32, const MAX: i32> DatasetField for ScaledNumber<MIN, MAX> {
    const TYPE: Type = Type::Integer;
    const NULLABLE: bool = true;
}

impl DatasetField for MonthlyRate {
    const TYPE: Type = Type::Number;
    const NULLABLE: bool = true;
}
