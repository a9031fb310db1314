//! A document as it was written: with everything that its verdict hangs on, which async-graphql's own tree leaves out
//! (fields that are given twice, how a number is spelled, where a value stands).

use async_graphql::{Pos, parser::types::OperationType};

/// A name, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    pub text: &'a str,
    pub pos: Pos,
}

#[derive(Debug, Default)]
pub(crate) struct ParsedDocument<'a> {
    pub operations: Vec<Operation<'a>>,
    pub fragments: Vec<Fragment<'a>>,
}

#[derive(Debug)]
pub(crate) struct Operation<'a> {
    pub pos: Pos,
    pub kind: OperationType,
    pub name: Option<Word<'a>>,
    pub variables: Vec<Variable<'a>>,
    pub directives: Vec<Directive<'a>>,
    pub selections: SelectionList<'a>,
}

/// The definition of a variable.
#[derive(Debug)]
pub(crate) struct Variable<'a> {
    pub name: Word<'a>,
    pub ty: TypeReference<'a>,
    pub default: Option<LiteralNode<'a>>,
    pub directives: Vec<Directive<'a>>,
}

#[derive(Debug)]
pub(crate) enum TypeReference<'a> {
    Named(Word<'a>),
    List(Box<Self>),
    NonNull(Box<Self>),
}

#[derive(Debug)]
pub(crate) struct Fragment<'a> {
    pub pos: Pos,
    pub name: Word<'a>,
    pub on: Word<'a>,
    pub directives: Vec<Directive<'a>>,
    pub selections: SelectionList<'a>,
}

#[derive(Debug)]
pub(crate) struct SelectionList<'a> {
    pub pos: Pos,
    pub items: Vec<Selection<'a>>,
}

#[derive(Debug)]
pub(crate) enum Selection<'a> {
    Field(Field<'a>),
    Spread {
        name: Word<'a>,
        directives: Vec<Directive<'a>>,
    },
    Inline {
        pos: Pos,
        on: Option<Word<'a>>,
        directives: Vec<Directive<'a>>,
        selections: SelectionList<'a>,
    },
}

#[derive(Debug)]
pub(crate) struct Field<'a> {
    pub alias: Option<Word<'a>>,
    pub name: Word<'a>,
    pub arguments: Vec<Argument<'a>>,
    pub directives: Vec<Directive<'a>>,
    pub selections: Option<SelectionList<'a>>,
}

impl<'a> Field<'a> {
    /// The name under which it is answered.
    pub(crate) fn response_name(&self) -> &'a str {
        self.alias.unwrap_or(self.name).text
    }
}

#[derive(Debug)]
pub(crate) struct Directive<'a> {
    pub name: Word<'a>,
    pub arguments: Vec<Argument<'a>>,
}

#[derive(Debug)]
pub(crate) struct Argument<'a> {
    pub name: Word<'a>,
    pub value: LiteralNode<'a>,
}

/// A value in a document.
#[derive(Debug)]
pub(crate) struct LiteralNode<'a> {
    pub pos: Pos,
    pub value: LiteralValue<'a>,
}

#[derive(Debug)]
pub(crate) enum LiteralValue<'a> {
    Variable(&'a str),
    Int(&'a str),
    Float(&'a str),
    Text(String),
    BlockText(String),
    Boolean(bool),
    Null,
    Enum(&'a str),
    List(Vec<LiteralNode<'a>>),
    Object(Vec<(Word<'a>, LiteralNode<'a>)>),
}

impl LiteralValue<'_> {
    /// Whether two values are written alike, the order of fields aside.
    pub(crate) fn is_written_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Variable(one), Self::Variable(other))
            | (Self::Int(one), Self::Int(other))
            | (Self::Float(one), Self::Float(other))
            | (Self::Enum(one), Self::Enum(other)) => one == other,
            (Self::Text(one), Self::Text(other))
            | (Self::BlockText(one), Self::BlockText(other)) => one == other,
            (Self::Boolean(one), Self::Boolean(other)) => one == other,
            (Self::Null, Self::Null) => true,
            (Self::List(one), Self::List(other)) => {
                let mut pairs = one.iter().zip(other);
                one.len() == other.len()
                    && pairs.all(|(one, other)| one.value.is_written_like(&other.value))
            }
            (Self::Object(one), Self::Object(other)) => {
                let find = |name: &str| other.iter().find(|(other, _)| other.text == name);
                let mut fields = one.iter();
                one.len() == other.len()
                    && fields.all(|(name, value)| {
                        find(name.text)
                            .is_some_and(|(_, other)| value.value.is_written_like(&other.value))
                    })
            }
            _ => false,
        }
    }
}
