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
    /// Writes a value so that two that are written alike, the order of fields aside, come to the same text.
    pub(crate) fn write(&self, text: &mut String) {
        match self {
            Self::Variable(name) => {
                text.push('$');
                text.push_str(name);
            }
            Self::Int(word) | Self::Float(word) | Self::Enum(word) => text.push_str(word),
            Self::Text(content) => text.push_str(&format!("{content:?}")),
            Self::BlockText(content) => text.push_str(&format!("\"\"{content:?}\"\"")),
            Self::Boolean(value) => text.push_str(&value.to_string()),
            Self::Null => text.push_str("null"),
            Self::List(items) => {
                text.push('[');
                for item in items {
                    item.value.write(text);
                    text.push(',');
                }
                text.push(']');
            }
            Self::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(name, _)| name.text);
                text.push('{');
                for (name, value) in fields {
                    text.push_str(name.text);
                    text.push(':');
                    value.value.write(text);
                    text.push(',');
                }
                text.push('}');
            }
        }
        text.push(' ');
    }
}
